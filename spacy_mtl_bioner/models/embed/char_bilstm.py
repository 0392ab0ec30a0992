"""Character LSTMs over whole sentences, read at the borders of the words."""

from typing import NamedTuple, Optional

import numpy as np
import torch
from thinc.api import Model
from torch import nn

from ...layers.dropout import drop
from ...layers.highway import Highway
from ...layers.lstm import initialize_lstm, read
from ...layers.torch_layer import shim_of, torch_layer
from ...layers.transfer import to_device
from ..batch import TokenBatch, rounded_up
from ..checks import at_least, rates
from ..lexicon import Lexicon
from ..ragged import ranges
from .characters import PADDING, UNKNOWN, alphabet, look_up
from .language_model import LanguageModel, most_frequent

SPACE, END = UNKNOWN + 1, UNKNOWN + 2


def CharBiLSTM(
    width: int = 30,
    units: int = 300,
    dropout: float = 0.5,
    highway: int = 0,
    language_model: float = 0.0,
    language_model_words: int = 5000,
    max_chars: int = 45,
    min_count: int = 2,
) -> Model[TokenBatch, torch.Tensor]:
    """TokenBatch -> f32[B,T,2*units]: what an LSTM that has read the sentence's characters up to the space after a word
    knows, and one that has read them backwards up to the space before it (Liu et al. 2018; Wang Xuan et al. 2018).

    No direction ever reads padding: a sentence gets the same vectors alone and in any batch. Encoders drop their input,
    so that nothing is dropped from the vectors here.

    width (int): Numbers a character.
    units (int): Numbers a direction.
    dropout (float): Share of the characters' numbers dropped.
    highway (int): Highway layers over the vectors, and over each direction before it predicts words.
    language_model (float): Weight of the loss of also predicting the next word from each forward state and the one
        before from each backward state (the mean over the words, summed over both directions); 0: no such loss.
        Nothing of it is computed at prediction. A model that was made without cannot be given one later.
    language_model_words (int): How many of the most frequent training words it tells apart.
    max_chars (int): Characters a word shows.
    min_count (int): How many distinct training words a character must occur in to get a vector of its own.
    RAISES (MTLError): MTL200 for a setting out of its range.
    """
    at_least(1, "CharBiLSTM", width=width, units=units, max_chars=max_chars, language_model_words=language_model_words)
    at_least(0, "CharBiLSTM", highway=highway, language_model=language_model)
    rates("CharBiLSTM", dropout=dropout)
    attrs = {
        "width": width,
        "dropout": dropout,
        "highway": highway,
        "max_chars": max_chars,
        "min_count": min_count,
        "language_model": language_model,
        "language_model_words": language_model_words,
    }
    return torch_layer("char_bilstm", SentenceCharacters, init=init, dims={"nO": 2 * units}, attrs=attrs)


def init(model: Model, X: Optional[Lexicon] = None, Y: object = None) -> None:
    """Collect the characters and words of the training documents and build the module."""
    if X is None or shim_of(model).built:
        return
    attrs = model.attrs
    words = most_frequent(X, attrs["language_model_words"]) if attrs["language_model"] else []
    module = shim_of(model).build(
        characters=alphabet(X, attrs["min_count"]),
        width=attrs["width"],
        units=model.get_dim("nO") // 2,
        dropout=attrs["dropout"],
        highway=attrs["highway"],
        max_chars=attrs["max_chars"],
        language_model=attrs["language_model"],
        words=len(words),
    )
    if module.language_model is not None:
        module.language_model.fill(words)


class Layout(NamedTuple):
    """The characters of padded sentences, and where words begin and end.

    ahead, back: i64[B,L], read forwards and backwards; after, before: i64[B*T], the row of a flattened [B,L,...] tensor
    at the space after each word (of ``ahead``) and at that before it (of ``back``).
    """

    ahead: np.ndarray
    back: np.ndarray
    after: np.ndarray
    before: np.ndarray


class SentenceCharacters(nn.Module):
    """Two LSTMs over the same characters, the backward one over each sentence turned around by its length."""

    def __init__(
        self,
        characters: str,
        width: int,
        units: int,
        dropout: float,
        highway: int,
        max_chars: int,
        language_model: float,
        words: int,
    ) -> None:
        super().__init__()
        self.ids = {character: i for i, character in enumerate(characters, END + 1)}
        self.max_chars = max_chars
        self.dropout = dropout
        bound = (3.0 / width) ** 0.5
        self.embedding = nn.Parameter(torch.empty(END + 1 + len(characters), width).uniform_(-bound, bound))
        self.ahead = nn.LSTM(width, units, batch_first=True)
        self.back = nn.LSTM(width, units, batch_first=True)
        for lstm in (self.ahead, self.back):
            initialize_lstm(lstm)
        self.highway = Highway(2 * units, highway)
        self.weight = language_model
        self.language_model = LanguageModel(units, words, highway) if words else None

    def forward(self, batch: TokenBatch) -> torch.Tensor:
        """TokenBatch -> f32[B,T,2*units]."""
        layout = self.lay_out(batch)
        ahead = self._read(self.ahead, layout.ahead, layout.after).view(*batch.shape, -1)
        back = self._read(self.back, layout.back, layout.before).view(*batch.shape, -1)
        if self.training and self.weight and self.language_model is not None:
            loss = self.weight * self.language_model(ahead, back, batch)
            batch.losses["language_model"] = batch.losses.get("language_model", 0.0) + loss
        return self.highway(torch.cat([ahead, back], dim=-1))

    def _read(self, lstm: nn.LSTM, characters: np.ndarray, rows: np.ndarray) -> torch.Tensor:
        """f32[B*T,units]: the states of one direction at the given rows."""
        device = self.embedding.device
        embedded = nn.functional.embedding(to_device(characters, device), self.embedding)
        states = read(lstm, drop(embedded, self.dropout, self.training))
        return states.flatten(0, 1).index_select(0, to_device(rows, device))

    def lay_out(self, batch: TokenBatch) -> Layout:
        """Write a sentence as a space, its words, a space after each, the end in place of the last.

        Characters are looked up once a distinct word form. Prediction rounds the length up, see ``Tokens.batches``.
        """
        flat, sizes = look_up(self.ids, batch.form_strings(), self.max_chars)
        forms, of_token = batch.flat_forms, np.repeat(np.arange(len(batch.lengths)), batch.lengths)
        lengths = sizes[forms]
        ends = np.cumsum(lengths + 1)  # one past the space after each word, in the text of all sentences
        bounds = np.concatenate([[0], ends])[np.concatenate([[0], np.cumsum(batch.lengths)])]
        after = ends - bounds[of_token]  # in its own sentence, which begins with a space at 0
        total = 1 + np.diff(bounds)
        longest = int(total.max(initial=1))
        steps = np.arange(longest if self.training else rounded_up(longest))
        inside = steps[None, :] < total[:, None]
        ahead = np.where(inside, SPACE, PADDING)
        ahead[np.arange(len(total)), total - 1] = END
        source = ranges((np.cumsum(sizes) - sizes)[forms], lengths)
        ahead[np.repeat(of_token, lengths), ranges(after - lengths, lengths)] = flat[source]
        back = np.take_along_axis(ahead, np.where(inside, total[:, None] - 1 - steps, steps), axis=1)
        before = total[of_token] - 1 - (after - lengths - 1)
        rows = np.zeros((2, *batch.shape), dtype="int64")
        rows[:, batch.mask_array] = of_token * len(steps) + np.stack([after, before])
        return Layout(ahead, back, *rows.reshape(2, -1))
