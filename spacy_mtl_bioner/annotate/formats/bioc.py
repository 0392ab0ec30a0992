"""BioC, XML and JSON, in and out, through the library ``bioc`` (extra ``bioc``).

In: text, passages and sections; annotation is passed over. Out: passages are kept where they cover the text, and an
annotation has the infons ``type``, ``score``, ``corpora``, and ``label`` where that differs from the type. Of documents
with the same id the second is ``ID~2``.
"""

import json
from pathlib import Path
from typing import Any, BinaryIO, Callable, Dict, Iterator, Sequence

from ...corpora.bioc_document import parse_text
from ...corpora.bioc_format import json_parsers, library, xml_parsers
from ...corpora.bioc_write import clean, encoded
from ...errors import E362, MTLError
from ..records import Annotated, Entity, Failure
from .base import Columns, Place, Reader, Record, StreamWriter

_HERE = Path("BioC output")
_XML_HEAD = b"""<?xml version='1.0' encoding='utf-8' standalone='yes'?>
<collection>
  <source></source>
  <date></date>
  <key></key>
"""
_JSON_HEAD = b'{"bioctype": "BioCCollection", "source": "", "date": "", "key": "", "infons": {}, "documents": [\n'


def read_xml(stream: BinaryIO, place: Place, columns: Columns) -> Iterator[Record]:
    """Yield the documents; where the XML cannot be read on, a failure (MTL033) stands for the rest, and a failure
    (MTL362) for an empty file."""
    return _read(xml_parsers, stream, place)


def read_json(stream: BinaryIO, place: Place, columns: Columns) -> Iterator[Record]:
    """Yield the documents of a collection, a list, one document, or what PubTator3 gives."""
    return _read(json_parsers, stream, place)


def _read(parsers: Callable[..., Any], stream: BinaryIO, place: Place) -> Iterator[Record]:
    if not stream.peek(1):  # type: ignore[attr-defined]
        yield Failure(place.name, E362(where=place.path, found="an empty file", expected="a BioC collection"))
    for number, parser in enumerate(parsers(place.path, stream, parse_text), 1):
        try:
            yield parser().document
        except MTLError as error:
            yield Failure(f"{place.name}:{number}", str(error))


def xml_part(documents: Sequence[Annotated]) -> bytes:
    """The ``document`` elements. Raises MTL038 where the library is missing."""
    bioc = library(_HERE)
    from bioc.biocxml.encoder import encode_document
    from lxml import etree

    trees = (encode_document(_target(bioc, document)) for document in documents)
    return b"".join(etree.tostring(tree, pretty_print=True, encoding="utf-8") for tree in trees)


def json_part(documents: Sequence[Annotated]) -> bytes:
    """The document objects, commas between them. Raises MTL038 where the library is missing."""
    bioc = library(_HERE)
    targets = (bioc.biocjson.toJSON(_target(bioc, document)) for document in documents)
    return ",\n".join(json.dumps(target, ensure_ascii=False) for target in targets).encode("utf-8", "replace")


def _target(bioc: Any, document: Annotated) -> Any:
    """The library's form of a document, its annotations with scores and corpora."""
    target = encoded(bioc, document.to_document())
    for passage in target.passages:
        for annotation in passage.annotations:
            annotation.infons.update(_infons(document.entities[int(annotation.id) - 1]))
    return target


def _infons(entity: Entity) -> Dict[str, str]:
    made = {} if entity.score is None else {"score": str(entity.score)}
    if entity.sources:
        made["corpora"] = clean(entity.said_by)
    if entity.label != entity.shown:
        made["label"] = clean(entity.label)
    return made


XML_READER = Reader(read_xml, (".xml", ".bioc"))
JSON_READER = Reader(read_json, (".json",))
XML_WRITER = StreamWriter(xml_part, (".xml", ".bioc"), head=_XML_HEAD, foot=b"</collection>\n", written=clean)
JSON_WRITER = StreamWriter(json_part, (".json",), head=_JSON_HEAD, between=b",\n", foot=b"\n]}\n", written=clean)
