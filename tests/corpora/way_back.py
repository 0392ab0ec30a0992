"""From Docs back to sentences and to token-per-line files, so that tests see what a conversion kept."""

from pathlib import Path
from typing import Iterable, Iterator, Optional

from spacy.tokens import Doc

from spacy_mtl_bioner.corpora.conll import DOCSTART
from spacy_mtl_bioner.corpora.documents import cut
from spacy_mtl_bioner.corpora.schemes import SchemeLike
from spacy_mtl_bioner.corpora.sources import MARK
from spacy_mtl_bioner.types import Sentence


def docs_to_sentences(docs: Iterable[Doc], scheme: Optional[SchemeLike]) -> Iterator[Sentence]:
    """Yield the sentences of Docs with their gold in ``scheme``; with ``scheme=None``, ``token.tag_``. They are
    AlignedSentences where spaces are known. Raises MTL014 where an entity crosses the end of its sentence."""
    for doc in docs:
        starts = [token.i for token in doc if token.is_sent_start]
        spans = [] if scheme is None else [(ent.start, ent.end, ent.label_) for ent in doc.ents]
        yield from cut(doc, starts, spans, scheme)


def write_conll(sentences: Iterable[Sentence], path: Path, mark_documents: bool = True) -> None:
    """Write ``word<TAB>tag`` lines and an empty line after each sentence. With ``mark_documents`` a ``-DOCSTART-`` line
    opens each document whose id is known. Raises ValueError for a word that a line cannot hold."""
    document = None
    forbidden = DOCSTART, MARK  # would be read as a document's start and a byte order mark
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for sentence in sentences:
            if mark_documents and sentence.document is not None and sentence.document != document:
                file.write(f"{DOCSTART}\tO\n\n")
            document = sentence.document
            for word, tag in zip(sentence.words, sentence.tags):
                if not word or "\t" in word or "\n" in word or word.startswith(forbidden):
                    raise ValueError(f"{path}: the word {word!r} does not fit into a line of a token-per-line file")
                file.write(f"{word}\t{tag}\n")
            file.write("\n")
