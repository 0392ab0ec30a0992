"""CoNLL out: ``word<TAB>start<TAB>end<TAB>tag`` a line (IOB2), an empty line after each sentence.

``-DOCSTART-<TAB>ID<TAB>O`` opens a document; ``start`` and ``end`` are characters of its text. White space is no word.
An entity that crosses the end of a sentence begins anew in the next (a tag sequence ends with its sentence).
"""

from typing import TYPE_CHECKING, Iterator, List, Sequence

from ...corpora.conll import DOCSTART
from ...corpora.offsets import FLAT
from ..records import Annotated
from .base import StreamWriter

if TYPE_CHECKING:
    from spacy.tokens import Doc


def part(documents: Sequence[Annotated]) -> bytes:
    """The lines of the documents."""
    return "".join([line for document in documents for line in _lines(document)]).encode("utf-8", "replace")


def _lines(document: Annotated) -> Iterator[str]:
    doc = document.doc
    assert doc is not None
    yield f"{DOCSTART}\t{document.id.translate(FLAT)}\tO\n\n"
    labels = _labels(document, doc)
    words, before = 0, ""
    for token in doc:
        if token.is_sent_start and words:
            yield "\n"
            words, before = 0, ""
        if token.is_space:
            continue
        label = labels[token.i]
        tag = "O" if not label else f"I-{label}" if label == before and token.ent_iob_ == "I" else f"B-{label}"
        yield f"{token.text.translate(FLAT)}\t{token.idx}\t{token.idx + len(token)}\t{tag}\n"
        words, before = words + 1, label
    yield "\n" if words else ""


def _labels(document: Annotated, doc: "Doc") -> List[str]:
    """The shown label of each token, without white space; entities are those of ``doc.ents``."""
    labels = [""] * len(doc)
    for span, entity in zip(doc.ents, document.entities):
        label = "_".join(entity.shown.split()) or "_"
        labels[span.start : span.end] = [label] * (span.end - span.start)
    return labels


WRITER = StreamWriter(part, (".conll", ".iob"), keep_docs=True)
