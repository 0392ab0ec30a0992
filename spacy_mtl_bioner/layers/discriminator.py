"""A linear guess at which corpus a sentence is from."""

from typing import Optional

import torch
from thinc.api import Model
from torch import nn

from .torch_layer import shim_of, torch_layer


def CorpusDiscriminator() -> Model[torch.Tensor, torch.Tensor]:
    """f32[B,H] -> f32[B,C], a logit for each of C corpora."""
    return torch_layer("corpus_discriminator", Discriminator, init=init, dims={"nI": None, "nO": None})


def init(model: Model, X: object = None, Y: Optional[int] = None) -> None:
    """Build the classifier of ``Y`` corpora; one that has weights keeps those of its old corpora."""
    if Y is None or not model.has_dim("nI"):
        return
    shim = shim_of(model)
    old = shim.module if shim.built else None
    if old is not None and old.linear.out_features == Y:
        return
    linear = shim.build(width=model.get_dim("nI"), corpora=Y).linear
    if old is not None:
        with torch.no_grad():
            linear.weight[: old.linear.out_features] = old.linear.weight
            linear.bias[: old.linear.out_features] = old.linear.bias
    model.set_dim("nO", Y, force=True)


class Discriminator(nn.Module):
    """A linear map."""

    capturable = True

    def __init__(self, width: int, corpora: int) -> None:
        super().__init__()
        self.linear = nn.Linear(width, corpora)
        nn.init.xavier_uniform_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """f32[B,H] -> f32[B,C]."""
        return self.linear(x)
