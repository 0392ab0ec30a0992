"""Splits the words of a corpus further, as a tokenizer does, and carries the tags over to the parts."""

from dataclasses import replace
from itertools import accumulate
from typing import Callable, List, Optional, TypeVar

from ..errors import E113, MTLError
from ..types import Sentence
from .align import AlignedSentence
from .schemes import SchemeLike, spans_to_tags, tags_to_spans

T = TypeVar("T")


def retokenize(
    sentence: Sentence, split: Callable[[str], List[str]], scheme: Optional[SchemeLike] = "IOB2"
) -> Sentence:
    """Return the sentence with each word replaced by its parts ``split(word)``, and tags for them under ``scheme``.

    The text and the characters of each entity stay the same: ``B-X`` becomes ``B-X I-X``, an IOBES ``S-X`` becomes
    ``B-X E-X``. No space stands between the parts of a word. With ``scheme=None`` (tags that are no spans, such as
    parts of speech) each part gets the tag of its word. Raises MTLError: MTL113 where the parts of a word are not the
    word; otherwise as ``tags_to_spans``.
    """
    parts = [_checked(word, split(word), sentence.line) for word in sentence.words]
    firsts = list(accumulate(map(len, parts), initial=0))
    if scheme is None:
        tags = [tag for tag, pieces in zip(sentence.tags, parts) for _ in pieces]
    else:
        spans = [(firsts[start], firsts[end], label) for start, end, label in tags_to_spans(sentence.tags, scheme)]
        tags = spans_to_tags(firsts[-1], spans, scheme)
    words = [piece for pieces in parts for piece in pieces]
    spaces = None if sentence.spaces is None else _behind(sentence.spaces, firsts, False)
    if isinstance(sentence, AlignedSentence):
        return replace(sentence, words=words, tags=tags, spaces=spaces, gaps=_behind(sentence.gaps, firsts, ""))
    return replace(sentence, words=words, tags=tags, spaces=spaces)


def _behind(values: List[T], firsts: List[int], between: T) -> List[T]:
    """Return what follows each part: the word's own value after its last part, else ``between``."""
    spread = [between] * firsts[-1]
    for end, value in zip(firsts[1:], values):
        spread[end - 1] = value
    return spread


def _checked(word: str, parts: List[str], line: int) -> List[str]:
    if "".join(parts) != word or not all(parts):
        raise MTLError(E113(line=line, word=word, parts=parts))
    return parts
