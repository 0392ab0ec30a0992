"""Sentences to spaCy Docs and back, and the DocBins that hold a corpus.

One Doc a document where the source tells documents apart, else one a sentence. Every Doc has its sentence starts,
``_.corpus`` and ``_.document``; its gold stands in ``doc.ents`` (kind ``spans``) or ``token.tag_`` (kind ``tags``). Where the
source does not tell the spacing, ``doc.has_unknown_spaces`` says so, and training then uses the gold tokens.
"""

from itertools import groupby
from pathlib import Path
from typing import Iterable, Iterator, List, Optional, Sequence

from spacy.tokens import Doc, DocBin
from spacy.vocab import Vocab

from .. import extensions  # noqa: F401  (adds Doc._.corpus and Doc._.document)
from ..errors import E001, E014, E016, MTLError
from ..types import Kind, Sentence
from .schemes import SchemeLike, convert_tags, spans_to_tags

ATTRS = ("ORTH", "SPACY", "SENT_START", "ENT_IOB", "ENT_TYPE", "TAG")


def sentences_to_docs(
    sentences: Iterable[Sentence], vocab: Vocab, corpus: str, scheme: Optional[SchemeLike]
) -> Iterator[Doc]:
    """Yield Docs. Sentences that follow each other with the same document id make one Doc. ``scheme`` is that of the
    tags, ``None`` for kind ``tags``. Raises UnknownTag and SchemeViolation."""
    for document, group in groupby(enumerate(sentences), key=_document_key):
        members = [sentence for _, sentence in group]
        doc = _doc(members, vocab, scheme)
        doc._.corpus, doc._.document = corpus, members[0].document
        yield doc


def _document_key(item):  # type: ignore[no-untyped-def]
    """The document's id, or a sentence's own number where no document is known."""
    number, sentence = item
    return number if sentence.document is None else sentence.document


def _doc(members: Sequence[Sentence], vocab: Vocab, scheme: Optional[SchemeLike]) -> Doc:
    words = [word for sentence in members for word in sentence.words]
    starts = [i == 0 for sentence in members for i in range(len(sentence.words))]
    spaces = None
    if any(sentence.spaces is not None for sentence in members):
        spaces = [space for s in members for space in (s.spaces if s.spaces is not None else [True] * len(s.words))]
    if scheme is None:
        tags = [tag for sentence in members for tag in sentence.tags]
        return Doc(vocab, words=words, spaces=spaces, sent_starts=starts, tags=tags)
    ents = [tag for sentence in members for tag in convert_tags(sentence.tags, scheme, "IOB2")]
    return Doc(vocab, words=words, spaces=spaces, sent_starts=starts, ents=ents)


def docs_to_sentences(docs: Iterable[Doc], scheme: Optional[SchemeLike]) -> Iterator[Sentence]:
    """Yield the sentences of Docs with their gold in ``scheme``; with ``scheme=None``, ``token.tag_``. Raises MTL014 where
    an entity crosses the end of its sentence: no scheme can say that."""
    for doc in docs:
        words = [token.text for token in doc]
        spaces = None if doc.has_unknown_spaces else [bool(token.whitespace_) for token in doc]
        starts = [token.i for token in doc if token.is_sent_start or token.i == 0]
        spans = [] if scheme is None else [(ent.start, ent.end, ent.label_) for ent in doc.ents]
        tags = [token.tag_ for token in doc] if scheme is None else []
        at = 0
        for start, end in zip(starts, starts[1:] + [len(doc)]):
            mine = []
            while at < len(spans) and spans[at][0] < end:
                first, last, label = spans[at]
                if last > end:
                    found = doc[first:last].text
                    raise MTLError(E014(document=doc._.document or "without id", mention=found, corpus=doc._.corpus))
                mine.append((first - start, last - start, label))
                at += 1
            yield Sentence(
                words[start:end],
                tags[start:end] if scheme is None else spans_to_tags(end - start, mine, scheme),
                document=doc._.document,
                spaces=None if spaces is None else spaces[start:end],
            )


def write_docbin(docs: Iterable[Doc], path: Path, kind: Kind = "spans") -> None:
    """Write a DocBin with ``_.corpus`` and ``_.document``; folders are made."""
    attrs = [attr for attr in ATTRS if attr != ("TAG" if kind == "spans" else "ENT_TYPE")]
    path.parent.mkdir(parents=True, exist_ok=True)
    DocBin(attrs=attrs, store_user_data=True, docs=docs).to_disk(path)


def read_docbin(path: Path, vocab: Vocab) -> List[Doc]:
    """Read a DocBin. Raises MTL001 where the file cannot be read and MTL016 where it is no DocBin."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise MTLError(E001(path=path, reason=error.strerror)) from error
    try:
        return list(DocBin().from_bytes(data).get_docs(vocab))
    except Exception as error:  # zlib, msgpack and numpy each raise their own
        raise MTLError(E016(path=path, reason=error)) from error
