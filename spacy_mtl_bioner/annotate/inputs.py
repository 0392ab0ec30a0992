"""From a file, a folder or standard input to a stream of records, in an order that depends on names alone."""

import os
import sys
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Dict, Iterator, List, NamedTuple, Optional, Tuple

from ..corpora.sources import files_below, suffix_of, unpacked
from ..errors import E001, E359, E361, E371, MTLError
from .companions import ALL, JOB, companion
from .formats import READERS, get_reader
from .formats.base import Columns, Place, Reader, Record

STDIN = "-"
_GZIP = b"\x1f\x8b"


class _File(NamedTuple):
    place: Place
    reader: Reader


class Inputs:
    """The documents of a file, of the files of a folder (sub-folders and links too), or of standard input (``-``).

    ``total`` is their size in bytes (None: unknown) and ``position`` how much of it was read. A folder gives the files
    whose suffixes are known, or those of the format named, but for hidden ones and those of unfinished jobs; a name in
    ``.gz`` is unpacked on the way. ``passed_over`` counts its other files, by suffix.
    """

    def __init__(
        self, path: str, format: Optional[str] = None, columns: Columns = Columns(), name: Optional[str] = None
    ) -> None:
        """``name``: what ids of a single file are made of; None: its own.

        Raises MTL361 for a path that is not there, MTL358 for an unknown format, MTL371 for an empty folder, MTL001 for
        one that cannot be read, MTL359 for an unknown encoding.
        """
        self.path, self.format, self.columns = path, format, columns
        try:
            "x".encode(columns.encoding)
        except (LookupError, ValueError) as error:
            expected = "an encoding that Python knows, such as utf-8 or latin-1"
            raise MTLError(E359(option="--encoding", found=columns.encoding, expected=expected)) from error
        self.passed_over: Dict[str, int] = {}
        if path == STDIN:
            self.files = _standard_input(format)
        elif Path(path).is_dir():
            self.files, self.passed_over = _folder(Path(path), format)
        else:
            self.files = _file(Path(path), format, name)
        sizes = [0 if path == STDIN else file.place.path.stat().st_size for file in self.files]
        self.total = None if path == STDIN else sum(sizes)
        self._before, self._stream = 0, None

    @property
    def names(self) -> List[str]:
        """The names of the files, for a job's fingerprint."""
        return [file.place.name for file in self.files]

    @property
    def position(self) -> int:
        """Bytes read so far, packed ones where a file is packed."""
        try:
            return self._before + (self._stream.tell() if self._stream is not None else 0)
        except (OSError, ValueError):
            return self._before

    def keep_from(self, output: Path) -> None:
        """Raise MTL359 where making ``output`` would touch the input, or add to the folder that is read."""
        if self.path == STDIN:
            return
        source, target = Path(self.path).resolve(), output.resolve()
        made = {companion(target, ending) for ending in ALL}
        for path in (source, *(file.place.path.resolve() for file in self.files)):
            if not made.isdisjoint((path, *path.parents)):
                expected = f"a place that takes nothing of the input ({path})"
                raise MTLError(E359(option="OUTPUT", found=str(output), expected=expected))
        folders = {source, *(path.resolve() for path in {file.place.path.parent for file in self.files})}
        if source.is_dir() and not folders.isdisjoint(target.parents):
            expected = f"a place outside the input ({source}), whose files are all read"
            raise MTLError(E359(option="OUTPUT", found=str(output), expected=expected))

    def __iter__(self) -> Iterator[Record]:
        """Yield the records of all files. Raises MTL001 where a file cannot be read, and as its reader does."""
        for place, reader in self.files:
            with self._open(place) as stream:
                yield from reader.read(stream, place, self.columns)

    @contextmanager
    def _open(self, place: Place) -> Iterator[BinaryIO]:
        if self.path == STDIN:
            yield _maybe_packed(sys.stdin.buffer)
            return
        try:
            raw = open(place.path, "rb")
        except OSError as error:
            raise MTLError(E001(path=place.path, reason=error.strerror)) from error
        with raw:
            self._stream, size = raw, os.fstat(raw.fileno()).st_size
            yield unpacked(place.path, raw, size) if place.path.suffix.lower() == ".gz" else raw
            self._before, self._stream = self._before + size, None


def _standard_input(format: Optional[str]) -> List[_File]:
    return [_File(Place(Path("standard input"), "stdin"), get_reader(Path(".jsonl"), format or "jsonl"))]


def _maybe_packed(stream: BinaryIO) -> BinaryIO:
    """Standard input has no name that would say whether it is packed; its first bytes do."""
    first = stream.peek(2)[:2]  # type: ignore[attr-defined]
    return unpacked(Path("standard input"), stream) if first == _GZIP else stream


def _file(path: Path, format: Optional[str], name: Optional[str]) -> List[_File]:
    if not path.exists():
        raise MTLError(E361(path=path))
    return [_File(Place(path, name or _stem(path.name)), get_reader(path, format))]


def _folder(folder: Path, format: Optional[str]) -> Tuple[List[_File], Dict[str, int]]:
    """The files to read, and how many others there are of each suffix. Raises MTL371 where there is none to read."""
    named: Tuple[Reader, ...] = (get_reader(folder, format),) if format else tuple(READERS.values())
    suffixes = {suffix for reader in named for suffix in reader.suffixes}
    found, others = [], Counter()
    for path in sorted(files_below(folder, but=(JOB,))):
        if suffix_of(path) in suffixes:
            inside = path.relative_to(folder)
            found.append(_File(Place(path, _stem(inside.as_posix())), get_reader(path, format)))
        else:
            others[suffix_of(path) or "(none)"] += 1
    if not found:
        there = ", ".join(f"{count} of {suffix}" for suffix, count in others.most_common()) or "none at all"
        which = f"the format {format}" if format else "a format that can be read"
        raise MTLError(E371(path=folder, which=which, suffixes=", ".join(sorted(suffixes)), there=there))
    return found, dict(others.most_common())


def _stem(name: str) -> str:
    """A file's name without ``.gz`` and the format's suffix."""
    name = name[:-3] if name.lower().endswith(".gz") else name
    head, dot, tail = name.rpartition(".")
    return head if dot and head and "/" not in tail else name
