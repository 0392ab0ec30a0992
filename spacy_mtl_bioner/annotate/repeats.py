"""Ids that stood before in the input: they are counted, and made to differ where the output's readers need that.

An id is held against all before it, in the order of the input alone, so that every run finds the same, whatever was
done before and by how many processes. Of each id a number is kept, in 8 bytes (twice that while they are sorted).
"""

from hashlib import blake2b
from typing import Callable, Dict, Optional, Set

import numpy as np

from ..pipeline.tokenizer import HALF_PAIR
from ..types import Document
from .chunks import Chunk, document_of_record
from .formats.base import Columns


class Repeats:
    """Marks a stream's chunks, which must come in order. ``written``: see ``StreamWriter``; None: ids stay."""

    def __init__(self, columns: Columns, written: Optional[Callable[[str], str]] = None) -> None:
        self.columns, self.written = columns, written
        self._seen = Numbers()
        self._last: Dict[int, int] = {}

    def __call__(self, chunk: Chunk) -> Chunk:
        """The chunk with its repeated documents marked; what cannot be read has no id to repeat."""
        documents = (document_of_record(record, self.columns) for record in chunk.records)
        behind = {number: self.behind(d.id) for number, d in enumerate(documents) if isinstance(d, Document)}
        return chunk._replace(repeated={number: said for number, said in behind.items() if said is not None})

    def behind(self, name: str) -> Optional[str]:
        """What is put behind an id, ``~2`` or nothing; None for a new one. Ids come in the order of the input."""
        first = self._key(name)
        if first not in self._seen:
            self._seen.add(first)
            return None
        if self.written is None:
            return ""
        number = self._last.get(first, 1) + 1
        while self._key(f"{name}~{number}") in self._seen:  # the input may have such an id, too
            number += 1
        self._last[first] = number
        self._seen.add(self._key(f"{name}~{number}"))
        return f"~{number}"

    def _key(self, name: str) -> int:
        """A number for an id as it is written."""
        name = HALF_PAIR.sub("\ufffd", name)
        data = (self.written(name) if self.written else name).encode("utf-8")
        return int.from_bytes(blake2b(data, digest_size=8).digest(), "big")


class Numbers:
    """A growing set of numbers below 2^64, of which all but the last ``RECENT`` take 8 bytes each (in a set, 80)."""

    RECENT = 1 << 20

    def __init__(self) -> None:
        self._sorted = np.zeros(0, dtype="uint64")
        self._recent: Set[int] = set()

    def __contains__(self, number: int) -> bool:
        if number in self._recent:
            return True
        at = int(self._sorted.searchsorted(np.uint64(number)))
        return at < len(self._sorted) and int(self._sorted[at]) == number

    def add(self, number: int) -> None:
        """Add a number that is not there."""
        self._recent.add(number)
        if len(self._recent) == self.RECENT:
            recent = np.fromiter(self._recent, "uint64", len(self._recent))
            self._sorted = np.concatenate([self._sorted, recent])
            self._sorted.sort(kind="stable")
            self._recent = set()
