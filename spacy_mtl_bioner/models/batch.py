"""Documents as arrays: the flat tokens of a call, and padded batches of their sentences."""

from functools import cached_property
from operator import attrgetter
from typing import Any, Callable, Dict, Hashable, Iterator, List, Optional, Sequence

import numpy as np
import torch
from spacy.attrs import IS_SPACE, LOWER, ORTH, SENT_START
from spacy.tokens import Doc
from spacy.vocab import Vocab

from ..layers.transfer import to_device
from .marks import Marks


class Tokens:
    """The tokens of some documents one after the other, and where documents and sentences start.

    White space is no token here: corpora do not have it, so that the model never sees it, and an entity may span it.

    orth, lower: u64[N], hashes of the forms; at: i64[N], where each token is among all of the documents' tokens;
    starts, lengths: i64[S] of the sentences; docs_of: i64[S], the document of each sentence; sentence_of: i64[N],
    ascending, the same number for the tokens of one sentence.
    A document without sentence boundaries is one sentence; one without words has none.
    upstream: f32[N,W] vectors of an upstream component, or None.
    docs: the documents, whose annotation a part may read.
    """

    def __init__(self, docs: Sequence[Doc]) -> None:
        arrays = [doc.to_array([ORTH, LOWER, SENT_START, IS_SPACE]) for doc in docs if len(doc)]
        flat = np.concatenate(arrays) if arrays else np.zeros((0, 4), dtype="uint64")
        sizes = np.fromiter((len(doc) for doc in docs), dtype="int64", count=len(docs))
        self.docs = docs
        self._made: Dict[Hashable, Any] = {}
        self.vocab: Optional[Vocab] = docs[0].vocab if len(docs) else None
        self.doc_starts = np.concatenate([[0], np.cumsum(sizes)])
        is_start = flat[:, 2] == 1
        is_start[self.doc_starts[:-1][sizes > 0]] = True
        self.at = np.flatnonzero(flat[:, 3] == 0)
        self.orth, self.lower = flat[self.at, 0], flat[self.at, 1]
        self.sentence_of = np.cumsum(is_start)[self.at]
        self._find_sentences()
        self.upstream: Optional[torch.Tensor] = None

    def __len__(self) -> int:
        return len(self.at)

    def join(self, inside: np.ndarray) -> None:
        """Let no sentence start where ``inside``, bool over all tokens of the documents, is true."""
        starts = np.diff(self.sentence_of, prepend=0) > 0
        self.sentence_of = np.cumsum(starts & ~inside[self.at])
        self._made.clear()
        self._find_sentences()

    def once(self, key: Hashable, make: Callable[["Tokens"], Any]) -> Any:
        """What ``make`` says of these tokens, computed for the first of their batches alone."""
        if key not in self._made:
            self._made[key] = make(self)
        return self._made[key]

    def _find_sentences(self) -> None:
        self.starts = np.flatnonzero(np.diff(self.sentence_of, prepend=0))
        self.lengths = np.diff(self.starts, append=len(self.at))
        self.docs_of = np.searchsorted(self.doc_starts, self.at[self.starts], side="right") - 1

    def batches(self, budget: int, device: torch.device) -> Iterator["TokenBatch"]:
        """All sentences, longest together, in batches of at most ``budget`` tokens with their padding (or one
        sentence).

        A batch also ends where its padding would exceed a 64th of the budget: what is padded is computed, and a small
        batch costs little more a token than a large one. Shapes are few (sizes are powers of two, lengths are rounded
        up), because oneDNN keeps a program of some hundred kilobytes for every shape of an LSTM that it has seen.
        """
        order = np.argsort(-self.lengths, kind="stable")
        lengths = self.lengths[order]
        first = 0
        while first < len(order):
            steps = rounded_up(int(lengths[first]))
            ahead = lengths[first : first + max(1, budget // steps)]
            padding = np.cumsum(lengths[first] - ahead)
            size = int(np.searchsorted(padding, budget // 64, side="right"))
            size = 1 << (size.bit_length() - 1)
            yield TokenBatch(self, order[first : first + size], device, steps)
            first += size


def rounded_up(length: int, digits: int = 4) -> int:
    """An even length of at least ``length`` with at most so many binary digits that count: 25 -> 26, 70 -> 72; with 3
    digits, 25 -> 28, 70 -> 80."""
    unit = max(2, (1 << length.bit_length()) >> digits)
    return -(-length // unit) * unit


class TokenBatch:
    """B sentences of at most T tokens, padded at the end; the input of every embedding part.

    sentences: i64[B], indices into ``tokens.starts``; lengths: i64[B] (NumPy and, as ``length_tensor``, torch).
    gold: i64 of all flat tokens, the tags to learn, or None. losses: named auxiliary losses, scalars (means over the
    sentences), which any part may add in training.
    marks: what stands around the sentences, where the sharing part has put marks.
    placed: the arrays that are on the device, by their names; makers: what made each of them, see ``graphs``.
    """

    def __init__(
        self,
        tokens: Tokens,
        sentences: np.ndarray,
        device: torch.device,
        steps: Optional[int] = None,
        gold: Optional[np.ndarray] = None,
    ) -> None:
        self.tokens = tokens
        self.gold = gold
        self.sentences = sentences
        self.device = device
        self.starts = tokens.starts[sentences]
        self.lengths = tokens.lengths[sentences]
        positions = np.arange(steps or int(self.lengths.max(initial=0)))
        self.mask_array = positions[None, :] < self.lengths[:, None]
        self.flat = (self.starts[:, None] + positions[None, :])[self.mask_array]
        self.shape = self.mask_array.shape
        self._begin()

    def _begin(self) -> None:
        self.losses: Dict[str, torch.Tensor] = {}
        self.marks: Optional[Marks] = None
        self.placed: Dict[Hashable, torch.Tensor] = {}
        self.makers: Dict[Hashable, Maker] = {}

    def put(self, name: Hashable, make: "Maker") -> torch.Tensor:
        """What ``make`` says of this batch, on its device, computed once. ``make`` depends on the batch and on what
        training does not change."""
        if name not in self.placed:
            self.makers[name] = make
            self.placed[name] = to_device(make(self), self.device)
        return self.placed[name]

    @property
    def length_tensor(self) -> torch.Tensor:
        """i64[B] on the batch's device."""
        return self.put("lengths", attrgetter("lengths"))

    @property
    def mask(self) -> torch.Tensor:
        """bool[B,T], true where there is a token."""
        return self.put("mask", attrgetter("mask_array"))

    @property
    def gold_tags(self) -> torch.Tensor:
        """i64[B,T], the tags to learn (0 at padding)."""
        return self.put("gold", lambda batch: batch.padded(batch.gold[batch.flat]))

    @cached_property
    def _distinct(self):
        return np.unique(self.tokens.orth[self.flat], return_index=True, return_inverse=True)

    @property
    def forms(self) -> np.ndarray:
        """u64[U], hashes of the distinct word forms: characters and rows are looked up once a form."""
        return self._distinct[0]

    @cached_property
    def lower_forms(self) -> np.ndarray:
        """u64[U], hashes of the lower-cased forms."""
        return self.tokens.lower[self.flat[self._distinct[1]]]

    def form_strings(self) -> List[str]:
        """The distinct word forms as text."""
        strings = self.tokens.vocab.strings
        return [strings[form] for form in self.forms.tolist()]

    @property
    def flat_forms(self) -> np.ndarray:
        """i64[N], the form of each token, without padding."""
        return self._distinct[2]

    @property
    def form_of(self) -> torch.Tensor:
        """i64[B,T], the form of each token (0 at padding)."""
        return self.put("form_of", lambda batch: batch.padded(batch.flat_forms))

    def spread(self, vectors: torch.Tensor) -> torch.Tensor:
        """f32[U,D], a vector a form -> f32[B,T,D]."""
        return torch.nn.functional.embedding(self.form_of, vectors)

    @property
    def positions(self) -> torch.Tensor:
        """i64[B,T], where each token is in the flat tokens (0 at padding)."""
        return self.put("positions", lambda batch: batch.padded(batch.flat))

    @property
    def places(self) -> torch.Tensor:
        """i64[B,T], where each token is among those of the batch without padding (0 at padding)."""
        return self.put("places", lambda batch: batch.padded(np.arange(len(batch.flat))))

    @property
    def reversal(self) -> torch.Tensor:
        """i64[B*T], rows of a flattened [B,T,...] tensor that turn each sentence (not its padding) around."""
        return self.put("reversal", _reversed_rows)

    def padded(self, values: np.ndarray) -> np.ndarray:
        """Values of the batch's tokens -> [B,T] (0 at padding)."""
        padded = np.zeros(self.shape, dtype=values.dtype)
        padded[self.mask_array] = values
        return padded


Maker = Callable[[TokenBatch], np.ndarray]
"""An array that a batch determines."""


def _reversed_rows(batch: TokenBatch) -> np.ndarray:
    steps = np.arange(batch.shape[1])[None, :]
    ends = batch.lengths[:, None]
    reversed_steps = np.where(steps < ends, ends - 1 - steps, steps)
    return (np.arange(batch.shape[0])[:, None] * batch.shape[1] + reversed_steps).reshape(-1)
