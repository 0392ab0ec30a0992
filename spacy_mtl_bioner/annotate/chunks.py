"""The unit of work: a chunk, cut by position in the input alone, so that every run cuts alike."""

import zlib
from typing import Iterable, Iterator, List, Mapping, NamedTuple, Union

from ..types import Document
from .formats.base import Columns, Line, Record
from .formats.jsonl import parse
from .records import Failure

DOCUMENTS = 128
"""Most documents of a chunk: enough to batch sentences of like length, a second or two of work on a CPU."""
BYTES = 1 << 20
"""A chunk ends once it holds this much."""


class Chunk(NamedTuple):
    """Consecutive records; ``checksum`` tells whether a later run was given the same. ``repeated``: numbers of those
    whose id stood before, and what is put behind it (``repeats.py``)."""

    index: int
    records: List[Record]
    checksum: int
    repeated: Mapping[int, str] = {}


def chunks(records: Iterable[Record], documents: int = DOCUMENTS, size: int = BYTES) -> Iterator[Chunk]:
    """Cut a stream: a chunk ends with its ``documents``-th record, or once it holds ``size`` bytes."""
    index, held, checksum = 0, 0, 0
    batch: List[Record] = []
    for record in records:
        content = _content(record)
        checksum, held = zlib.crc32(content, checksum), held + len(content)
        batch.append(record)
        if len(batch) >= documents or held >= size:
            yield Chunk(index, batch, checksum)
            index, held, checksum, batch = index + 1, 0, 0, []
    if batch:
        yield Chunk(index, batch, checksum)


def _content(record: Record) -> bytes:
    if isinstance(record, Line):
        return record.data
    if isinstance(record, Failure):  # its message may hold the path, which can be said in many ways
        said = record.code
    else:
        said = f"{record.text}\0{record.passages}\0{record.meta}"
    return f"{record.id}\0{said}".encode("utf-8", "surrogatepass")


def document_of_record(record: Record, columns: Columns) -> Union[Document, Failure]:
    """The document of a record, parsed if it was not."""
    return parse(record, columns) if isinstance(record, Line) else record
