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


ROOM = 128, 16
"""On a GPU, forms and their characters are counted in so many."""


class CharConvolution(nn.Module):
    """The convolution as a sum of table rows: a filter's answer to a character at an offset is one row of
    ``embedding @ weight``, so that a window costs ``window`` look-ups instead of a product."""

    capturable = True

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
        answers = self.by_products(batch) if batch.gold is not None and self.bias.is_cuda else self.by_rows(batch)
        return batch.spread(torch.tanh(answers.amax(dim=1) + self.bias))

    def _table(self) -> torch.Tensor:
        """f32[window*V,filters]: what a filter answers to each character at each offset; nothing to padding."""
        used = self.embedding[1:]
        return torch.matmul(nn.functional.pad(used, (0, 0, 1, 0)), self.weight).flatten(0, 1)

    def by_products(self, batch: TokenBatch) -> torch.Tensor:
        """f32[U,P,filters], the answers at each place of each form: by a product, which can be captured. There are more
        forms and places than the batch has, so that few sizes occur."""
        characters, table = batch.put((id(self), "characters"), self._roomy), self._table()
        known = torch.arange(len(self.embedding), device=characters.device)
        shown = (characters.unsqueeze(2) == known).to(table.dtype)
        answers = shown.unfold(1, self.window, 1).transpose(2, 3).flatten(2) @ table
        lengths = (characters != PADDING).sum(1, keepdim=True)
        outside = torch.arange(answers.shape[1], device=answers.device) >= lengths + self.window - 1
        return answers.masked_fill(outside.unsqueeze(2), -torch.inf)

    def _roomy(self, batch: TokenBatch) -> np.ndarray:
        characters, _ = self.characters_of(batch)
        rows, steps = (-(-size // unit) * unit for size, unit in zip(characters.shape, ROOM))
        more = (0, rows - characters.shape[0]), (0, steps - characters.shape[1])
        return np.pad(characters, more, constant_values=PADDING)

    def by_rows(self, batch: TokenBatch) -> torch.Tensor:
        """The same by look-ups, with nothing to spare."""
        characters, lengths = self.characters_of(batch)
        windows = np.lib.stride_tricks.sliding_window_view(characters, self.window, axis=1)
        offsets = np.arange(self.window) * len(self.embedding)
        rows = to_device(windows + offsets, self.bias.device)
        bags = nn.functional.embedding_bag(rows.flatten(0, 1), self._table(), mode="sum")
        answers = bags.unflatten(0, rows.shape[:2])
        outside = np.arange(rows.shape[1])[None, :] >= lengths[:, None] + self.window - 1
        return answers.masked_fill(to_device(outside, answers.device)[:, :, None], -torch.inf)

    def characters_of(self, batch: TokenBatch) -> Tuple[np.ndarray, np.ndarray]:
        """i64[U, window-1 + C + window-1] characters of the distinct forms between padding, and i64[U] lengths."""
        flat, lengths = look_up(self.ids, batch.form_strings(), self.max_chars)
        longest, edge = int(lengths.max(initial=0)), self.window - 1
        characters = np.full((len(lengths), longest + 2 * edge), PADDING, dtype="int64")
        inside = np.arange(longest)[None, :] < lengths[:, None]
        characters[:, edge : edge + longest][inside] = flat
        return characters, lengths
