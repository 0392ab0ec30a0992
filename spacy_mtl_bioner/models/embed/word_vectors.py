"""Word vectors from the vocabulary's table, trainable or static."""

from collections import Counter
from typing import Counter as CounterType
from typing import Dict, Iterator, List, NamedTuple, Optional

import numpy as np
import torch
from spacy.strings import get_string_id
from thinc.api import Model
from thinc.util import to_numpy
from torch import nn

from ...errors import E131, E137, MTLError
from ...layers.torch_layer import shim_of, torch_layer
from ...layers.transfer import to_device
from ..batch import TokenBatch
from ..checks import at_least
from ..lexicon import Lexicon
from .lookup import find


def WordVectors(
    trainable: bool = True,
    min_count: Optional[int] = 2,
    width: int = 100,
    digits_to_zero: bool = False,
    all_digits: bool = False,
    lower: bool = False,
    unknown: Optional[str] = None,
    bound: Optional[float] = None,
) -> Model[TokenBatch, torch.Tensor]:
    """TokenBatch -> f32[B,T,D]: a row a word form, looked up exactly, then lower-cased, else the unknown row.

    The table starts from ``vocab.vectors`` (D is its width) and belongs to the model from then on. Training words
    without a vector get a row of their own when they occur ``min_count`` times; new rows start uniform
    in +-``bound``. Without vectors every such word gets one, of ``width`` numbers.

    trainable (bool): Whether training moves the rows that it meets; others stay where they are.
    min_count (Optional[int]): How often a word without a vector must occur; ``null``: none gets a row, and all read the
        unknown one (Crichton et al. 2017). Where the vocabulary has no vectors at all, ``null`` is as 1.
    width (int): D where the vocabulary has no vectors.
    digits_to_zero (bool): Look words up with every digit replaced by 0, where the form itself is unknown.
    all_digits (bool): Replace every digit by 0 in all words and in the names of the vectors, before anything else (Wang
        Xi et al. 2019). Of vectors that come to share a name, the first counts: that of the most frequent word in
        tables that are sorted so.
    lower (bool): Look all words up in lower case; vectors of other names go unused (Wang Xuan et al. 2018).
    unknown (Optional[str]): The word from whose vector, if the vocabulary has one, the unknown row starts: "unk" (Wang
        Xuan et al. 2018) or "UNKNOWN" (Crichton et al. 2017); ``null``: it starts as a new row.
    bound (Optional[float]): How far from 0 the numbers of new rows start; ``null``: sqrt(3/D) (Wang Xi et al. 2019).
    RAISES (MTLError): MTL200 for a setting out of its range; at initialization MTL131 for vectors of another kind,
        MTL137 where there are none and training would move none.
    """
    at_least(1, "WordVectors", width=width, min_count=min_count)
    at_least(0, "WordVectors", bound=bound)
    attrs = {"trainable": trainable, "min_count": min_count, "width": width, "digits_to_zero": digits_to_zero}
    attrs.update(all_digits=all_digits, lower=lower, unknown=unknown, bound=bound)
    return torch_layer("word_vectors", WordTable, init=init, dims={"nO": None}, attrs=attrs)


def init(model: Model, X: Optional[Lexicon] = None, Y: object = None) -> None:
    """Build the table from the vectors and the training words of ``X``."""
    if X is None or shim_of(model).built:
        return
    vectors, attrs = X.vocab.vectors, model.attrs
    if len(vectors) and vectors.mode == "floret":
        raise MTLError(E131(found="a floret table"))
    if not len(vectors) and not attrs["trainable"]:
        raise MTLError(E137())
    shown = Normal(attrs["all_digits"], attrs["lower"])
    rows = _vector_rows(X, shown)
    new = sorted(get_string_id(form) for form in _without_vector(X, shown, rows, attrs["min_count"]))
    keys = np.concatenate([np.fromiter(rows, "uint64", len(rows)), np.asarray(new, dtype="uint64")])
    order = np.argsort(keys)
    width = vectors.shape[1] if len(vectors) else attrs["width"]
    table = shim_of(model).build(
        rows=1 + len(keys),
        width=width,
        trainable=attrs["trainable"],
        digits=attrs["digits_to_zero"],
        all_digits=attrs["all_digits"],
        lower=attrs["lower"],
        bound=attrs["bound"],
    )
    table.fill(keys[order])
    if len(rows):
        sources, where = list(rows.values()), 1 + np.argsort(order)[: len(rows)]
        named = rows.get(get_string_id(shown(attrs["unknown"]))) if attrs["unknown"] else None
        if named is not None:
            sources, where = [named, *sources], np.append(0, where)
        data = torch.from_numpy(np.ascontiguousarray(to_numpy(vectors.data)[sources], "float32"))
        with torch.no_grad():
            table.weight[torch.from_numpy(where)] = data.to(table.weight.device)
    model.set_dim("nO", width, force=True)


