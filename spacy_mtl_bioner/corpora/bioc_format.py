"""BioC, XML and JSON, through the library ``bioc``, which is imported on first use (extra ``bioc``).

XML is parsed with entities refused, no DTD loaded and no network, a document at a time, before the library sees it.
"""

import json
from collections import Counter
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, Callable, Iterator, List, Tuple

from ..errors import E033, E034, E035, E038, MTLError
from ..types import Document
from .bioc_document import parse_bioc
from .problems import Problems
from .sources import BOM, decoded, open_bytes
from .standoff import Draft, Labels, Parser, failure, gather, parsers_of

XML_SUFFIXES = (".xml", ".bioc")
JSON_SUFFIXES = (".json",)
_EXPECTED = "a BioC collection with documents"
_CHUNK = 1 << 16
_ROOT = "<collection> of BioC; XML of PubMed, or JATS, has to be made BioC, PubTator or JSONL first"


def read_bioc_xml(path: Path, problems: Problems, labels: Labels = None) -> Iterator[Document]:
    """Yield the documents of a BioC XML file (``.gz`` too), or of all in a folder, one in memory at a time.

    Coded errors: MTL033 where the XML is malformed (what follows is left out when errors are skipped), MTL034 where it
    is other XML, or a document lacks something, MTL035 where it declares entities, MTL030 for a mention of several
    parts, MTL038 where the library is missing, and those of :func:`~spacy_mtl_bioner.corpora.standoff.gather`.
    """
    parsers = parsers_of(path, XML_SUFFIXES, partial(_of, xml_parsers), _EXPECTED)
    return gather(path, problems, parsers, _EXPECTED, labels)


def read_bioc_json(path: Path, problems: Problems, labels: Labels = None) -> Iterator[Document]:
    """Yield the documents of a BioC JSON file (``.gz`` too), or of all in a folder: a collection, a list of collections
    or documents, one document, or what PubTator3 gives.

    Coded errors as in :func:`read_bioc_xml`; messages name file and document, as JSON keeps no lines.
    """
    parsers = parsers_of(path, JSON_SUFFIXES, partial(_of, json_parsers), _EXPECTED)
    return gather(path, problems, parsers, _EXPECTED, labels)


def library(path: Path) -> Any:
    """The library ``bioc``. Raises MTL038 where it is missing."""
    try:
        import bioc
        import bioc.biocjson
        import bioc.biocxml
        import lxml.etree  # noqa: F401
    except ImportError as error:
        raise MTLError(E038(path=path)) from error
    return bioc


Parse = Callable[..., Draft]
"""``parse_bioc``, or ``parse_text`` for the text alone."""


def _of(parsers: Callable[[Path, BinaryIO, Parse], Iterator[Parser]], path: Path) -> Iterator[Parser]:
    with open_bytes(path) as stream:
        yield from parsers(path, stream, parse_bioc)


def xml_parsers(path: Path, stream: BinaryIO, parse: Parse) -> Iterator[Parser]:
    """A parser for each ``document`` element; one that fails where the XML cannot be read on. ``path`` is named in
    messages."""
    library(path)
    from lxml import etree

    safe = {"resolve_entities": False, "no_network": True, "load_dtd": False, "huge_tree": False}
    pull = etree.XMLPullParser(events=("start", "end"), remove_comments=True, remove_pis=True, **safe)
    number = 0
    try:
        for event, element in _events(stream, pull):
            if event == "start" and element.getparent() is None:
                _refuse_entities(path, element)
                if element.tag != "collection":
                    yield failure(E034(where=f"{path}:{element.sourceline}", found=f"<{element.tag}>", expected=_ROOT))
                    return
            elif event == "end" and element.tag == "document":
                number += 1
                yield _of_element(path, number, element, parse)
                element.clear()
                while element.getprevious() is not None:
                    del element.getparent()[0]
    except etree.XMLSyntaxError as error:
        yield failure(E033(where=f"{path}:{error.lineno}", format="XML", reason=error.msg))


def _of_element(path: Path, number: int, element: Any, parse: Parse) -> Parser:
    """The parser of a document's element, of which the library would cut texts off at the first element within."""
    from lxml import etree

    for text in element.iter("text"):
        for within in text if text.getparent().tag != "annotation" else ():
            found = f"{f'<{within.tag}>' if isinstance(within.tag, str) else within.text} within <text>"
            return failure(E034(where=f"{path}:{within.sourceline}", found=found, expected="characters alone"))
    keys = Counter(note.get("id", "") for note in element.iter("annotation"))  # one that comes again has no line
    lines = {key: note.sourceline for note in element.iter("annotation") if keys[key := note.get("id", "")] == 1}
    one = f"<collection>{etree.tostring(element, encoding='unicode', with_tail=False)}</collection>"
    return partial(parse, path, number, partial(_decoded_xml, library(path), one), element.sourceline, lines)


def _decoded_xml(bioc: Any, source: str) -> Any:
    return bioc.biocxml.loads(source).documents[0]


def _events(stream: BinaryIO, pull: Any) -> Iterator[Tuple[str, Any]]:
    """The events of a stream; where its XML ends in an error, those before it come first."""
    chunk = stream.read(_CHUNK)
    if not chunk:
        return
    try:
        while chunk:
            pull.feed(chunk)
            yield from pull.read_events()
            chunk = stream.read(_CHUNK)
        pull.close()
    except SyntaxError:  # lxml's is one, too
        yield from pull.read_events()
        raise
    yield from pull.read_events()


def _refuse_entities(path: Path, root: Any) -> None:
    declared = root.getroottree().docinfo.internalDTD
    for entity in declared.iterentities() if declared is not None else ():
        raise MTLError(E035(path=path, name=entity.name))


def json_parsers(path: Path, stream: BinaryIO, parse: Parse) -> Iterator[Parser]:
    """A parser for each document; one that fails where there is no BioC at all. ``path`` is named in messages."""
    bioc, raw = library(path), stream.read().removeprefix(BOM)
    if not raw.strip():
        return
    try:
        content = json.loads(decoded(raw, path))
    except MTLError as error:
        yield failure(str(error))
        return
    except (ValueError, RecursionError) as error:
        where = f"{path}:{getattr(error, 'lineno', 1)}"
        yield failure(E033(where=where, format="JSON", reason=error))
        return
    if isinstance(content, dict):
        content = content.get("documents", content.get("PubTator3", [content]))
    if not isinstance(content, list):
        yield failure(E034(where=path, found=type(content).__name__, expected="a list of documents"))
        return
    for number, source in enumerate(chain.from_iterable(map(_documents, content)), 1):
        yield partial(parse, path, number, partial(bioc.biocjson.fromJSON, source, "BioCDocument"))


def _documents(source: Any) -> List[Any]:
    """Those of a collection, as NCBI gives a list of; else the one document that stands there."""
    inside = source.get("documents") if isinstance(source, dict) else None
    return inside if isinstance(inside, list) else [source]
