"""Splits the words of a corpus further, as a tokenizer does, and carries the tags over to the parts."""

import re
from dataclasses import replace
from itertools import accumulate
from pathlib import Path
from typing import Callable, List, Optional, Sequence, Tuple

from ..errors import E113, MTLError
from ..types import Sentence
from .align import AlignedSentence
from .schemes import SchemeLike, spans_to_tags, tags_to_spans

_STRETCH = re.compile(r"(\S+)(\s*)")
Part = Tuple[str, str]
"""A part of a word and the white space of the word behind it."""


def retokenize(
    sentence: Sentence,
    split: Callable[[str], Sequence[str]],
    scheme: Optional[SchemeLike] = "IOB2",
    path: Optional[Path] = None,
) -> Sentence:
    """Return the sentence with each word replaced by its parts ``split(word)``, and tags for them under ``scheme``.

    The text and the characters of each entity stay the same: ``B-X`` becomes ``B-X I-X``, an IOBES ``S-X`` becomes
    ``B-X E-X``. A word is cut at its white space (NBSP) first, which goes between its parts, or is lost before the
    first; otherwise no space stands there. With ``scheme=None`` (tags that are no spans, such as parts of speech) each
    part gets the tag of its word. Raises MTLError: MTL113 where the parts of a word are not the word (``path``, the
    sentence's file, is named there); otherwise as ``tags_to_spans``.
    """
    place = f"{sentence.line} of {path}" if path else str(sentence.line)
    parts = [parts_of(word, split, place) for word in sentence.words]
    firsts = list(accumulate(map(len, parts), initial=0))
    if scheme is None:
        tags = [tag for tag, pieces in zip(sentence.tags, parts) for _ in pieces]
    else:
        spans = [(firsts[start], firsts[end], label) for start, end, label in tags_to_spans(sentence.tags, scheme)]
        tags = spans_to_tags(firsts[-1], spans, scheme)
    words = [piece for pieces in parts for piece, _ in pieces]
    gaps = [gap for pieces in parts for _, gap in pieces]
    spaces = None if sentence.spaces is None else [bool(gap) for gap in gaps]
    for i, end in enumerate(firsts[1:]):
        if spaces is not None:
            spaces[end - 1] = spaces[end - 1] or sentence.spaces[i]
        if isinstance(sentence, AlignedSentence):
            gaps[end - 1] += sentence.gaps[i]
    if isinstance(sentence, AlignedSentence):
        return replace(sentence, words=words, tags=tags, spaces=spaces, gaps=gaps)
    return replace(sentence, words=words, tags=tags, spaces=spaces)


def parts_of(word: str, split: Callable[[str], Sequence[str]], place: str) -> List[Part]:
    """Return the parts ``split`` makes of a word's stretches between white space; that at its head goes. Raises MTL113,
    which names the ``place`` (a line), where the parts of a stretch are not the stretch."""
    if word.isspace():
        return [(word, "")]
    pieces: List[Part] = []
    for stretch, gap in _STRETCH.findall(word):
        found = list(split(stretch))
        if "".join(found) != stretch or not all(found):
            raise MTLError(E113(line=place, word=word, parts=found))
        pieces += zip(found, [""] * (len(found) - 1) + [gap])
    return pieces