def add_words(model: Model, X: Lexicon) -> None:
    """Give the training words of ``X`` that occur often enough, and are not in a table that is built, rows of their
    own there."""
    shim, attrs = shim_of(model), model.attrs
    old, shown = shim.module, Normal(attrs["all_digits"], attrs["lower"])
    keys = old.keys.cpu().numpy().view("uint64")
    new = [get_string_id(f) for f in _without_vector(X, shown, dict.fromkeys(keys.tolist(), 0), attrs["min_count"])]
    if new:
        every = np.concatenate([keys, np.asarray(new, dtype="uint64")])
        order = np.argsort(every)
        table = shim.build(**{**shim.arguments, "rows": 1 + len(every)})
        table.fill(every[order])
        places = torch.from_numpy(1 + np.argsort(order)[: len(keys)]).to(old.weight.device)
        with torch.no_grad():
            table.weight[0] = old.weight[0]
            table.weight[places] = old.weight[1:]


class Normal(NamedTuple):
    """How forms are written before they are looked up."""

    digits: bool
    lower: bool

    def __call__(self, form: str) -> str:
        form = zero_digits(form) if self.digits else form
        return form.lower() if self.lower else form


def _vector_rows(X: Lexicon, shown: Normal) -> Dict[int, int]:
    """{key: row of the vocabulary's vectors}; the keys of normalized forms, where forms are normalized."""
    vectors, strings = X.vocab.vectors, X.vocab.strings
    if not any(shown):
        return dict(vectors.key2row)
    rows: Dict[int, int] = {}
    for key, row in sorted(vectors.key2row.items(), key=lambda item: item[1]):
        form = strings[key]
        if not shown.lower or form == form.lower():
            rows.setdefault(get_string_id(shown(form)), row)
    return rows


def _without_vector(X: Lexicon, shown: Normal, rows: Dict[int, int], min_count: Optional[int]) -> Iterator[str]:
    """The training words that are frequent enough, as they are looked up, and have no vector in any case."""
    if min_count is None and rows:
        return
    counts: CounterType[str] = Counter()
    for form, count in X.forms.items():
        counts[shown(form)] += count
    for form, count in counts.items():
        if count >= (min_count or 1) and get_string_id(form) not in rows and get_string_id(form.lower()) not in rows:
            yield form


class WordTable(nn.Module):
    """A table of ``rows`` vectors; row 0 is the unknown word, row i+1 belongs to the i-th smallest key."""

    capturable = True

    def __init__(
        self,
        rows: int,
        width: int,
        trainable: bool,
        digits: bool,
        all_digits: bool = False,
        lower: bool = False,
        bound: Optional[float] = None,
    ) -> None:
        super().__init__()
        self.digits = digits
        self.all_digits = all_digits
        self.lower = lower
        self.trainable = trainable
        bound = (3.0 / width) ** 0.5 if bound is None else bound
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
        if self.trainable and not self.weight.is_cuda:  # each row once, so that fewer have a gradient
            rows = to_device(self.rows_of(batch), self.weight.device)
            return batch.spread(nn.functional.embedding(rows, self.weight, sparse=True))
        rows = batch.put((id(self), "rows"), self._rows_of_tokens)
        return nn.functional.embedding(rows, self.weight, sparse=self.trainable)

    def _rows_of_tokens(self, batch: TokenBatch) -> np.ndarray:
        """i64[B,T]; at padding, the row of a word of the batch: one that has no word must not move."""
        return self.rows_of(batch)[batch.padded(batch.flat_forms)]

    def rows_of(self, batch: TokenBatch) -> np.ndarray:
        """i64[U]: the row of each distinct form."""
        exact, lower = batch.forms, batch.lower_forms
        if self.all_digits:
            forms = [zero_digits(form) for form in batch.form_strings()]
            exact, lower = _hashes(forms), _hashes([form.lower() for form in forms])
        rows = self._find(lower)
        if not self.lower:
            as_they_are = self._find(exact)
            rows = np.where(as_they_are > 0, as_they_are, rows)
        if self.digits and not rows.all():
            unknown = np.flatnonzero(rows == 0)
            strings = batch.tokens.vocab.strings
            zeroed = [zero_digits(strings[form]) for form in batch.forms[unknown]]
            rows[unknown] = self._find(_hashes([form.lower() for form in zeroed]))
            if not self.lower:
                as_they_are = self._find(_hashes(zeroed))
                rows[unknown] = np.where(as_they_are > 0, as_they_are, rows[unknown])
        return rows

    def _find(self, forms: np.ndarray) -> np.ndarray:
        if self._sorted is None:
            self._sorted = self.keys.cpu().numpy().view("uint64")
        return find(self._sorted, forms)


def _forget_keys(module: WordTable, incompatible: object) -> None:
    module._sorted = None


def _hashes(forms: List[str]) -> np.ndarray:
    return np.asarray([get_string_id(form) for form in forms], dtype="uint64")


def zero_digits(form: str) -> str:
    """The form with every decimal digit replaced by 0; superscripts and the like (``Ca²⁺``) stay."""
    return "".join("0" if character.isdecimal() else character for character in form)
