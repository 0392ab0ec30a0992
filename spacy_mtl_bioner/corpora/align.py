"""Gives a CoNLL corpus back what its format lost: documents, character offsets and white space, from the texts."""

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from dataclasses import dataclass, field, fields
from itertools import accumulate
from os.path import commonprefix
from typing import Collection, Dict, List, NoReturn, Optional, Sequence, Set, Tuple

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
    Time: linear in the characters, as long as not many documents begin alike and differ in length.
    """
    stream = _Stream(sentences, path)
    shelf = _Shelf(documents)
    placed: List[AlignedSentence] = []
    position = 0
    while position < len(stream.text):
        found = shelf.take(stream, position)
        if found is None:
            stream.fail(position, shelf.by_text.values())
        end, document = found
        placed.extend(_place(stream.between(position, end), document, path))
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

    def fail(self, position: int, shelf: Collection["_Squeezed"]) -> NoReturn:
        """Raise MTLError for the sentence at which the document that agrees longest goes wrong."""
        agreed, best = 0, None
        for squeezed in shelf:
            common = len(commonprefix([self.text[position : position + len(squeezed.text)], squeezed.text]))
            if common > agreed:
                agreed, best = common, squeezed.documents[0]
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
    """A text without white space, the documents that have it, and how often one of these has been placed."""

    text: str
    documents: List[Document] = field(default_factory=list)
    taken: int = 0

    def take(self) -> Document:
        """Return the next of the documents, by turns."""
        self.taken += 1
        return self.documents[(self.taken - 1) % len(self.documents)]


class _Shelf:
    """The documents, to be found by their first characters, their length and their text: many may begin alike."""

    def __init__(self, documents: Sequence[Document]) -> None:
        self.by_text: Dict[str, _Squeezed] = {}
        for document in documents:
            text = _squeeze(document.text)
            if text:
                self.by_text.setdefault(text, _Squeezed(text)).documents.append(document)
        self.lengths: Dict[str, Set[int]] = defaultdict(set)
        for text in self.by_text:
            self.lengths[text[:_KEY]].add(len(text))
        self.key_sizes = {len(key) for key in self.lengths}

    def take(self, stream: _Stream, position: int) -> Optional[Tuple[int, Document]]:
        """Return the end and the document whose whole text stands at ``position`` and ends with a sentence, if there
        is one: the longest."""
        keys = [stream.text[position : position + size] for size in self.key_sizes]
        lengths = {length for key in keys for length in self.lengths.get(key, ())}
        ends = [position + length for length in lengths if position + length in stream.boundaries]
        for end in sorted(ends, reverse=True):
            found = self.by_text.get(stream.text[position:end])
            if found is not None:
                return end, found.take()
        return None


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
