"""Parquet, in and out, through ``pyarrow`` (extra ``parquet``).

In: columns of text and id by ``Columns``; others go to ``meta``, dates and the like as text, NaN as null. Out: ``id``,
``text``, ``entities`` (structs), ``passages`` (structs), ``meta`` and ``problems`` (JSON). An output without suffix is
a folder of files, as Spark, Ray and pandas read it; one in ``.parquet`` is a single file.
"""

import io
import json
from pathlib import Path
from typing import Any, BinaryIO, Dict, Iterator, Sequence

from ...errors import E362, E363, MTLError
from ..records import Annotated, Failure
from .base import Columns, Place, Reader, Record, ShardWriter
from .fields import document_of, fields_of, from_json, name_of, repeated

_ROWS = 1024


def library() -> Any:
    """The library. Raises MTL363 where it is missing."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise MTLError(E363(what="Parquet", library="pyarrow", extra="parquet")) from error
    return pyarrow


def schema() -> Any:
    """The columns of the output."""
    pa = library()
    label = [("corpus", pa.string()), ("label", pa.string()), ("score", pa.float64())]
    names = ("text", "label", "unified")
    entity = [("start", pa.int64()), ("end", pa.int64()), *((name, pa.string()) for name in names)]
    entity += [("score", pa.float64()), ("sources", pa.list_(pa.struct(label)))]
    passage = [("start", pa.int64()), ("end", pa.int64()), ("section", pa.string())]
    columns = [("id", pa.string()), ("text", pa.string()), ("entities", pa.list_(pa.struct(entity)))]
    columns += [("passages", pa.list_(pa.struct(passage))), ("meta", pa.string()), ("problems", pa.string())]
    return pa.schema(columns)


def read(stream: BinaryIO, place: Place, columns: Columns) -> Iterator[Record]:
    """Yield a document a row. Raises MTL362 for what is no Parquet file or has no column of text."""
    pa = library()
    try:
        file = pa.parquet.ParquetFile(stream if stream.seekable() else io.BytesIO(stream.read()))
        if missing := columns.missing(file.schema_arrow.names):
            found = f"the columns {', '.join(file.schema_arrow.names)}"
            raise MTLError(E362(where=place.path, found=found, expected=f"a column {missing} (--text NAME)"))
        if twice := repeated(file.schema_arrow.names):
            raise MTLError(E362(where=place.path, found=f"two columns {twice!r}", expected="each name once"))
        number = 0
        for batch in file.iter_batches(batch_size=_ROWS):
            for row in _rows(batch):
                number += 1
                yield _document(row, f"{place.name}:{number}", columns)
    except (pa.ArrowException, OSError) as error:
        raise MTLError(E362(where=place.path, found=error, expected="a sound Parquet file")) from error


def _rows(batch: Any) -> Iterator[Dict[str, Any]]:
    """The rows of a batch. Where a value has no form in Python (text that is not UTF-8, a date out of its range), it
    alone is told in another way."""
    try:
        yield from batch.to_pylist()
    except (ValueError, OverflowError):
        for at in range(batch.num_rows):
            yield {name: _cell(column[at]) for name, column in zip(batch.schema.names, batch.columns)}


def _cell(scalar: Any) -> Any:
    """A value; of a text that is none its bytes, of others what can be said of them."""
    try:
        return scalar.as_py()
    except (ValueError, OverflowError) as error:
        return scalar.as_buffer().to_pybytes() if hasattr(scalar, "as_buffer") else f"unreadable ({error})"


def _document(row: Dict[str, Any], where: str, columns: Columns) -> Record:
    """The document of a row. Texts that were written without their type are bytes."""
    for column in columns.texts(row):
        try:
            row[column] = row[column].decode("utf-8") if isinstance(row[column], bytes) else row[column]
        except UnicodeDecodeError as error:
            found = f"bytes in {column!r} that are not UTF-8 (at {error.start}: {error.reason})"
            name = name_of(plain(row).get(columns.id), where)
            return Failure(name, E362(where=where, found=found, expected="a string"))
    return document_of(plain(row), where, columns)


def plain(row: Dict[str, Any]) -> Dict[str, Any]:
    """A row as JSON values; our own ``meta`` and ``problems`` are read back, nulls are left out."""
    for name in ("meta", "problems"):
        said = row.get(name)
        if isinstance(said, str) and said.startswith("{"):
            try:
                row[name] = from_json(said)
            except ValueError:
                pass  # text that only looks like ours: it stays as it is
    kept = {key: value for key, value in row.items() if value is not None}
    return {key: from_json(json.dumps(value, default=_text)) for key, value in kept.items()}


def _text(value: Any) -> str:
    """A value that JSON has no form for: bytes that are a text as that text, others as Python shows them."""
    try:
        return value.decode("utf-8") if isinstance(value, bytes) else str(value)
    except UnicodeDecodeError:
        return str(value)


def row_of(document: Annotated) -> Dict[str, Any]:
    """A document as a row of ``schema()``."""
    row = {"passages": (), **fields_of(document)}
    for name in ("meta", "problems"):
        row[name] = json.dumps(row[name], ensure_ascii=False) if name in row else None
    return row


def part(documents: Sequence[Annotated]) -> bytes:
    """A Parquet file of the documents."""
    pa, made = library(), io.BytesIO()
    rows = [row_of(document) for document in documents]
    pa.parquet.write_table(pa.Table.from_pylist(rows, schema()), made)
    return made.getvalue()


def merge(shards: Sequence[Path], output: Path) -> None:
    """One file of many, a row group each."""
    pa = library()
    with pa.parquet.ParquetWriter(output, schema()) as writer:
        for shard in shards:
            writer.write_table(pa.parquet.read_table(shard, schema=schema()))


READER = Reader(read, (".parquet",))
WRITER = ShardWriter(part, (".parquet",), merge)
