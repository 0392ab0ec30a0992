"""Word vectors from the vocabulary's table, trainable or static."""

from typing import Optional

import numpy as np
import torch
from spacy.strings import get_string_id
from thinc.api import Model
from thinc.util import to_numpy
from torch import nn

from ...errors import E131, MTLError
from ...layers.torch_layer import shim_of, torch_layer
from ..batch import TokenBatch
from ..lexicon import Lexicon


def WordVectors(
    trainable: bool = True, min_count: int = 2, width: int = 100, digits_to_zero: bool = False
) -> Model[TokenBatch, torch.Tensor]:
    """TokenBatch -> f32[B,T,D]: a row a word form, looked up exactly, then lower-cased, else the unknown row.

    The table starts from ``vocab.vectors`` (D is its width) and belongs to the model from then on. Training words
    without a vector get a row of their own when they occur ``min_count`` times; new rows start uniform
    in +-sqrt(3/D) (Wang Xi et al. 2019). Without vectors every such word gets one, of ``width`` numbers.

    trainable (bool): Whether training moves the rows that it meets; others stay where they are.
    min_count (int): How often a word without a vector must occur.
    width (int): D where the vocabulary has no vectors.
    digits_to_zero (bool): Look words up with every digit replaced by 0, where the form itself is unknown.
    """
    attrs = {"trainable": trainable, "min_count": min_count, "width": width, "digits_to_zero": digits_to_zero}
    return torch_layer("word_vectors", WordTable, init=init, dims={"nO": None}, attrs=attrs)


def init(model: Model, X: Optional[Lexicon] = None, Y: object = None) -> None:
    """Build the table from the vectors and the training words of ``X``."""
    if X is None or shim_of(model).built:
        return
    vectors = X.vocab.vectors
    width = vectors.shape[1] if len(vectors) else model.attrs["width"]
    if len(vectors) and vectors.mode == "floret":
        raise MTLError(E131(found="a floret table"))
    known = np.fromiter(vectors.key2row, dtype="uint64", count=len(vectors.key2row))
    known_rows = np.fromiter(vectors.key2row.values(), dtype="int64", count=len(known))
    seen = set(known.tolist())
    new = sorted(
        get_string_id(form)
        for form, count in X.forms.items()
        if count >= model.attrs["min_count"]
        and get_string_id(form) not in seen
        and get_string_id(form.lower()) not in seen
    )
    keys = np.concatenate([known, np.asarray(new, dtype="uint64")])
    order = np.argsort(keys)
    table = shim_of(model).build(
        rows=1 + len(keys), width=width, trainable=model.attrs["trainable"], digits=model.attrs["digits_to_zero"]
    )
    table.fill(keys[order])
    if len(known):
        data = to_numpy(vectors.data)[known_rows]
        rows = 1 + np.argsort(order)[: len(known)]
        with torch.no_grad():
            table.weight[torch.from_numpy(rows)] = torch.from_numpy(np.ascontiguousarray(data, dtype="float32"))
    model.set_dim("nO", width, force=True)


class WordTable(nn.Module):
    """A table of ``rows`` vectors; row 0 is the unknown word, row i+1 belongs to the i-th smallest key."""

    def __init__(self, rows: int, width: int, trainable: bool, digits: bool) -> None:
        super().__init__()
        self.digits = digits
        self.trainable = trainable
        bound = (3.0 / width) ** 0.5
        self.weight = nn.Parameter(torch.empty(rows, width).uniform_(-bound, bound), requires_grad=trainable)
        self.register_buffer("keys", torch.zeros(rows - 1, dtype=torch.int64))
        self._sorted: Optional[np.ndarray] = None
        self.register_load_state_dict_post_hook(_forget_keys)

    def fill(self, keys: np.ndarray) -> None:
        """Set the keys, u64[rows-1], ascending."""
        self.keys.copy_(torch.from_numpy(keys.view("int64")))
        self._sorted = None

    def forward(self, batch: TokenBatch) -> torch.Tensor:
        """TokenBatch -> f32[B,T,D]."""
        rows = torch.from_numpy(self.rows_of(batch)).to(self.weight.device)
        vectors = nn.functional.embedding(rows, self.weight, sparse=self.trainable)
        return batch.spread(vectors)

    def rows_of(self, batch: TokenBatch) -> np.ndarray:
        """i64[U]: the row of each distinct form."""
        rows = self._find(batch.forms)
        rows = np.where(rows > 0, rows, self._find(batch.lower_forms))
        if self.digits and not rows.all():
            unknown = np.flatnonzero(rows == 0)
            strings = batch.tokens.vocab.strings
            zeroed = [_zero_digits(strings[form]) for form in batch.forms[unknown].tolist()]
            rows[unknown] = self._find(np.asarray([get_string_id(form) for form in zeroed], dtype="uint64"))
        return rows

    def _find(self, forms: np.ndarray) -> np.ndarray:
        if self._sorted is None:
            self._sorted = self.keys.cpu().numpy().view("uint64")
        if not len(self._sorted):
            return np.zeros(len(forms), dtype="int64")
        at = np.minimum(np.searchsorted(self._sorted, forms), len(self._sorted) - 1)
        return np.where(self._sorted[at] == forms, at + 1, 0)


def _forget_keys(module: WordTable, incompatible: object) -> None:
    module._sorted = None


def _zero_digits(form: str) -> str:
    return "".join("0" if character.isdigit() else character for character in form.lower())
