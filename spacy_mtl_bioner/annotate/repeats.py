"""Ids that stood before in the input: they are counted, and made to differ where the output's readers need that.

An id is held against all before it, in the order of the input alone, so that every run finds the same, whatever was
done before and by how many processes. Of each id a number is kept, some 80 bytes in all.
"""

import re
from hashlib import blake2b
from typing import Callable, Dict, Optional, Set

from ..types import Document
from .chunks import Chunk, resolve
from .formats.base import Columns

_HALF_PAIR = re.compile("[\ud800-\udfff]")


class Repeats:
    """Marks a stream's chunks, which must come in order. ``written``: see ``StreamWriter``; None: ids stay."""

    def __init__(self, columns: Columns, written: Optional[Callable[[str], str]] = None) -> None:
        self.columns, self.written = columns, written
        self._seen: Set[int] = set()
        self._last: Dict[int, int] = {}

    def __call__(self, chunk: Chunk) -> Chunk:
        """The chunk with its repeated documents marked; what cannot be read has no id to repeat."""
        documents = (resolve(record, self.columns) for record in chunk.records)
        behind = {number: self._behind(d.id) for number, d in enumerate(documents) if isinstance(d, Document)}
        return chunk._replace(repeated={number: said for number, said in behind.items() if said is not None})

    def _behind(self, name: str) -> Optional[str]:
        """What is put behind an id, ``~2`` or nothing; None for a new one."""
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
        name = _HALF_PAIR.sub("\ufffd", name)
        data = (self.written(name) if self.written else name).encode("utf-8")
        return int.from_bytes(blake2b(data, digest_size=8).digest(), "big")
