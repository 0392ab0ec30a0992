"""The tags of a head as numbers: which may follow which, and the entities that a sequence of them says."""

from typing import Dict, List, NamedTuple, Tuple

import numpy as np

from ...corpora.schemes import get_scheme, legal_transitions
from ...errors import E132, MTLError
from ...types import CorpusSpec, TokenSpan


class SpanArrays(NamedTuple):
    """Entities of a padded batch: i64[n] each; ``ends`` are one past the last token, ``labels`` index the spec's."""

    rows: np.ndarray
    starts: np.ndarray
    ends: np.ndarray
    labels: np.ndarray


class TagSet:
    """Tags of one corpus. Of kind ``spans``: O is 0, then each label's prefixes in the scheme's order.
    Of kind ``tags``: the labels themselves, and any may follow any.

    Raises MTL132 for a scheme that a head cannot decode.
    """

    def __init__(self, spec: CorpusSpec, scheme: str) -> None:
        self.spec = spec
        self.scheme = get_scheme(scheme)
        if self.scheme.restart is not None:
            raise MTLError(E132(scheme=scheme))
        self.prefixes = self.scheme.prefixes if spec.kind == "spans" else ("",)
        self._ids = self._tag_ids()
        self._continues = np.array([[self.scheme.continues(p, q) for q in self.prefixes] for p in self.prefixes])
        self.size = len(spec.labels) * len(self.prefixes) + (spec.kind == "spans")

    def legal(self) -> Tuple[np.ndarray, np.ndarray, np.ndarray]:
        """bool[K] where a sentence may start, bool[K,K] (from, to), bool[K] where it may end."""
        if self.spec.kind == "tags":
            free = np.ones(self.size, dtype=bool)
            return free, np.ones((self.size, self.size), dtype=bool), free
        return legal_transitions(self.spec.labels, self.scheme)

    def encode(self, length: int, spans: List[TokenSpan]) -> np.ndarray:
        """Non-overlapping spans of ``length`` tokens -> tag ids i64[length]. Of kind ``tags``: a span a token."""
        tags = np.zeros(length, dtype="int64")
        for first, past, label in spans:
            begin, inside, end, single = self._ids[label]
            if past - first == 1:
                tags[first] = single
            else:
                tags[first + 1 : past - 1] = inside
                tags[first], tags[past - 1] = begin, end
        return tags

    def spans(self, tags: np.ndarray, mask: np.ndarray) -> SpanArrays:
        """Tag ids i64[B,T] and bool[B,T] -> their entities, sentence by sentence and from left to right.

        Sequences that the scheme forbids are read as conlleval reads them: an entity goes on where a tag of the same
        label may continue it, and what nothing continues is an entity of its own.
        """
        label, prefix = np.divmod(tags - 1, len(self.prefixes))
        inside = (tags > 0) & mask
        goes_on = np.zeros_like(inside)
        goes_on[:, :-1] = inside[:, :-1] & inside[:, 1:] & (label[:, :-1] == label[:, 1:])
        goes_on[:, :-1] &= self._continues[prefix[:, :-1], prefix[:, 1:]]
        is_first = inside.copy()
        is_first[:, 1:] &= ~goes_on[:, :-1]
        rows, starts = np.nonzero(is_first)
        ends = np.nonzero(inside & ~goes_on)[1] + 1
        return SpanArrays(rows, starts, ends, label[rows, starts])

    def among(self, other: "TagSet") -> np.ndarray:
        """i64[K], the ids that these tags have in a set of the same kind and scheme with more labels."""
        step, outside = len(self.prefixes), int(self.spec.kind == "spans")
        labels = np.asarray([other.spec.labels.index(label) for label in self.spec.labels], dtype="int64")
        tags = outside + (step * labels[:, None] + np.arange(step)).reshape(-1)
        return np.concatenate([np.zeros(outside, dtype="int64"), tags])

    def continuation(self, labels: np.ndarray) -> np.ndarray:
        """For each label index the tag that would lengthen an entity past its last token; -1 where the last token's
        own tag says that it is the last."""
        if self.scheme.end != self.scheme.inside:
            return np.full(len(labels), -1, dtype="int64")
        return 1 + labels * len(self.prefixes) + self.prefixes.index(self.scheme.inside)

    def _tag_ids(self) -> Dict[str, Tuple[int, int, int, int]]:
        """The ids of begin, inside, end and single of each label."""
        if self.spec.kind == "tags":
            return {label: (i, i, i, i) for i, label in enumerate(self.spec.labels)}
        scheme, step = self.scheme, len(self.prefixes)
        first = [1 + self.prefixes.index(p) for p in (scheme.begin, scheme.inside, scheme.end, scheme.single)]
        return {label: tuple(i * step + at for at in first) for i, label in enumerate(self.spec.labels)}
