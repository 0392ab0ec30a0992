"""Many corpora as one stream of examples, each of which knows its corpus."""

import warnings
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, Iterator, List, Optional, Tuple

import numpy as np
from spacy.attrs import IDS, ORTH, SENT_START
from spacy.language import Language
from spacy.tokens import Doc, DocBin
from spacy.training import Example
from spacy.util import registry
from spacy.vocab import Vocab

from ..corpora.documents import bare_copy, docs_of
from ..errors import E140, E141, E142, E143, E144, E145, E146, E147, MTLError
from ..extensions import CORPORA, CORPUS, DOCUMENT, chunks_of, register, set_chunks
from .units import INSIDE, START, sentence_flags, split

CHUNK = "CHUNK"
COPIED = ("TAG", "POS", "MORPH", "LEMMA", "NORM", "DEP", "HEAD", CHUNK)
"""Token attributes that a predicted Doc may get from its reference; entities, the gold, are not among them. ``CHUNK``
is ``Token._.chunk``."""


@registry.readers("spacy_mtl_bioner.MultiCorpus.v1")
def create_multi_corpus(
    paths: Dict[str, Path],
    gold_tokens: bool = True,
    gold_sentences: bool = True,
    sentences: bool = True,
    max_length: int = 0,
    limit: int = 0,
    keep_empty: bool = False,
    own_corpus: bool = True,
    copy_attrs: List[str] = [],
    cache: bool = True,
) -> Callable[[Language], Iterable[Example]]:
    """Read the DocBins of many corpora; see ``MultiCorpus`` for the settings."""
    return MultiCorpus(
        paths,
        gold_tokens=gold_tokens,
        gold_sentences=gold_sentences,
        sentences=sentences,
        max_length=max_length,
        limit=limit,
        keep_empty=keep_empty,
        own_corpus=own_corpus,
        copy_attrs=copy_attrs,
        cache=cache,
    )


class MultiCorpus:
    """Yield the examples of each corpus, in the order of ``paths``; ``Doc._.corpus`` is the corpus' name there.

    paths: corpus name to a ``.spacy`` file, or to a folder of them (read in the order of their names).
    gold_tokens: the predicted Doc has the reference's words and spaces. False: it is what the pipeline's tokenizer
        makes of the reference's text (words joined by spaces where the source does not tell its spaces).
    gold_sentences: the predicted Doc has the reference's sentence starts. False: it has none, and a sentence splitter
        in the pipeline, if any, sets them. False for both is an evaluation on raw text.
    sentences: cut documents into one example a sentence. A document without boundaries is one sentence.
    max_length: documents of more tokens are cut into sentences, and longer sentences into pieces, never inside an
        entity; a warning says how many. 0: no limit.
    limit: only the first examples of each corpus. 0: all.
    keep_empty: keep documents without tokens; otherwise they are left out, and a warning says how many.
    own_corpus: set ``Doc._.corpora`` of the predicted Doc, so that an evaluation runs only the head that it scores.
    copy_attrs: further token attributes (of ``COPIED``) that the predicted Doc gets from the reference, such as parts
        of speech or a parse computed beforehand, as features. Needs ``gold_tokens``.
    cache: keep the reference Docs in memory, so that later calls (each evaluation) need not read them again.

    Predicted Docs are new in each call; with ``cache`` the references are the same objects.
    Raises ``MTLError`` MTL140 to MTL144 for paths and files that do not serve, MTL147 for impossible settings.
    """

    def __init__(
        self,
        paths: Dict[str, Path],
        *,
        gold_tokens: bool = True,
        gold_sentences: bool = True,
        sentences: bool = True,
        max_length: int = 0,
        limit: int = 0,
        keep_empty: bool = False,
        own_corpus: bool = True,
        copy_attrs: Iterable[str] = (),
        cache: bool = True,
    ) -> None:
        register()
        self.paths = {name: Path(path) for name, path in paths.items() if path is not None}
        if not self.paths or len(self.paths) < len(paths):
            missing = ", ".join(repr(name) for name in paths if name not in self.paths)
            raise MTLError(E140(missing=missing or "any corpus"))
        self.gold_tokens, self.gold_sentences, self.own_corpus = gold_tokens, gold_sentences, own_corpus
        self.sentences, self.keep_empty, self.cache = sentences, keep_empty, cache
        self.max_length, self.limit = _count("max_length", max_length), _count("limit", limit)
        self.copied, self.copies_chunks = _copied(copy_attrs, gold_tokens)
        self._kept: Tuple[Optional[Vocab], Dict[str, List[Doc]]] = (None, {})

    def __call__(self, nlp: Language) -> Iterator[Example]:
        """Yield the examples; ``nlp`` gives the vocab, and the tokenizer unless the tokens are gold."""
        for corpus in self.paths:
            for reference in self._references(corpus, nlp.vocab):
                yield Example(self._predicted(nlp, corpus, reference), reference)

    def _references(self, corpus: str, vocab: Vocab) -> Iterable[Doc]:
        docs = self._read(corpus, vocab)
        if not self.cache:
            return docs
        if self._kept[0] is not vocab:
            self._kept = (vocab, {})
        kept = self._kept[1]
        if corpus not in kept:
            kept[corpus] = list(docs)
        return kept[corpus]

    def _read(self, corpus: str, vocab: Vocab) -> Iterator[Doc]:
        """Yield the corpus' reference Docs, cut as the settings say, from its files, ``limit`` at most."""
        empty = cut = found = gold = given = 0
        for doc, attrs in self._documents(corpus, vocab):
            if not len(doc) and not self.keep_empty:
                empty += 1
                continue
            found += 1
            gold = gold or doc.has_annotation("ENT_IOB") or doc.has_annotation("TAG")
            units = split(doc, attrs, self.sentences, self.max_length)
            cut += units.cut
            for unit in units.docs[: self.limit - given if self.limit else None]:
                unit.user_data[CORPUS] = corpus
                given += 1
                yield unit
            if self.limit and given >= self.limit:
                break
        if not gold:
            unfit = f"{found} document(s) without annotation" if found else "no document"
            raise MTLError(E144(corpus=corpus, path=self.paths[corpus], found=unfit))
        if empty:
            warnings.warn(E146(corpus=corpus, count=empty))
        if cut:
            warnings.warn(E145(corpus=corpus, count=cut, max_length=self.max_length))

    def _documents(self, corpus: str, vocab: Vocab) -> Iterator[Tuple[Doc, List[Any]]]:
        """Each document of the corpus' files, with the attributes that its file has."""
        for path in _files(corpus, self.paths[corpus]):
            docbin = _open(corpus, path)
            try:
                for doc in docs_of(docbin, vocab):
                    yield doc, docbin.attrs
            except Exception as error:  # msgpack and numpy each raise their own where the content is damaged
                raise _no_docbin(corpus, path, error) from error

    def _predicted(self, nlp: Language, corpus: str, reference: Doc) -> Doc:
        if self.gold_tokens:
            predicted = bare_copy(reference, nlp.vocab, self.copied)
            chunks = chunks_of(reference) if self.copies_chunks else None
            if chunks is not None:
                set_chunks(predicted, chunks)
        else:
            predicted = nlp.make_doc(reference.text)
        if self.gold_sentences:
            _copy_sentences(reference, predicted)
        predicted.user_data[CORPUS] = corpus
        predicted.user_data[DOCUMENT] = reference.user_data.get(DOCUMENT)
        if self.own_corpus:
            predicted.user_data[CORPORA] = [corpus]
        return predicted


