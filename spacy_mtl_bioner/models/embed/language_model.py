"""Predicting the neighboring words, a second task that needs no annotation."""

from collections import Counter
from typing import Counter as CounterType
from typing import List

import numpy as np
import torch
from spacy.strings import get_string_id
from torch import nn

from ...layers.highway import Highway
from ...layers.transfer import to_device
from ..batch import TokenBatch
from ..lexicon import Lexicon
from .lookup import find

IGNORED = -100
"""What ``cross_entropy`` takes for "no target"."""


def most_frequent(X: Lexicon, count: int) -> List[int]:
    """Hashes of the ``count`` most frequent lower-cased training words, of equally frequent ones the first by name."""
    lower: CounterType[str] = Counter()
    for form, frequency in X.forms.items():
        lower[form.lower()] += frequency
    ranked = sorted(lower.items(), key=lambda item: (-item[1], item[0]))
    return [get_string_id(form) for form, _ in ranked[:count]]


class LanguageModel(nn.Module):
    """The loss of predicting each word from the forward state at the word before it, and from the backward state at the
    word after it (Liu et al. 2018, section 3.2). Class 0 is every other word."""

    def __init__(self, units: int, words: int, highway: int) -> None:
        super().__init__()
        self.register_buffer("keys", torch.zeros(words, dtype=torch.int64))
        self.highways = nn.ModuleList(Highway(units, highway) for _ in range(2))
        self.outputs = nn.ModuleList(nn.Linear(units, 1 + words) for _ in range(2))
        for output in self.outputs:
            nn.init.xavier_uniform_(output.weight)
            nn.init.zeros_(output.bias)

    def fill(self, words: List[int]) -> None:
        """Set the hashes of the words."""
        self.keys.copy_(torch.from_numpy(np.sort(np.asarray(words, dtype="uint64")).view("int64")))

    def forward(self, ahead: torch.Tensor, back: torch.Tensor, batch: TokenBatch) -> torch.Tensor:
        """States f32[B,T,units] after and before each word -> the mean over sentences of the mean loss of a word,
        summed over the directions; a sentence of one word has none. (A mean over all words would be another one where a
        batch is computed in parts.)"""
        words = self.targets(batch)
        beyond = np.full((len(words), 1), IGNORED)
        following, preceding = np.hstack([words[:, 1:], beyond]), np.hstack([beyond, words[:, :-1]])
        following[~batch.mask_array] = preceding[~batch.mask_array] = IGNORED
        return self._loss(0, ahead, following) + self._loss(1, back, preceding)

    def targets(self, batch: TokenBatch) -> np.ndarray:
        """i64[B,T]: the class of each word; ``IGNORED`` at padding."""
        classes = np.full(batch.shape, IGNORED)
        known = find(self.keys.cpu().numpy().view("uint64"), batch.lower_forms)
        classes[batch.mask_array] = known[batch.flat_forms]
        return classes

    def _loss(self, way: int, states: torch.Tensor, targets: np.ndarray) -> torch.Tensor:
        there = targets != IGNORED
        shares = 1.0 / (len(targets) * there.sum(axis=1))[there.nonzero()[0]]
        rows, classes = np.flatnonzero(there), targets[there]
        rows, classes, shares = (to_device(array, states.device) for array in (rows, classes, shares.astype("float32")))
        scores = self.outputs[way](self.highways[way](states.flatten(0, 1).index_select(0, rows)))
        return (nn.functional.cross_entropy(scores.float(), classes, reduction="none") * shares).sum()
