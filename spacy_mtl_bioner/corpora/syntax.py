"""Syntax computed beforehand: converted corpora with the tags, parse and phrases that a pipeline gives their words."""

from pathlib import Path
from typing import Any, Callable, Iterator, List, NamedTuple, Sequence

import numpy as np
from spacy.attrs import DEP, ENT_IOB, HEAD, LEMMA, MORPH, POS, SENT_START, TAG
from spacy.language import Language
from spacy.tokens import Doc, DocBin
from spacy.vocab import Vocab

from ..errors import E453, E454, MTLError
from ..extensions import chunks_of, set_chunks
from .documents import bare_copy, docbin_of, read_docbin, save_docbin

_COPIED = {TAG: [TAG], POS: [POS], MORPH: [MORPH], LEMMA: [LEMMA], DEP: [DEP, HEAD]}
"""What is taken over from a pipeline, where it sets it."""


class Corpus(NamedTuple):
    """Documents and the token attributes that their file keeps."""

    docs: List[Doc]
    attrs: List[int]


def annotate_file(
    source: Path, target: Path, pipelines: Sequence[Language], progress: Callable[[int], Any] = lambda count: None
) -> int:
    """Write ``target``: the DocBin ``source`` with what the pipelines, one after the other, say of its words.

    Words, spaces, sentence starts, gold and user data stay as they are; a document without sentence starts gets the
    parse's. Returns the number of documents; ``progress``
    is told of those done. Raises MTLError: MTL001 and MTL016 for the file, MTL453 where gold would be replaced, MTL454
    for a pipeline that sets nothing.
    """
    corpus = Corpus(read_docbin(source, pipelines[0].vocab), DocBin().from_disk(source).attrs)
    for nlp in pipelines:
        corpus = add_syntax(corpus, nlp, source, progress)
    save_docbin(corpus.docs, corpus.attrs, target)
    return len(corpus.docs)


def add_syntax(
    corpus: Corpus, nlp: Language, path: Path, progress: Callable[[int], Any] = lambda count: None
) -> Corpus:
    """The documents with what one pipeline says of their words. ``path`` is named in errors, which are those of
    ``annotate_file``."""
    docs = _of_vocab(corpus, nlp.vocab)
    attrs, phrased = dict.fromkeys(corpus.attrs), False
    for doc, tagged in zip(docs, nlp.pipe(bare_copy(doc) for doc in docs)):
        progress(1)
        found = [attr for attr in _COPIED if len(doc) and tagged.has_annotation(attr)]
        if TAG in found and TAG in corpus.attrs and ENT_IOB not in corpus.attrs:
            raise MTLError(E453(path=path, pipeline=_name(nlp)))
        for attr in found:
            _take(doc, tagged, attr)
            attrs.update(dict.fromkeys(_COPIED[attr]))
        chunks = chunks_of(tagged)
        if chunks is not None:
            set_chunks(doc, chunks)
            phrased = True
    if any(len(doc) for doc in docs) and not phrased and not {TAG, DEP} & set(attrs):
        raise MTLError(E454(path=path, pipeline=_name(nlp)))
    return Corpus(docs, list(attrs))


def _of_vocab(corpus: Corpus, vocab: Vocab) -> List[Doc]:
    if all(doc.vocab is vocab for doc in corpus.docs):
        return corpus.docs
    return list(docbin_of(corpus.docs, corpus.attrs).get_docs(vocab))


def _take(doc: Doc, tagged: Doc, attr: int) -> None:
    """Set an attribute of the document, a parse within the document's own sentences."""
    values = tagged.to_array(_COPIED[attr])
    if attr == DEP:
        starts = doc.to_array(SENT_START).copy()
        if len(doc) > 1 and starts[1:].any():
            within_sentences(values, np.cumsum(starts == 1), doc.vocab.strings.add("dep"))
        doc.from_array([DEP, HEAD], values)
    else:
        doc.from_array([attr], values)


def within_sentences(parse: np.ndarray, sentence_of: np.ndarray, relation: int) -> None:
    """Give each sentence one root, in place: a Doc with a parse takes its sentence starts from its roots.

    parse: u64[T,2], relation and offset of the head; sentence_of: i64[T]. What hangs from another sentence, and each
    root after the first, hangs from the sentence's first root (where it has none, from its first such word, which
    becomes the root) by ``relation``.
    """
    places = np.arange(len(parse))
    heads = places + parse[:, 1].astype("int64")
    outside = sentence_of[heads] != sentence_of
    is_root = heads == places
    for first, end in _stretches(sentence_of):
        loose = first + np.flatnonzero((is_root | outside)[first:end])
        roots = first + np.flatnonzero(is_root[first:end])
        root = roots[0] if len(roots) else loose[0]
        others = loose[loose != root]
        parse[others, 0], parse[others, 1] = relation, (root - others).astype("uint64")
        parse[root, 1] = 0


def _stretches(sentence_of: np.ndarray) -> Iterator[Any]:
    starts = np.flatnonzero(np.diff(sentence_of, prepend=-1))
    return zip(starts.tolist(), [*starts[1:].tolist(), len(sentence_of)])


def _name(nlp: Language) -> str:
    return f"the pipeline {nlp.meta.get('name') or 'without a name'} ({', '.join(nlp.pipe_names) or 'empty'})"