def _count(setting: str, value: int) -> int:
    if value < 0:
        raise MTLError(E147(part="MultiCorpus", setting=setting, found=value, expected="0 (no limit) or more"))
    return value


def _copied(names: Iterable[str], gold_tokens: bool) -> Tuple[List[int], bool]:
    """Return the ids of the attributes to copy, and whether phrases are; a parse needs both of its attributes."""
    wanted = [name.upper() for name in names]
    expected = "" if gold_tokens or not wanted else "nothing where gold_tokens is false"
    if not set(wanted) <= set(COPIED):
        expected = f"some of {', '.join(COPIED)}"
    elif ("DEP" in wanted) != ("HEAD" in wanted):
        expected = "DEP and HEAD together"
    if expected:
        raise MTLError(E147(part="MultiCorpus", setting="copy_attrs", found=wanted, expected=expected))
    return [IDS[name] for name in wanted if name != CHUNK], CHUNK in wanted


def _files(corpus: str, path: Path) -> List[Path]:
    if not path.exists():
        raise MTLError(E141(corpus=corpus, path=path))
    files = sorted(path.rglob("*.spacy")) if path.is_dir() else [path]
    if not files:
        raise MTLError(E142(corpus=corpus, path=path))
    return files


def _open(corpus: str, path: Path) -> DocBin:
    try:
        return DocBin().from_disk(path)
    except (ValueError, TypeError, KeyError, OSError) as error:
        raise _no_docbin(corpus, path, error) from error


def _no_docbin(corpus: str, path: Path, error: Exception) -> MTLError:
    reason = f"{type(error).__name__}: {error}".splitlines()[0]
    return MTLError(E143(corpus=corpus, path=path, reason=reason))


def _copy_sentences(reference: Doc, predicted: Doc) -> None:
    """Start a sentence at each predicted token that holds the first character of a reference sentence."""
    flags = sentence_flags(reference) if len(reference) and len(predicted) else None
    if flags is None:
        return
    if len(predicted) != len(reference) or (predicted.to_array(ORTH) != reference.to_array(ORTH)).any():
        starts = [reference[i].idx for i in np.flatnonzero(flags == START).tolist()]
        tokens = np.searchsorted([token.idx for token in predicted], starts, side="right") - 1
        flags = np.full(len(predicted), INSIDE)
        flags[np.maximum(tokens, 0)] = START
        flags[0] = START
    predicted.from_array([SENT_START], flags)
