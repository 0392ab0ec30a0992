"""The formats of ``annotate``, by name: two tables, to which a new format is one more entry.

An output whose name ends in ``.gz`` is packed, part by part, where the format's parts stand one after the other.
"""

import gzip
from dataclasses import replace
from pathlib import Path
from typing import Dict, Optional, Sequence

from ...corpora.sources import suffix_of
from ...errors import E358, MTLError
from ..records import Annotated
from . import bioc, brat, conll, docbin, flat, html, jsonl, parquet, pubtator, tables, text
from .base import Reader, StreamWriter, Writer

PACKED = ".gz"

READERS: Dict[str, Reader] = {
    "jsonl": jsonl.READER,
    "text": text.READER,
    "csv": tables.CSV_READER,
    "tsv": tables.TSV_READER,
    "parquet": parquet.READER,
    "pubtator": pubtator.READER,
    "bioc-xml": bioc.XML_READER,
    "bioc-json": bioc.JSON_READER,
    "brat": text.READER,
    "docbin": docbin.READER,
}
WRITERS: Dict[str, Writer] = {
    "jsonl": jsonl.WRITER,
    "csv": flat.CSV_WRITER,
    "tsv": flat.TSV_WRITER,
    "pubtator": pubtator.WRITER,
    "bioc-xml": bioc.XML_WRITER,
    "bioc-json": bioc.JSON_WRITER,
    "brat": brat.WRITER,
    "conll": conll.WRITER,
    "docbin": docbin.WRITER,
    "parquet": parquet.WRITER,
    "html": html.WRITER,
}


def get_reader(path: Path, name: Optional[str] = None) -> Reader:
    """The reader called ``name``, else the one for the suffix of ``path``. Raises MTL358."""
    by_suffix = {suffix: reader for reader in READERS.values() for suffix in reader.suffixes}
    found = READERS.get(name) if name else by_suffix.get(suffix_of(path))
    if found is None:
        raise MTLError(E358(path=path, format=name or suffix_of(path), expected=", ".join(READERS), option="--from"))
    return found


def output_format(path: Path, name: Optional[str] = None) -> str:
    """The format called ``name``, else the one of the suffix of ``path``, with ``.gz`` where the path has it: what
    ``get_writer`` takes. Raises MTL358."""
    by_suffix = {suffix: key for key, writer in WRITERS.items() for suffix in writer.suffixes}
    found = name or by_suffix.get(suffix_of(path), "")
    packed = path.suffix.lower() == PACKED and not found.endswith(PACKED)
    if found.removesuffix(PACKED) not in WRITERS:
        raise MTLError(E358(path=path, format=found or suffix_of(path), expected=", ".join(WRITERS), option="--to"))
    return found + PACKED * packed


def get_writer(format: str) -> Writer:
    """The writer of a format, ``jsonl`` or ``jsonl.gz``. Raises MTL358 for one that cannot be packed."""
    writer = WRITERS[format.removesuffix(PACKED)]
    if not format.endswith(PACKED):
        return writer
    if not isinstance(writer, StreamWriter) or writer.unpack:
        able = [name for name, it in WRITERS.items() if isinstance(it, StreamWriter) and not it.unpack]
        raise MTLError(E358(path=format, format=format, expected=f"{', '.join(able)} to be packed", option="--to"))
    ends = {name: _packed(getattr(writer, name)) for name in ("head", "between", "foot")}
    return replace(writer, part=_PackedPart(writer), empty=gzip.compress(b"", mtime=0), **ends)


def _packed(data: bytes) -> bytes:
    """A member of a gzip file, always the same for the same data; nothing for nothing."""
    return gzip.compress(data, mtime=0) if data else b""


class _PackedPart:
    """The part of a writer, packed."""

    def __init__(self, writer: Writer) -> None:
        self.writer = writer

    def __call__(self, documents: Sequence[Annotated]) -> bytes:
        return _packed(self.writer.part(documents))
