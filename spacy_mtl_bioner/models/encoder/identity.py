"""No encoder: the embedding as it is."""

from typing import Any, Callable, Tuple

import torch
from thinc.api import Model

from ...layers.torch_layer import no_backprop
from ..batch import TokenBatch


def Identity() -> Model[Tuple[torch.Tensor, TokenBatch], torch.Tensor]:
    """(f32[B,T,D], TokenBatch) -> f32[B,T,D], unchanged: heads that read the embedding, such as a transformer's."""
    return Model("identity", forward, init=init, dims={"nI": None, "nO": None})


def forward(
    model: Model, X: Tuple[torch.Tensor, TokenBatch], is_train: bool
) -> Tuple[torch.Tensor, Callable[[Any], Any]]:
    """The vectors themselves."""
    return X[0], no_backprop


def init(model: Model, X: object = None, Y: object = None) -> None:
    """As wide as what it reads, once that is known."""
    if model.has_dim("nI"):
        model.set_dim("nO", model.get_dim("nI"), force=True)
