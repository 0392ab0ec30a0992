"""Which unit do a file's offsets count in? They are trusted, and checked against what the mentions say.

Tools disagree: code points (Python, and this package), bytes of UTF-8 (C, some BioC files) or units of UTF-16
(Java, JavaScript). They differ from the first character outside ASCII on.
"""

from bisect import bisect_right
from dataclasses import replace
from itertools import chain, zip_longest
from typing import Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from ..types import Mention

CODE_POINTS = "code points"
_ENCODINGS: Dict[str, Tuple[str, int]] = {"bytes of UTF-8": ("utf-8", 1), "units of UTF-16": ("utf-16-le", 2)}
FLAT = str.maketrans("\t\n\r", "   ")
"""For ``str.translate``: tabs and line ends to spaces, one for one, so that offsets hold."""


class Block(NamedTuple):
    """A stretch of a document's text: where it starts by the file's own count, and where in the text."""

    offset: int
    start: int
    text: str


def agrees(mention: Mention, text: str) -> bool:
    """Whether ``mention`` says what stands in its span; line ends and tabs count as the spaces files make of them."""
    said, start, end = mention.text, mention.start, min(mention.end, len(text))
    if not said or len(said) != end - start:  # so that no span costs more than what is said of it
        return not said
    return said.translate(FLAT) == text[start:end].translate(FLAT)


def contradicts(mention: Mention, text: str) -> bool:
    """Whether ``mention`` says another text than its span has, white space and case aside, as a wrong offset makes it
    do."""
    said, span = _letters(mention.text, 0, len(mention.text)), _letters(text, mention.start, mention.end)
    return bool(mention.text.strip()) and any(one != other for one, other in zip_longest(said, span))


def _letters(text: str, start: int, end: int) -> Iterator[str]:
    """The characters from ``start`` to ``end`` without white space and case, each made when it is asked for."""
    return chain.from_iterable(text[at].casefold() for at in range(start, end) if not text[at].isspace())


class Settled(NamedTuple):
    """A reading of a file's offsets: the unit they count in, the mentions in code points, how many of them say what
    stands in their span."""

    unit: str
    mentions: List[Mention]
    agreeing: int


def settle(text: str, mentions: Sequence[Mention], blocks: Sequence[Block]) -> Settled:
    """Turn a file's offsets into code points of ``text``.

    ``blocks`` are sorted by ``offset``. The unit is code points, unless in another one more mentions say what stands in
    their spans, and most of them do. Nothing is checked against the ends of the text.
    """
    plain = _reading(CODE_POINTS, text, _read(mentions, blocks, [None] * len(blocks)))
    if text.isascii() or plain.agreeing == len(mentions):
        return plain
    readings = [plain]
    for unit, encoding in _ENCODINGS.items():
        tables = [_positions(block.text, *encoding) for block in blocks]
        readings.append(_reading(unit, text, _read(mentions, blocks, tables)))
    best = max(readings, key=lambda reading: reading.agreeing)
    return best if 2 * best.agreeing > len(mentions) else plain


def _reading(unit: str, text: str, mentions: List[Mention]) -> Settled:
    known = (mention for mention in mentions if mention.start >= 0 and mention.end >= 0)
    return Settled(unit, mentions, sum(agrees(mention, text) for mention in known))


def _positions(text: str, encoding: str, width: int) -> Dict[int, int]:
    """Offset of each character (and of the end) in an encoding -> its index."""
    positions, offset = {}, 0
    for index, char in enumerate(text):
        positions[offset] = index
        offset += len(char.encode(encoding)) // width
    positions[offset] = len(text)
    return positions


def _read(
    mentions: Sequence[Mention], blocks: Sequence[Block], tables: Sequence[Optional[Dict[int, int]]]
) -> List[Mention]:
    """Each mention within the block that its start falls into; -1 for an offset that ``tables`` do not know."""
    starts = [block.offset for block in blocks]
    found = []
    for mention in mentions:
        at = max(0, bisect_right(starts, mention.start) - 1)
        block, table = blocks[at], tables[at]
        start, end = mention.start - block.offset, mention.end - block.offset
        if table is not None:
            start, end = table.get(start, -1 - block.start), table.get(end, -1 - block.start)
        found.append(replace(mention, start=block.start + start, end=block.start + end))
    return found
