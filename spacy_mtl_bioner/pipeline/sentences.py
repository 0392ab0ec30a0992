"""Splits documents into the sentences that the corpora have: by rules, in one pass over the text, whatever the tokens.

A sentence ends with a full stop, question or exclamation mark when white space and something that can start a sentence
follow. As in the corpora, and unlike in general text, nothing inside brackets ends a sentence, and a number may start
one.
"""

import re
from bisect import bisect_right
from typing import Callable, Dict, List, Optional, Tuple

import numpy as np
from spacy.attrs import IDX, SENT_START
from spacy.language import Language
from spacy.pipeline import Pipe
from spacy.tokens import Doc

# Groups: mark and what closes with it, white space. No mark: a blank line, which always ends a sentence.
_BREAK = re.compile(r"""([.?!][)\]"'\u2019\u201d]*)(\s+)(?=\S)|\n[^\S\n]*\n\s*""")
_BLANK_LINE = re.compile(r"\n[^\S\n]*\n")
_BRACKET = re.compile(rf"[()\[\]]|{_BLANK_LINE.pattern}")
_OPENS = {")": "(", "]": "["}
_FAR = 500  # characters; brackets further apart are taken for a slip and hold nothing together

# What stands before a full stop that ends no sentence: at all, or where a number or bracket follows.
_NEVER = frozenset("approx ca cf dr e.g eg eq eqs fig figs i.e ie mr mrs ms prof ref refs resp st viz vs".split())
_NOT_BEFORE_NUMBER = frozenset("al art chap ed eds no nos p para pp sec sect sp spp subsp suppl var ver vol".split())
_LAST_WORD = re.compile(r"(?<![^\W_])(?:[^\W\d_]\.)*[^\W\d_]+$")
_INITIAL = re.compile(r"(?:^|\.\s?)[A-Z]$")  # of a name: after a title, another initial, or nothing
_LOOK = 24  # characters considered on either side of a full stop

_OPENING = frozenset("([\"'\u2018\u201c")
_MIXED_CASE = re.compile(r"[a-z]+-?[A-Z0-9]")  # mRNA, p53, beta-Globin


def sentence_starts(text: str) -> List[int]:
    """Return the character offsets at which the sentences of ``text`` start, in order; the first is 0.

    White space belongs to the sentence before it. Time: linear but for a sort of the brackets.
    """
    starts = [0]
    inside = _bracketed(text)
    opened = [start for start, _ in inside]
    for found in _BREAK.finditer(text):
        if found[1] is None or _BLANK_LINE.search(found[2]):
            starts.append(found.end())
            continue
        i = bisect_right(opened, found.start()) - 1
        enclosed = i >= 0 and found.start() < inside[i][1]
        whole = enclosed and opened[i] == starts[-1] and inside[i][1] < found.end(1)  # "(A sentence in brackets.)"
        if (whole or not enclosed) and _ends(text, found.start(), found.end()):
            starts.append(found.end())
    return starts


def _bracketed(text: str) -> List[Tuple[int, int]]:
    """Return the stretches of text in matching round or square brackets (open, close), the outermost ones, in order."""
    waiting: Dict[str, List[int]] = {"(": [], "[": []}
    pairs: List[Tuple[int, int]] = []
    for found in _BRACKET.finditer(text):
        bracket = found[0]
        if bracket in waiting:
            waiting[bracket].append(found.start())
        elif bracket not in _OPENS:
            waiting = {"(": [], "[": []}
        elif waiting[_OPENS[bracket]]:
            start = waiting[_OPENS[bracket]].pop()
            if found.start() - start <= _FAR:
                pairs.append((start, found.start()))
    outer: List[Tuple[int, int]] = []
    for start, end in sorted(pairs):
        if outer and start < outer[-1][1]:
            outer[-1] = outer[-1][0], max(end, outer[-1][1])
        else:
            outer.append((start, end))
    return outer


def _ends(text: str, mark: int, following: int) -> bool:
    """Whether the mark at ``mark`` ends a sentence, given that the next word starts at ``following``."""
    before, after = text[max(0, mark - _LOOK) : mark], text[following : following + _LOOK]
    last = _LAST_WORD.search(before)
    word = last[0] if last else ""
    number = after[0].isdigit() or after[0] in _OPENING
    if text[mark] == "." and word:
        lower = word if word.isupper() else word.lower()  # "CA" is no "ca."
        if lower in _NEVER or _INITIAL.search(before):
            return False
        if number and (lower in _NOT_BEFORE_NUMBER or "." in word):
            return False
    genus = len(word) == 1
    return number or after[0].isupper() or (not genus and _MIXED_CASE.match(after) is not None)


class SentenceSplitter(Pipe):
    """Sets ``token.is_sent_start`` by ``sentence_starts``. Where ``overwrite`` is false, starts that are already known,
    either way, are left as they are. ``scorer`` is called on examples by ``spacy evaluate``."""

    def __init__(
        self, name: str = "mtl_sentences", *, overwrite: bool = False, scorer: Optional[Callable] = None
    ) -> None:
        self.name = name
        self.overwrite = overwrite
        self.scorer = scorer

    def __call__(self, doc: Doc) -> Doc:
        """Set the sentence starts of a document, in place, and return it. A start within a token is left out."""
        if len(doc):
            known = doc.to_array(SENT_START).astype("int64")
            found = np.where(np.isin(doc.to_array(IDX).astype("int64"), sentence_starts(doc.text)), 1, -1)
            starts = found if self.overwrite else np.where(known == 0, found, known)
            doc.from_array([SENT_START], starts.astype("uint64"))
        return doc


@Language.factory(
    "mtl_sentences",
    assigns=["token.is_sent_start", "doc.sents"],
    default_config={"overwrite": False, "scorer": {"@scorers": "spacy.senter_scorer.v1"}},
    default_score_weights={"sents_f": 0.0, "sents_p": 0.0, "sents_r": 0.0},
)
def make_sentences(nlp: Language, name: str, overwrite: bool, scorer: Optional[Callable]) -> SentenceSplitter:
    """Return the factory's component; see SentenceSplitter."""
    return SentenceSplitter(name, overwrite=overwrite, scorer=scorer)
