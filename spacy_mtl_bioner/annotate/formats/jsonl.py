"""JSONL, in and out: ``{"id": "1", "text": "...", "entities": [...], "passages": [...], "meta": {...}}`` a line.

In: ``text`` and ``id`` may have other names (``Columns``); a missing id becomes ``FILE:LINE``; ``passages`` are
``{"start", "end", "section"}``. Every other field stays in ``meta`` but annotation, which tagging replaces.
"""

import json
from typing import Any, BinaryIO, Dict, Iterator, List, Sequence, Union

from ...corpora.jsonl import ENTITIES
from ...corpora.sources import lines_of
from ...errors import E362
from ...types import Document, Passage
from ..records import Annotated, Entity, Failure
from .base import Columns, Line, Place, Reader, Record, StreamWriter

_encode = json.JSONEncoder(ensure_ascii=False, check_circular=False).encode
_OURS = ("passages", "meta", "problems", *ENTITIES)
_EXPECTED = 'a line {"id": ..., "text": ...}'


def read(stream: BinaryIO, place: Place, columns: Columns) -> Iterator[Record]:
    """Yield each line that is not blank, not parsed yet."""
    for number, line in lines_of(stream):
        if line.strip():
            yield Line(place.name, number, line)


def parse(line: Line, columns: Columns) -> Union[Document, Failure]:
    """The document of a line, or a failure (MTL362) that says what is wrong with it."""
    name = f"{line.name}:{line.number}"
    try:
        record = json.loads(line.data)
    except (ValueError, RecursionError) as error:  # UnicodeDecodeError is a ValueError
        return Failure(name, E362(where=name, found=f"malformed JSON ({error})", expected=_EXPECTED))
    if not isinstance(record, dict):
        return Failure(name, E362(where=name, found=f"JSON of type {type(record).__name__}", expected=_EXPECTED))
    given, text = record.pop(columns.id, None), record.pop(columns.text, None)
    name = str(given) if isinstance(given, (str, int)) and given != "" else name
    if not isinstance(text, str):
        found = f"{text!r:.40} as {columns.text!r}, beside the fields {sorted(record)}"
        return Failure(name, E362(where=f"{line.name}:{line.number}", found=found, expected="a string"))
    meta = record.get("meta")
    extra = {key: value for key, value in record.items() if key not in _OURS}
    meta = {**meta, **extra} if isinstance(meta, dict) else extra
    try:
        passages = [Passage(int(p["start"]), int(p["end"]), str(p.get("section", ""))) for p in record.get("passages", ())]
    except (TypeError, KeyError, ValueError) as error:
        found = f"malformed passages ({type(error).__name__}: {error})"
        return Failure(name, E362(where=f"{line.name}:{line.number}", found=found, expected="start, end, section"))
    return Document(name, text, passages=passages, meta=meta, line=line.number)


def part(documents: Sequence[Annotated]) -> bytes:
    """A line each."""
    return "".join([_encode(as_record(document)) + "\n" for document in documents]).encode("utf-8", "replace")


def as_record(document: Annotated) -> Dict[str, Any]:
    """A document as JSON values; passages, meta and problems only where there are any."""
    record: Dict[str, Any] = {"id": document.id, "text": document.text}
    record["entities"] = [_entity(entity) for entity in document.entities]
    if document.passages:
        record["passages"] = [vars(passage) for passage in document.passages]
    if document.meta:
        record["meta"] = document.meta
    if document.problems:
        record["problems"] = document.problems
    return record


def _entity(entity: Entity) -> Dict[str, Any]:
    start, end, text, label, unified, score, sources = entity
    made: Dict[str, Any] = {"start": start, "end": end, "text": text, "label": label}
    if unified is not None:
        made["unified"] = unified
    made["score"] = score
    made["sources"] = _sources(sources)
    return made


def _sources(sources: Any) -> List[Dict[str, Any]]:
    return [{"corpus": corpus, "label": label, "score": score} for corpus, label, score in sources]


READER = Reader(read, (".jsonl", ".ndjson"))
WRITER = StreamWriter(part, (".jsonl", ".ndjson"))
