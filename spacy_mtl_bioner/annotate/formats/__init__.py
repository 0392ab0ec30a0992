"""The formats of ``annotate``, by name: two tables, to which a new format is one more entry."""

from pathlib import Path
from typing import Dict, Optional

from ...errors import E358, MTLError
from . import jsonl, pubtator, text
from .base import Reader, Writer

READERS: Dict[str, Reader] = {
    "jsonl": jsonl.READER,
    "text": text.READER,
    "brat": text.READER,
    "pubtator": pubtator.READER,
}
WRITERS: Dict[str, Writer] = {
    "jsonl": jsonl.WRITER,
    "pubtator": pubtator.WRITER,
}


def suffix_of(path: Path) -> str:
    """The lower-case suffix that tells the format: before ``.gz``."""
    return (path.with_suffix("") if path.suffix.lower() == ".gz" else path).suffix.lower()


def get_reader(path: Path, name: Optional[str] = None) -> Reader:
    """The reader called ``name``, else the one for the suffix of ``path``. Raises MTL358."""
    by_suffix = {suffix: reader for reader in READERS.values() for suffix in reader.suffixes}
    found = READERS.get(name) if name else by_suffix.get(suffix_of(path))
    if found is None:
        raise MTLError(E358(path=path, format=name or suffix_of(path), expected=", ".join(READERS), option="--from"))
    return found


def get_writer(path: Path, name: Optional[str] = None) -> Writer:
    """The writer called ``name``, else the one for the suffix of ``path``. Raises MTL358."""
    found = WRITERS.get(name or format_of(path))
    if found is None:
        raise MTLError(E358(path=path, format=name or suffix_of(path), expected=", ".join(WRITERS), option="--to"))
    return found


def format_of(path: Path) -> str:
    """The name of the output format that the suffix of ``path`` tells, or ``""``."""
    by_suffix = {suffix: name for name, writer in reversed(WRITERS.items()) for suffix in writer.suffixes}
    return by_suffix.get(path.suffix.lower(), "")
