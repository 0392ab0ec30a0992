"""Finds where a document defines an abbreviation: ``adenomatous polyposis coli (APC)``.

Schwartz and Hearst 2003, "A simple algorithm for identifying abbreviation definitions in biomedical text": the short
form stands in brackets behind the long form, or before a long form in brackets; its letters and digits stand in the
long form in their order, the first of them at the start of a word. It works on the text, whatever the tokens.
"""

import re
from typing import Callable, Iterator, List, NamedTuple, Optional, Tuple

from spacy.tokens import Doc
from spacy.util import registry

from ..errors import E401, MTLError
from .occurrences import TokenRange


class Definition(NamedTuple):
    """Tokens of a short form where it is defined, and of its long form."""

    short: TokenRange
    long: TokenRange


Finder = Callable[[Doc], List[Definition]]
"""Definitions of a document, in the order of the text."""

_BRACKETED = re.compile(r"\(([^()]{1,200})\)")
_BREAK = re.compile(r"[;,]\s")  # "(APC; MIM 175100)"
_WORD = re.compile(r"\S+")
_SHORTEST, _LONGEST = 2, 10  # characters of a short form
_REACH = 1000  # characters before a bracket that may hold a long form: a text may have no sentence borders


@registry.misc("spacy_mtl_bioner.SchwartzHearst.v1")
def schwartz_hearst() -> Finder:
    """Return ``find_definitions``."""
    return find_definitions


def find_definitions(doc: Doc) -> List[Definition]:
    """Return the definitions of a document; long forms stay within a sentence where sentences are known."""
    text = doc.text
    starts = [sent.start_char for sent in doc.sents] if doc.has_annotation("SENT_START") else [0]
    found, sentence = [], 0
    for bracketed in _BRACKETED.finditer(text):
        while sentence + 1 < len(starts) and starts[sentence + 1] <= bracketed.start():
            sentence += 1
        pair = _definition(text, starts[sentence], bracketed)
        if pair is not None:
            short, long = (doc.char_span(*where, alignment_mode="expand") for where in pair)
            found.append(Definition((short.start, short.end), (long.start, long.end)))
    return found


_Range = Tuple[int, int]


def _definition(text: str, low: int, bracketed: "re.Match[str]") -> Optional[Tuple[_Range, _Range]]:
    """Characters of short and long form around one pair of brackets, in a sentence that starts at ``low``."""
    inside = _BREAK.split(bracketed[1], maxsplit=1)[0].strip()
    if not inside:
        return None
    start = text.index(inside, bracketed.start(1))
    before = _words_before(text, low, bracketed.start())
    if not before:
        return None
    if len(inside.split()) <= 2 and _is_short_form(inside):
        words = before[-min(len(inside) + 5, 2 * len(inside)) :]
        low, high = words[0].start(), words[-1].end()
        at = match(inside, text[low:high])
        return None if at is None else ((start, start + len(inside)), (low + at, high))
    short = before[-1]
    if not _is_short_form(short[0]):
        return None
    at = match(short[0], inside)
    return None if at is None else (short.span(), (start + at, start + len(inside)))


def _words_before(text: str, low: int, end: int) -> List["re.Match[str]"]:
    """The words of a sentence before a bracket, those within reach; one that the reach cuts is none of them."""
    start = max(low, end - _REACH)
    words = list(_WORD.finditer(text, start, end))
    return words[1:] if words and low < start == words[0].start() and not text[start - 1].isspace() else words


def _is_short_form(text: str) -> bool:
    alphanumeric = text[0].isalnum()
    return _SHORTEST <= len(text) <= _LONGEST and alphanumeric and any(character.isalpha() for character in text)


def match(short: str, long: str) -> Optional[int]:
    """Return where in ``long`` the long form of ``short`` starts (it goes to the end), or ``None``.

    From right to left, each letter or digit of the short form takes the next that is equal, in any case, in the long
    form; the first must start a word. A long form has more characters, and does not hold the short form as a word.
    """
    at = len(long)
    for i in range(len(short) - 1, -1, -1):
        wanted = short[i].lower()
        if not wanted.isalnum():
            continue
        at -= 1
        while at >= 0 and (long[at].lower() != wanted or (i == 0 and at > 0 and long[at - 1].isalnum())):
            at -= 1
        if at < 0:
            return None
    while at > 0 and not long[at - 1].isspace():
        at -= 1
    found = long[at:]
    return None if len(found) <= len(short) or short in _words(found) else at


def _words(text: str) -> Iterator[str]:
    return (word[0] for word in _WORD.finditer(text))


@registry.misc("spacy_mtl_bioner.ScispacyAbbreviations.v1")
def scispacy_abbreviations() -> Finder:
    """Return scispacy's detector as a finder. Raises MTL401 where scispacy is not installed."""
    try:
        return ScispacyFinder()
    except ImportError as error:
        raise MTLError(E401()) from error


class ScispacyFinder:
    """scispacy's detector, on a private Doc with the tokens of spaCy's English, for which it is written.

    Called as a component it would leave Spans in ``doc._.abbreviations``, which cannot be stored.
    """

    def __init__(self) -> None:
        import spacy
        from scispacy.abbreviation import AbbreviationDetector

        self.nlp = spacy.blank("en")
        self.detector = AbbreviationDetector(self.nlp)

    def __reduce__(self) -> Tuple[type, Tuple[()]]:
        """Another process makes its own."""
        return ScispacyFinder, ()

    def __call__(self, doc: Doc) -> List[Definition]:
        """Return the definitions of a document."""
        from scispacy.abbreviation import filter_matches, find_abbreviation

        words = self.nlp.make_doc(doc.text)
        matches = [(key, start + 1, end - 1) for key, start, end in self.detector.matcher(words)]
        candidates = [pair for pair in filter_matches(matches, words) if find_abbreviation(*pair)[1] is not None]
        found = []
        for long, shorts in self.detector.find_matches_for(candidates, words) if candidates else ():
            nearest = min(shorts, key=lambda short: (abs(short.start - long.end), short.start))
            short, long = (doc.char_span(s.start_char, s.end_char, alignment_mode="expand") for s in (nearest, long))
            found.append(Definition((short.start, short.end), (long.start, long.end)))
        return sorted(found)
