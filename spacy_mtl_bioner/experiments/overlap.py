"""Sentences that the training set of one corpus shares with the test set of another.

Two sentences are the same where their characters are, without white space: corpora split words differently. On wish
case is ignored, and sentences that are nearly the same count too: those whose word trigrams have a Jaccard similarity
(common ones by all of both) of at least a threshold, found through an index of the trigrams.
"""

from bisect import bisect_right
from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Dict, Iterable, Iterator, List, NamedTuple, Optional, Sequence, Set, Tuple, Union

from spacy.tokens import Doc, DocBin, Span, Token
from spacy.vocab import Vocab

from ..corpora.documents import read_docbin, save_docbin
from ..errors import E340, MTLError
from ..training.units import split as split_document

Words = Tuple[str, ...]
Gram = Tuple[str, ...]


class Overlap(NamedTuple):
    """``shared`` of the ``sentences`` of the test set are also in the training set, with ``examples`` of them."""

    train: str
    test: str
    shared: int
    sentences: int
    examples: List[str]

    @property
    def percent(self) -> float:
        """Shared sentences of a hundred of the test set."""
        return 100.0 * self.shared / max(1, self.sentences)


@dataclass(frozen=True)
class Sameness:
    """When two sentences are the same.

    ignore_case: capitals do not count. near: least Jaccard similarity of word trigrams; None: only the same characters.
    min_words: shorter sentences (headings such as ``Results``) are never counted as shared.
    """

    ignore_case: bool = False
    near: Optional[float] = None
    min_words: int = 0

    def words(self, words: Sequence[str]) -> Words:
        """The sentence as it is compared."""
        return tuple(word.casefold() for word in words) if self.ignore_case else tuple(words)


class Sentences:
    """The sentences of one set, in the form in which they are compared, with what finds one among them."""

    def __init__(self, sentences: Iterable[Sequence[str]], sameness: Sameness) -> None:
        self.sameness = sameness
        self.words = [sameness.words(words) for words in sentences]
        self.keys = {"".join(words) for words in self.words}
        self._index: Dict[Gram, List[int]] = {}
        self._sizes: List[int] = []
        if sameness.near is not None:
            self._make_index()

    def _make_index(self) -> None:
        index: Dict[Gram, List[int]] = defaultdict(list)
        distinct = set(self.words)
        for number, words in enumerate(sorted(distinct)):
            found = grams(words)
            self._sizes.append(len(found))
            for gram in found:
                index[gram].append(number)
        self._index = dict(index)

    def has(self, words: Words) -> bool:
        """Whether the sentence, or on wish one nearly like it, is among these."""
        if len(words) < self.sameness.min_words:
            return False
        return "".join(words) in self.keys or self._has_near(words)

    def _has_near(self, words: Words) -> bool:
        near = self.sameness.near
        if near is None:
            return False
        mine = grams(words)
        common = Counter(number for gram in mine for number in self._index.get(gram, ()))
        least = near - 1e-9  # 7 of 25 are 0.28, which the product of two floats denies
        return any(count >= least * (len(mine) + self._sizes[at] - count) for at, count in common.items())


def grams(words: Words) -> Set[Gram]:
    """The distinct word trigrams; of a shorter sentence, the sentence."""
    return {words[i : i + 3] for i in range(max(1, len(words) - 2))}


def read_sentences(path: Path, vocab: Vocab) -> Iterator[List[str]]:
    """The words of each sentence of a DocBin, without white space. Raises as ``read_docbin``."""
    for doc in read_docbin(path, vocab):
        for sentence in sentences_of(doc):
            words = words_of(sentence)
            if words:
                yield words


def words_of(tokens: Iterable[Token]) -> List[str]:
    """The words of a Doc or Span without white space, which a vocabulary without a language does not mark."""
    return [token.text for token in tokens if not token.text.isspace()]


def sentences_of(doc: Doc) -> Iterable[Union[Doc, Span]]:
    """The sentences of a document, which is one where it has no boundaries."""
    return doc.sents if len(doc) and doc.has_annotation("SENT_START") else [doc]


def find_sets(corpora: Path, split: str, names: Optional[Sequence[str]] = None) -> Dict[str, Path]:
    """The DocBin of a split of each corpus below a folder, or of those named. Raises MTL340 where there is none."""
    found = {path.parent.name: path for path in sorted(corpora.glob(f"*/{split}.spacy"))}
    for name in names or [] if found else []:
        if name not in found:
            raise MTLError(E340(path=corpora / name / f"{split}.spacy", known=", ".join(found)))
    if not found:
        raise MTLError(E340(path=corpora / "*" / f"{split}.spacy", known="none"))
    return {name: found[name] for name in names or found}


def overlaps(
    train: Dict[str, Path], test: Dict[str, Path], sameness: Sameness, examples: int = 3
) -> Iterator[Overlap]:
    """Compare every training set with every test set; one training set is held in memory at a time."""
    vocab = Vocab()
    tests = {name: list(map(sameness.words, read_sentences(path, vocab))) for name, path in test.items()}
    for train_name, path in train.items():
        known = Sentences(read_sentences(path, vocab), sameness)
        for test_name, sentences in tests.items():
            shared = [words for words in sentences if known.has(words)]
            shown = [" ".join(words) for words in dict.fromkeys(shared)][:examples]
            yield Overlap(train_name, test_name, len(shared), len(sentences), shown)


def remove(source: Path, target: Path, tests: Sentences) -> int:
    """Write a training set without the sentences of ``tests``, of all test sets; returns how many were left out.

    Documents that lose none stay whole. One that loses some is written as its other sentences, a Doc each, with all of
    their annotation. Sentences that an entity links go together.
    """
    vocab, kept = Vocab(), []
    removed = 0
    attrs = DocBin().from_disk(source).attrs
    for doc in read_docbin(source, vocab):
        parts = split_document(doc, attrs).docs
        sentences, good = _sentences_by_part(doc, parts), []
        for part, inside in zip(parts, sentences):
            if any(tests.has(tests.sameness.words(words_of(sentence))) for sentence in inside):
                removed += len(inside)
            else:
                good.append(part)
        kept += good if len(good) < len(parts) else [doc]
    save_docbin(kept, attrs, target)
    return removed


def _sentences_by_part(doc: Doc, parts: Sequence[Doc]) -> List[List[Union[Doc, Span]]]:
    """The sentences of a document that make up each of its parts: one, but where an entity reaches over its end."""
    ends = list(accumulate(map(len, parts)))
    found: List[List[Union[Doc, Span]]] = [[] for _ in parts]
    for sentence in sentences_of(doc):
        found[bisect_right(ends, sentence[0].i) if len(sentence) else 0].append(sentence)
    return found
