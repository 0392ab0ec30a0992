"""Gives a CoNLL corpus back what its format lost: documents, character offsets and white space, from the texts."""

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from dataclasses import dataclass, field, fields
from itertools import accumulate
from os.path import commonprefix
from typing import Dict, List, NoReturn, Optional, Sequence

from ..errors import E111, E112, E114, MTLError
from ..types import Document, Sentence

_SPACE = re.compile(r"\s*")
_KEY = 32  # characters that a document is looked up by; titles differ long before


@dataclass
class AlignedSentence(Sentence):
    """A sentence that knows its place. ``document`` and ``spaces`` are filled in; ``spaces[i]`` tells whether any white
    space follows ``words[i]``, ``gaps[i]`` which, exactly (abstracts do hold two spaces in a row). ``start`` is the
    offset of the first word in the document's text, in characters; the text from there to the next sentence is the
    words and gaps by turns. ``lead`` is white space before the first word of a document.
    """

    start: int = 0
    gaps: List[str] = field(default_factory=list)
    lead: str = ""

    def offsets(self) -> List[int]:
        """Return the character offset of each word in the document's text."""
        sizes = (len(word) + len(gap) for word, gap in zip(self.words, self.gaps))
        return list(accumulate(sizes, initial=self.start))[:-1]


def align_sentences(
    sentences: Sequence[Sentence], documents: Sequence[Document], path: str = "corpus"
) -> List[AlignedSentence]:
    """Return the sentences, in their order, placed in the documents that they are the words of.

    A document is a run of sentences with exactly its characters, white space aside. Documents may stand in any order,
    and those not met are fine: a split has only its share. Where several fit, the longest is taken, then one not taken
    before.
    ``path`` names the corpus in messages. Raises MTLError: MTL111 with the first sentence that fits no document, MTL112
    where the sentences end inside a document, MTL114 for a word that the document writes with white space inside.
    Time: linear in the characters, as long as few documents begin alike.
    """
    stream = _Stream(sentences, path)
    shelf = _Shelf(documents)
    placed: List[AlignedSentence] = []
    position = 0
    while position < len(stream.text):
        found = shelf.take(stream, position)
        if found is None:
            stream.fail(position, shelf.everything)
        end = position + len(found.text)
        placed.extend(_place(stream.between(position, end), found.document, path))
        position = end
    return placed


def _squeeze(text: str) -> str:
    return "".join(text.split())


class _Stream:
    """All sentences as one text without white space; ``starts[i]`` is where sentence ``i`` begins in it."""

    def __init__(self, sentences: Sequence[Sentence], path: str) -> None:
        texts = [_squeeze("".join(sentence.words)) for sentence in sentences]
        self.sentences, self.path = sentences, path
        self.text = "".join(texts)
        self.starts = list(accumulate(map(len, texts), initial=0))
        self.boundaries = set(self.starts)

    def between(self, start: int, end: int) -> Sequence[Sentence]:
        """Return the sentences from one boundary to another."""
        return self.sentences[bisect_left(self.starts, start) : bisect_left(self.starts, end)]

    def fail(self, position: int, shelf: Sequence["_Squeezed"]) -> NoReturn:
        """Raise MTLError for the sentence at which the document that agrees longest goes wrong."""
        agreed, best = 0, None
        for squeezed in shelf:
            common = len(commonprefix([self.text[position : position + len(squeezed.text)], squeezed.text]))
            if common > agreed:
                agreed, best = common, squeezed.document
        wrong = position + agreed
        if best is not None and wrong == len(self.text):
            raise MTLError(E112(path=self.path, document=best.id, line=self.sentences[-1].line))
        i = bisect_right(self.starts, wrong) - 1
        begun = best is not None and self.starts[i] > position
        where = f"{best.id} agrees up to there" if begun else "no document begins so"
        text = " ".join(self.sentences[i].words)[:80]
        raise MTLError(E111(path=self.path, line=self.sentences[i].line, text=text, where=where))


@dataclass
class _Squeezed:
    """A document and its text without white space; ``taken`` counts how often it has been placed."""

    text: str
    document: Document
    taken: int = 0


class _Shelf:
    """The documents, to be found by their first characters."""

    def __init__(self, documents: Sequence[Document]) -> None:
        self.by_key: Dict[str, List[_Squeezed]] = defaultdict(list)
        visible = [document for document in documents if document.text.strip()]
        self.everything = [_Squeezed(_squeeze(document.text), document) for document in visible]
        for squeezed in self.everything:
            self.by_key[squeezed.text[:_KEY]].append(squeezed)
        self.key_sizes = {len(key) for key in self.by_key}

    def candidates(self, stream: str, position: int) -> List[_Squeezed]:
        """Return the documents that begin as the stream goes on at ``position``."""
        return [d for size in self.key_sizes for d in self.by_key.get(stream[position : position + size], [])]

    def take(self, stream: _Stream, position: int) -> Optional[_Squeezed]:
        """Return the document whose whole text stands at ``position`` and ends with a sentence, if there is one."""
        fits = [
            candidate
            for candidate in self.candidates(stream.text, position)
            if position + len(candidate.text) in stream.boundaries and stream.text.startswith(candidate.text, position)
        ]
        if not fits:
            return None
        best = max(fits, key=lambda fit: (len(fit.text), -fit.taken))
        best.taken += 1
        return best


def _place(sentences: Sequence[Sentence], document: Document, path: str) -> List[AlignedSentence]:
    """Return the sentences of a document, which has exactly their characters, with places, spaces and gaps."""
    text = document.text
    offsets: List[int] = []
    cursor = 0
    for sentence in sentences:
        for word in sentence.words:
            offset = _SPACE.match(text, cursor).end()
            cursor = offset + len(word)
            if not text.startswith(word, offset):
                raise MTLError(E114(path=path, line=sentence.line, word=word, document=document.id, offset=offset))
            offsets.append(offset)
    offsets.append(len(text))
    placed, first = [], 0
    for sentence in sentences:
        words = sentence.words
        inner = zip(words, offsets[first:], offsets[first + 1 :])
        gaps = [text[offset + len(word) : following] for word, offset, following in inner]
        known = {f.name: getattr(sentence, f.name) for f in fields(Sentence)}
        known.update(document=document.id, spaces=[bool(gap) for gap in gaps])
        lead = text[: offsets[0]] if first == 0 else ""
        placed.append(AlignedSentence(**known, start=offsets[first], gaps=gaps, lead=lead))
        first += len(words)
    return placed
