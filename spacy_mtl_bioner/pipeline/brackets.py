"""The component ``mtl_brackets``: no entity has half of a pair of brackets.

A bracket that opens at an entity's end, or closes at its start, belongs to what is beside it, and goes: ``cancer (``
to ``cancer``. An entity with an unmatched bracket inside grows until the bracket has its partner, where that is near
and no other entity of the same corpus stands between: ``N-(4-hydroxyphenyl`` to ``N-(4-hydroxyphenyl)``. Else it
shrinks to its longest part without the bracket; nothing is left of an entity that has no more than brackets.
"""

import re
from bisect import bisect_right
from typing import List, Optional, Tuple

from spacy.language import Language
from spacy.tokens import Doc, Token

from ..errors import E105, MTLError
from .groups import Groups
from .merging import Candidate, MergePolicy
from .revision import ASSIGNS, Reviser, merge_of

_CLOSES = {")": "(", "]": "[", "}": "{"}
_OPENS = frozenset(_CLOSES.values())
_SEPARATORS = frozenset(",;:.-/\u2013")
_BRACKET = re.compile(r"[()\[\]{}]")


def unmatched(text: str) -> List[int]:
    """Return where in ``text`` brackets stand that have no partner, in order."""
    waiting: List[int] = []
    alone: List[int] = []
    for found in _BRACKET.finditer(text):
        if found[0] not in _CLOSES:
            waiting.append(found.start())
        elif waiting and text[waiting[-1]] == _CLOSES[found[0]]:
            waiting.pop()
        else:
            alone.append(found.start())
    return sorted(alone + waiting)


def mend(doc: Doc, start: int, end: int, low: int, high: int) -> Optional[Tuple[int, int]]:
    """Return the tokens of an entity mended: without brackets at its edges that point outwards, grown to tokens from
    ``low`` to ``high`` (exclusive) at most, else shrunk; ``None`` if nothing is left. What has no unmatched bracket is
    returned as it is."""
    inner = _inner(doc, start, end)
    while inner != (start, end):
        start, end = inner
        if start >= end:
            return None
        inner = _inner(doc, start, end)
    text, offset = _text(doc, start, end), doc[start].idx
    alone = unmatched(text)
    if not alone:
        return start, end
    opening = [text[at] not in _CLOSES for at in alone]
    if all(opening):
        grown = [(start, i) for i in range(end + 1, high + 1)]
    else:
        grown = [] if any(opening) else [(i, end) for i in range(start - 1, low - 1, -1)]
    for tokens in grown:
        if not unmatched(_text(doc, *tokens)):
            return tokens
    places = [doc[i].idx for i in range(start, end)]
    bad = sorted({start + bisect_right(places, offset + at) - 1 for at in alone})
    borders = [start - 1, *bad, end]
    pieces = [_trimmed(doc, first + 1, last, start, end) for first, last in zip(borders, borders[1:])]
    first, last = max(pieces, key=lambda piece: piece[1] - piece[0])
    return mend(doc, first, last, first, last) if first < last else None


def _inner(doc: Doc, start: int, end: int) -> Tuple[int, int]:
    """The tokens without brackets that close at the start or open at the end, and what separated them."""
    first, last = start, end
    while first < last and doc[first].text in _CLOSES:
        first += 1
    while first < last and doc[last - 1].text in _OPENS:
        last -= 1
    return _trimmed(doc, first, last, start, end)


def _trimmed(doc: Doc, first: int, last: int, start: int, end: int) -> Tuple[int, int]:
    """A piece without separators and white space where it was cut off: ``, 4-dicarboxylate`` behind a bracket."""
    while start < first < last and _separates(doc[first]):
        first += 1
    while first < last < end and _separates(doc[last - 1]):
        last -= 1
    return first, last


def _separates(token: Token) -> bool:
    return token.is_space or token.text in _SEPARATORS


def _text(doc: Doc, start: int, end: int) -> str:
    return doc[start:end].text


class BracketMender(Reviser):
    """Mends entities with unmatched brackets. ``grow``: how many tokens an entity may grow; with 0 it only shrinks."""

    def __init__(self, name: str = "mtl_brackets", *, merge: MergePolicy, grow: int = 5) -> None:
        if grow < 0:
            raise MTLError(E105(policy=name, setting="grow", found=grow, expected="0 or more tokens"))
        super().__init__(name, merge)
        self.grow = grow

    def revise(self, doc: Doc, found: Groups) -> Groups:
        """Return the entities mended, with the scores and labels that they had."""
        return {corpus: self._mended(doc, entities) for corpus, entities in found.items()}

    def _mended(self, doc: Doc, entities: List[Candidate]) -> List[Candidate]:
        mended: List[Candidate] = []
        for i, entity in enumerate(entities):
            low = max(entity.start - self.grow, mended[-1].end if mended else 0)
            high = min(entity.end + self.grow, entities[i + 1].start if i + 1 < len(entities) else len(doc))
            tokens = mend(doc, entity.start, entity.end, low, high)
            if tokens is not None:
                mended.append(entity._replace(start=tokens[0], end=tokens[1]))
        return mended


@Language.factory(
    "mtl_brackets", assigns=ASSIGNS, requires=["doc.spans"], default_config={"grow": 5, "merge": None}
)
def make_brackets(nlp: Language, name: str, grow: int, merge: Optional[MergePolicy]) -> BracketMender:
    """Return the factory's component. ``grow``: see BracketMender; ``merge``: null for that of ``mtl_ner``."""
    return BracketMender(name, merge=merge_of(nlp, name, merge), grow=grow)
