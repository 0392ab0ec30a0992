"""JSONL, in and out: ``{"id": "1", "text": "...", "entities": [...], "passages": [...], "meta": {...}}`` a line.

In: ``text`` and ``id`` may have other names (``Columns``); a missing id becomes ``FILE:LINE``; ``passages`` are
``{"start", "end", "section"}``. Every other field stays in ``meta`` but annotation, which tagging replaces; NaN and
infinities, which are no JSON, become null.
"""

import json
from typing import BinaryIO, Iterator, Sequence, Union

from ...corpora.sources import lines_of
from ...errors import E362
from ...types import Document
from ..records import Annotated, Failure
from .base import Columns, Line, Place, Reader, Record, StreamWriter
from .fields import document_of, fields_of, from_json

_encode = json.JSONEncoder(ensure_ascii=False, check_circular=False).encode
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
        record = from_json(line.data)
    except (ValueError, RecursionError) as error:  # UnicodeDecodeError is a ValueError
        return Failure(name, E362(where=name, found=f"malformed JSON ({error})", expected=_EXPECTED))
    if not isinstance(record, dict):
        return Failure(name, E362(where=name, found=f"JSON of type {type(record).__name__}", expected=_EXPECTED))
    return document_of(record, name, columns)


def part(documents: Sequence[Annotated]) -> bytes:
    """A line each."""
    return "".join([_encode(fields_of(document)) + "\n" for document in documents]).encode("utf-8", "replace")


READER = Reader(read, (".jsonl", ".ndjson"))
WRITER = StreamWriter(part, (".jsonl", ".ndjson"))
