"""Tag schemes: how the spans of a sentence are written as one tag a token, and back, strictly.

IOB1 and IOB2 are compared by Tjong Kim Sang and Veenstra (1999); IOBES marks ends and single tokens too. A scheme is
five letters and everything else follows from them: legality is stated once, for readers, converters and decoders.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Dict, List, Optional, Sequence, Tuple, Union

import numpy as np

from ..errors import E007, MTLError
from ..types import TokenSpan

OUTSIDE = "O"


@dataclass(frozen=True)
class Scheme:
    """A tag scheme. ``begin``, ``inside`` and ``end`` are the prefixes of an entity's first, middle and last token and
    ``single`` that of an entity of one token. ``restart``, where a scheme has it (IOB1), replaces the first prefix
    right after an entity of the same label, and stands nowhere else. ``prefixes`` fixes the order of a head's tags.
    """

    name: str
    prefixes: Tuple[str, ...]
    begin: str
    inside: str
    end: str
    single: str
    restart: Optional[str] = None

    def is_first(self, prefix: str) -> bool:
        """Whether an entity may start with this prefix, whatever stands before."""
        return prefix in (self.begin, self.single)

    def is_last(self, prefix: str) -> bool:
        """Whether an entity may end with this prefix."""
        return prefix in (self.end, self.single, self.restart)

    def continues(self, before: str, prefix: str) -> bool:
        """Whether ``prefix`` after ``before`` of the same label goes on with the same entity."""
        return before in (self.begin, self.inside, self.restart) and prefix in (self.inside, self.end)

    def may_follow(self, before: str, prefix: str, same_label: bool) -> bool:
        """Whether an entity tag with ``prefix`` may follow one with ``before``."""
        follows = self.is_last(before) and (self.is_first(prefix) or (same_label and prefix == self.restart))
        return follows or (same_label and self.continues(before, prefix))


SCHEMES: Dict[str, Scheme] = {
    "IOB1": Scheme("IOB1", ("B", "I"), begin="I", inside="I", end="I", single="I", restart="B"),
    "IOB2": Scheme("IOB2", ("B", "I"), begin="B", inside="I", end="I", single="B"),
    "IOBES": Scheme("IOBES", ("B", "I", "E", "S"), begin="B", inside="I", end="E", single="S"),
}

SchemeLike = Union[str, Scheme]


class UnknownTag(ValueError):
    """``tag``, at position ``index`` of its sentence, means nothing under the scheme; readers turn this into MTL005."""

    def __init__(self, index: int, tag: str, scheme: str) -> None:
        super().__init__(f"tag {tag!r} at position {index} is not of {scheme}")
        self.index, self.tag = index, tag


class SchemeViolation(ValueError):
    """``tag``, at position ``index`` (one past the last: the end itself), cannot follow ``previous`` (``None``: the
    start); readers turn this into MTL006."""

    def __init__(self, index: int, tag: str, previous: Optional[str], scheme: str) -> None:
        super().__init__(f"tag {tag!r} at position {index} cannot follow {previous!r} under {scheme}")
        self.index, self.tag, self.previous = index, tag, previous


def get_scheme(scheme: SchemeLike) -> Scheme:
    """Return a scheme by its name. Raises MTL007 for an unknown name."""
    if isinstance(scheme, Scheme):
        return scheme
    if scheme not in SCHEMES:
        raise MTLError(E007(scheme=scheme, expected=", ".join(SCHEMES)))
    return SCHEMES[scheme]


def tag_names(labels: Sequence[str], scheme: SchemeLike) -> List[str]:
    """Return a head's tags in order: ``O``, then for each label its prefixes in the scheme's order."""
    prefixes = get_scheme(scheme).prefixes
    return [OUTSIDE] + [f"{prefix}-{label}" for label in labels for prefix in prefixes]


@lru_cache(maxsize=4096)
def _split_tag(tag: str, scheme: Scheme) -> Optional[Tuple[str, str]]:
    """Return (prefix, label), ("", "") for ``O``, or None for what the scheme does not know."""
    if tag == OUTSIDE:
        return "", ""
    prefix, dash, label = tag.partition("-")
    return (prefix, label) if dash and label and prefix in scheme.prefixes else None


def split_tag(tag: str, scheme: SchemeLike, index: int = 0) -> Tuple[str, str]:
    """Return (prefix, label); both are empty for ``O``. Raises UnknownTag."""
    scheme = get_scheme(scheme)
    found = _split_tag(tag, scheme)
    if found is None:
        raise UnknownTag(index, tag, scheme.name)
    return found


def spans_to_tags(length: int, spans: Sequence[TokenSpan], scheme: SchemeLike) -> List[str]:
    """Return the tags of a sentence of ``length`` tokens. Raises ValueError for spans that overlap, are empty or
    leave the sentence: a scheme cannot say them."""
    scheme = get_scheme(scheme)
    tags = [OUTSIDE] * length
    last_end, last_label = 0, ""
    for start, end, label in sorted(spans):
        if not last_end <= start < end <= length:
            raise ValueError(f"span {(start, end, label)} overlaps another, is empty or leaves the {length} tokens")
        again = scheme.restart is not None and start > 0 and (start, label) == (last_end, last_label)
        if end - start == 1:
            prefixes = [scheme.single]
        else:
            prefixes = [scheme.begin] + [scheme.inside] * (end - start - 2) + [scheme.end]
        if again:
            prefixes[0] = str(scheme.restart)
        tags[start:end] = [f"{prefix}-{label}" for prefix in prefixes]
        last_end, last_label = end, label
    return tags


def tags_to_spans(tags: Sequence[str], scheme: SchemeLike) -> List[TokenSpan]:
    """Return the spans of a sentence in order. Raises UnknownTag or SchemeViolation: nothing is repaired."""
    scheme = get_scheme(scheme)
    spans: List[TokenSpan] = []
    start, before, open_label = 0, "", ""
    for i, tag in enumerate(tags):
        if tag == OUTSIDE and not before:
            continue
        prefix, label = split_tag(tag, scheme, i)
        if before and prefix and label == open_label and scheme.continues(before, prefix):
            before = prefix
            continue
        if before and prefix:
            legal = scheme.may_follow(before, prefix, label == open_label)
        else:
            legal = scheme.is_last(before) if before else scheme.is_first(prefix)
        if not legal:
            raise SchemeViolation(i, tag, tags[i - 1] if i else None, scheme.name)
        if before:
            spans.append((start, i, open_label))
        start, before, open_label = i, prefix, label
    if before:
        if not scheme.is_last(before):
            raise SchemeViolation(len(tags), "end of sentence", tags[-1], scheme.name)
        spans.append((start, len(tags), open_label))
    return spans


def convert_tags(tags: Sequence[str], source: SchemeLike, target: SchemeLike) -> List[str]:
    """Rewrite the tags of a sentence from one scheme into another. Raises as ``tags_to_spans``."""
    return spans_to_tags(len(tags), tags_to_spans(tags, source), target)


def legal_transitions(labels: Sequence[str], scheme: SchemeLike) -> Tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return what the scheme permits over ``tag_names(labels, scheme)`` (K tags): ``start`` bool[K], ``transitions``
    bool[K, K] (from, to) and ``end`` bool[K]."""
    scheme = get_scheme(scheme)
    prefixes, n_labels = scheme.prefixes, len(labels)
    first = np.array([True] + [scheme.is_first(p) for p in prefixes] * n_labels)
    last = np.array([True] + [scheme.is_last(p) for p in prefixes] * n_labels)
    transitions = last[:, None] & first[None, :]
    same = np.array([[scheme.may_follow(p, q, True) for q in prefixes] for p in prefixes])
    transitions[1:, 1:] |= np.kron(np.eye(n_labels, dtype=bool), same)
    return first, transitions, last
