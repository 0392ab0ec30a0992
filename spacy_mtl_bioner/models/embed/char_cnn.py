"""Character convolution with max pooling over a word's positions."""

from typing import Optional, Tuple

import numpy as np
import torch
from thinc.api import Model
from torch import nn

from ...layers.torch_layer import shim_of, torch_layer
from ...layers.transfer import to_device
from ..batch import TokenBatch
from ..checks import at_least
from ..lexicon import Lexicon
from .characters import PADDING, UNKNOWN, alphabet, look_up


def CharCNN(
    width: int = 30, filters: int = 30, window: int = 3, max_chars: int = 45, min_count: int = 2
) -> Model[TokenBatch, torch.Tensor]:
    """TokenBatch -> f32[B,T,filters]: tanh of the maximum over all windows that touch the word.

    Ma & Hovy 2016; the sizes are those of Wang Xi et al. 2019. Computed once a distinct word form. A word of more
    than ``max_chars`` characters shows its first and last halves of that many.

    width (int): Numbers a character.
    filters (int): Numbers a word.
    window (int): Characters a filter sees.
    max_chars (int): Characters a word shows.
    min_count (int): How many distinct training words a character must occur in to get a vector of its own.
    RAISES (MTLError): MTL200 for a setting out of its range.
    """
    at_least(1, "CharCNN", width=width, filters=filters, window=window, max_chars=max_chars)
    attrs = {"width": width, "window": window, "max_chars": max_chars, "min_count": min_count}
    return torch_layer("char_cnn", CharConvolution, init=init, dims={"nO": filters}, attrs=attrs)


def init(model: Model, X: Optional[Lexicon] = None, Y: object = None) -> None:
    """Collect the characters of the training words and build the module."""
    if X is None or shim_of(model).built:
        return
    shim_of(model).build(
        characters=alphabet(X, model.attrs["min_count"]),
        width=model.attrs["width"],
        filters=model.get_dim("nO"),
        window=model.attrs["window"],
        max_chars=model.attrs["max_chars"],
    )


class CharConvolution(nn.Module):
    """The convolution as a sum of table rows: a filter's answer to a character at an offset is one row of
    ``embedding @ weight``, so that a window costs ``window`` look-ups instead of a product."""

    def __init__(self, characters: str, width: int, filters: int, window: int, max_chars: int) -> None:
        super().__init__()
        self.ids = {character: i for i, character in enumerate(characters, UNKNOWN + 1)}
        self.window = window
        self.max_chars = max_chars
        bound = (3.0 / width) ** 0.5
        self.embedding = nn.Parameter(torch.empty(len(characters) + 2, width).uniform_(-bound, bound))
        bound = (width * window) ** -0.5
        self.weight = nn.Parameter(torch.empty(window, width, filters).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(filters).uniform_(-bound, bound))

    def forward(self, batch: TokenBatch) -> torch.Tensor:
        """TokenBatch -> f32[B,T,filters]."""
        characters, lengths = self.characters_of(batch)
        windows = np.lib.stride_tricks.sliding_window_view(characters, self.window, axis=1)
        offsets = np.arange(self.window) * len(self.embedding)
        rows = to_device(windows + offsets, self.bias.device)
        used = self.embedding[1:]
        table = torch.matmul(nn.functional.pad(used, (0, 0, 1, 0)), self.weight).flatten(0, 1)
        answers = nn.functional.embedding_bag(rows.flatten(0, 1), table, mode="sum").unflatten(0, rows.shape[:2])
        outside = np.arange(rows.shape[1])[None, :] >= lengths[:, None] + self.window - 1
        answers = answers.masked_fill(to_device(outside, answers.device)[:, :, None], -torch.inf)
        return batch.spread(torch.tanh(answers.amax(dim=1) + self.bias))

    def characters_of(self, batch: TokenBatch) -> Tuple[np.ndarray, np.ndarray]:
        """i64[U, window-1 + C + window-1] characters of the distinct forms between padding, and i64[U] lengths."""
        flat, lengths = look_up(self.ids, batch.form_strings(), self.max_chars)
        longest, edge = int(lengths.max(initial=0)), self.window - 1
        characters = np.full((len(lengths), longest + 2 * edge), PADDING, dtype="int64")
        inside = np.arange(longest)[None, :] < lengths[:, None]
        characters[:, edge : edge + longest][inside] = flat
        return characters, lengths
