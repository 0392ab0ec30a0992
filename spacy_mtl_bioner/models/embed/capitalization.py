"""How a word is capitalized, as a small trained vector."""

import numpy as np
import torch
from thinc.api import Model
from torch import nn

from ...layers.torch_layer import shim_of, torch_layer
from ...layers.transfer import to_device
from ..batch import TokenBatch
from ..checks import at_least

NONE, CONTAINS, INITIAL, ALL = range(4)


def Capitalization(width: int = 5) -> Model[TokenBatch, torch.Tensor]:
    """TokenBatch -> f32[B,T,width]: one of four vectors, for words all in capitals, with an initial one, with another
    one, or with none (Crichton et al. 2017). The fifth, of padding, is a part of the encoders that see windows.

    width (int): Numbers a word.
    RAISES (MTLError): MTL200 for a width below 1.
    """
    at_least(1, "Capitalization", width=width)
    return torch_layer("capitalization", CapitalTable, init=init, dims={"nO": width})


def init(model: Model, X: object = None, Y: object = None) -> None:
    """Build the table."""
    if not shim_of(model).built:
        shim_of(model).build(width=model.get_dim("nO"))


class CapitalTable(nn.Module):
    """Four rows, uniform in +-0.05."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(4, width).uniform_(-0.05, 0.05))

    def forward(self, batch: TokenBatch) -> torch.Tensor:
        """TokenBatch -> f32[B,T,width]."""
        kinds = np.fromiter(map(kind_of, batch.form_strings()), dtype="int64", count=len(batch.forms))
        return batch.spread(self.weight[to_device(kinds, self.weight.device)])


def kind_of(form: str) -> int:
    """Which of the four a word form is; what has no case (digits, signs) has no capital."""
    if form.isupper():
        return ALL
    if form[:1].isupper():
        return INITIAL
    return CONTAINS if any(map(str.isupper, form)) else NONE
