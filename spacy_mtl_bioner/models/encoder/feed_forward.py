"""One dense layer over the concatenated vectors of a window."""

from typing import Tuple

import numpy as np
import torch
from thinc.api import Model
from torch import nn

from ...errors import E220, MTLError
from ...layers.dropout import drop
from ..batch import TokenBatch
from ..checks import at_least, rates
from .base import encoder_layer
from .windows import gather, lay_out, put_back, with_padding


def FeedForward(
    width: int = 300, left: int = 3, right: int = 3, dropout: float = 0.0, learn_padding: bool = True
) -> Model[Tuple[torch.Tensor, TokenBatch], torch.Tensor]:
    """(f32[B,T,D], TokenBatch) -> f32[B,T,width]: the vectors of the token's window side by side, a dense layer, ReLU
    (the baseline of Crichton et al. 2017, whose vectors are those of words and of ``Capitalization``).

    width (int): Units.
    left, right (int): Tokens of context, padded at sentence borders; 0 and 0 see the token alone.
    dropout (float): Share of units dropped.
    learn_padding (bool): Train the vector outside of the sentence, which starts uniform in +-0.05.
    RAISES (MTLError): MTL220 for a negative context, MTL200 for another setting out of its range.
    """
    at_least(1, "FeedForward", width=width)
    rates("FeedForward", dropout=dropout)
    if left < 0 or right < 0:
        raise MTLError(E220(layer="FeedForward", left=left, right=right, widths="", window=left + 1 + right))
    settings = {"width": width, "left": left, "right": right, "dropout": dropout, "learn_padding": learn_padding}
    return encoder_layer("feed_forward", WindowDense, width, **settings)


class WindowDense(nn.Module):
    """A dense layer a window."""

    def __init__(self, inputs: int, width: int, left: int, right: int, dropout: float, learn_padding: bool) -> None:
        super().__init__()
        self.left, self.right, self.dropout = left, right, dropout
        self.padding = nn.Parameter(torch.empty(inputs).uniform_(-0.05, 0.05), requires_grad=learn_padding)
        self.dense = nn.Linear((left + 1 + right) * inputs, width)
        nn.init.xavier_uniform_(self.dense.weight)
        nn.init.zeros_(self.dense.bias)

    def forward(self, x: torch.Tensor, batch: TokenBatch) -> torch.Tensor:
        """(f32[B,T,D], TokenBatch) -> f32[B,T,width], zero at padding."""
        rows, starts = lay_out(batch, self.left, self.right)
        windows = rows[starts[:, None] + np.arange(self.left + 1 + self.right)]
        hidden = torch.relu_(self.dense(gather(with_padding(x, self.padding), windows)))
        return put_back(drop(hidden[None], self.dropout, self.training)[0], batch)
