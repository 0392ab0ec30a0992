"""Documents to BioC, XML or JSON, through the library ``bioc``."""

import re
from bisect import bisect_right
from pathlib import Path
from typing import TYPE_CHECKING, Any, Iterable, List, Sequence

from ..types import Document, Mention, Passage
from .bioc_document import MAX_GAP
from .bioc_format import library

if TYPE_CHECKING:
    from bioc import BioCAnnotation, BioCCollection, BioCDocument

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write_bioc_xml(path: Path, documents: Iterable[Document]) -> None:
    """Write a collection; offsets in code points.

    A document's passages are kept where they cover its mentions with gaps of at most ``MAX_GAP``; else it is one
    passage. Control characters, which XML cannot hold, become spaces. Raises MTL038 where the library is missing.
    """
    bioc = library(path)
    path.write_bytes(bioc.biocxml.dumps(_collection(bioc, documents)).encode("utf-8"))


def write_bioc_json(path: Path, documents: Iterable[Document]) -> None:
    """Write a collection as :func:`write_bioc_xml` does, as JSON."""
    bioc = library(path)
    path.write_bytes(bioc.biocjson.dumps(_collection(bioc, documents), ensure_ascii=False).encode("utf-8"))


def _collection(bioc: Any, documents: Iterable[Document]) -> "BioCCollection":
    collection = bioc.BioCCollection()
    collection.encoding, collection.source, collection.date, collection.key = "utf-8", "", "", ""
    for document in documents:
        collection.add_document(encoded(bioc, document))
    return collection


def encoded(bioc: Any, document: Document) -> "BioCDocument":
    """The library's form of a document; ids of annotations are the numbers of the mentions, from 1."""
    target = bioc.BioCDocument()
    target.id = clean(document.id)
    target.infons = {clean(key): clean(value) for key, value in document.meta.items()}
    spans = document.passages if _cover(document) else [Passage(0, len(document.text))]
    for span in spans:
        passage = bioc.BioCPassage.of_text(clean(document.text[span.start : span.end]), span.start)
        passage.infons = {"type": clean(span.section)} if span.section else {}
        target.add_passage(passage)
    for number, (mention, place) in enumerate(zip(document.mentions, _places(document.mentions, spans)), 1):
        target.passages[place].add_annotation(_annotation(bioc, number, mention, document.text))
    return target


def _cover(document: Document) -> bool:
    """Whether the passages hold all mentions and, but for small gaps of white space, all of the text, in order."""
    end, spans = 0, document.passages
    for passage in [*spans, Passage(len(document.text), len(document.text))]:
        gap = document.text[end : passage.start]
        if not end <= passage.start <= passage.end or len(gap) > MAX_GAP or gap.strip():
            return False
        end = passage.end
    around = zip(document.mentions, _places(document.mentions, spans))
    return bool(spans) and all(spans[place].start <= m.start and m.end <= spans[place].end for m, place in around)


def _places(mentions: Iterable[Mention], spans: Sequence[Passage]) -> List[int]:
    """For each mention the number of the passage that it starts in, of passages in order."""
    starts = [span.start for span in spans]
    return [bisect_right(starts, mention.start) - 1 for mention in mentions]


def _annotation(bioc: Any, number: int, mention: Mention, text: str) -> "BioCAnnotation":
    annotation = bioc.BioCAnnotation()
    annotation.id = str(number)
    annotation.text = clean(text[mention.start : mention.end])
    annotation.infons = {"type": clean(mention.label)}
    if mention.identifier:
        annotation.infons["identifier"] = clean(mention.identifier)
    annotation.add_location(bioc.BioCLocation(mention.start, mention.end - mention.start))
    return annotation


def clean(value: str) -> str:
    """``value`` with a space for each character that XML cannot hold."""
    return _NOT_XML.sub(" ", value)
