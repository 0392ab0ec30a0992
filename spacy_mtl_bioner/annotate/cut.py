"""Long texts in pieces: cut where a paragraph, else a sentence, else a word ends, so that no entity is cut."""

import re
from typing import Iterator, List, Sequence, Tuple

from ..types import Passage

_PARAGRAPH = re.compile(r"\n\s*\n\s*|\n\s+(?=\S)")
_LINE = re.compile(r"\n+")
_SENTENCE = re.compile(r"[.?!][)\]\"'\u2019\u201d]*\s+")
_SPACE = re.compile(r"\s+")
_BORDERS = (_PARAGRAPH, _LINE, _SENTENCE, _SPACE)
_WINDOW = 1 << 16
"""How far back from the limit a better border is looked for."""


def pieces(text: str, limit: int) -> Iterator[Tuple[int, str]]:
    """Yield offset and text of consecutive pieces of at most ``limit`` characters, which together are ``text``.

    A text within the limit is one piece. Time is linear: each border is looked for in a window before the limit.
    """
    start = 0
    while len(text) - start > limit:
        end = _border(text, start, start + limit)
        yield start, text[start:end]
        start = end
    yield start, text[start:]


def _border(text: str, start: int, limit: int) -> int:
    """The last border in the window before ``limit``, of the best kind that there is; ``limit`` where there is none."""
    window = max(start + 1, limit - _WINDOW)
    for border in _BORDERS:
        ends = [found.end() for found in border.finditer(text, window, limit)]
        if ends:
            return ends[-1]
    return limit


def covered(passages: Sequence[Passage], start: int, end: int) -> List[int]:
    """The passages' starts that fall inside a piece, as offsets of that piece, but for its own start."""
    return [passage.start - start for passage in passages if start < passage.start < end]
