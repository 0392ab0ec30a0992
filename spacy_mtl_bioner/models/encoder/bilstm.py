"""Bidirectional LSTM over sentences of different lengths."""

from typing import Optional, Tuple

import torch
from thinc.api import Model
from torch import nn

from ...layers.dropout import drop
from ...layers.lstm import initialize_lstm, read
from ..batch import TokenBatch
from ..checks import at_least, rates
from .base import encoder_layer


def BiLSTM(
    width: int = 256, depth: int = 1, dropout: float = 0.5, locked: bool = False, output: Optional[int] = 128
) -> Model[Tuple[torch.Tensor, TokenBatch], torch.Tensor]:
    """(f32[B,T,D], TokenBatch) -> f32[B,T,H]: dropout, BiLSTM, dropout, then Linear and ELU (Wang Xi et al. 2019).

    Each direction is an LSTM of its own and the backward one reads the sentence turned around by its length, so that
    padding is never read: a sentence gets the same vectors alone and in any batch.

    width (int): Numbers a direction.
    depth (int): Layers.
    dropout (float): Share of numbers dropped, before and after each layer.
    locked (bool): Drop the same numbers at every token of a sentence.
    output (int): H; ``null`` gives both directions as they are (2 * width).
    RAISES (MTLError): MTL200 for a setting out of its range.
    """
    at_least(1, "BiLSTM", width=width, depth=depth, output=output)
    rates("BiLSTM", dropout=dropout)
    settings = {"width": width, "depth": depth, "dropout": dropout, "locked": locked, "output": output}
    return encoder_layer("bilstm", BiLSTMModule, output or 2 * width, **settings)


class BiLSTMModule(nn.Module):
    """An LSTM a direction and layer (``layers.lstm``), and the projection."""

    capturable = True

    def __init__(
        self, inputs: int, width: int, depth: int, dropout: float, locked: bool, output: Optional[int]
    ) -> None:
        super().__init__()
        sizes = [inputs] + [2 * width] * (depth - 1)
        self.ahead = nn.ModuleList(nn.LSTM(size, width, batch_first=True) for size in sizes)
        self.back = nn.ModuleList(nn.LSTM(size, width, batch_first=True) for size in sizes)
        self.project = nn.Linear(2 * width, output) if output else None
        self.dropout = dropout
        self.locked = locked
        for lstm in [*self.ahead, *self.back]:
            initialize_lstm(lstm)
        if self.project is not None:
            nn.init.xavier_uniform_(self.project.weight)
            nn.init.zeros_(self.project.bias)

    def forward(self, x: torch.Tensor, batch: TokenBatch) -> torch.Tensor:
        """(f32[B,T,D], TokenBatch) -> f32[B,T,H]."""
        for ahead, back in zip(self.ahead, self.back):
            x = drop(x, self.dropout, self.training, self.locked)
            x = torch.cat([read(ahead, x), turn(read(back, turn(x, batch)), batch)], dim=-1)
        x = drop(x, self.dropout, self.training, self.locked)
        return x if self.project is None else nn.functional.elu(self.project(x))


def turn(x: torch.Tensor, batch: TokenBatch) -> torch.Tensor:
    """f32[B,T,D] with each sentence turned around and its padding left in place."""
    return x.flatten(0, 1).index_select(0, batch.reversal).view(x.shape)
