"""Bytes in: files, plain or gzip, as numbered lines; every failure is a coded error."""

import gzip
import io
import math
import os
import zlib
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, FrozenSet, Iterator, List, Optional, Tuple

from ..errors import E001, E002, E025, E042, MTLError

MARK = "\ufeff"
"""A byte order mark, which also stands within files that were put together of several."""
BOM = MARK.encode("utf-8")
MAX_RATIO = 200
"""Text packs about 4 to 1; what unpacks to more than this many times its size is taken for a bomb ..."""
FREE_BYTES = 1 << 26
"""... once it has given this many bytes (64 MiB)."""


class _Unpacked(io.RawIOBase):
    """The content of a gzip stream of ``size`` bytes (None: unknown), which may not grow out of all proportion."""

    def __init__(self, path: Path, stream: BinaryIO, size: Optional[int]) -> None:
        self.path = path
        self.allowed = math.inf if size is None else max(FREE_BYTES, MAX_RATIO * size)
        self.stream = gzip.GzipFile(fileobj=stream)
        self.given = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:  # type: ignore[no-untyped-def]
        """Fill ``buffer``; MTL025 where the data is damaged, cut off or a bomb."""
        try:
            chunk = self.stream.read(len(buffer))
        except (OSError, EOFError, zlib.error) as error:
            raise MTLError(E025(path=self.path, reason=error)) from error
        self.given += len(chunk)
        if self.given > self.allowed:
            raise MTLError(E025(path=self.path, reason=f"it unpacks to more than {self.allowed} bytes"))
        buffer[: len(chunk)] = chunk
        return len(chunk)


@contextmanager
def open_bytes(path: Path) -> Iterator[BinaryIO]:
    """Open ``path`` for reading, unpacked where its name ends in ``.gz``. Raises MTL001, also where reading fails later
    on, and MTL025. The block may do nothing but read: any OSError in it is taken for one of ``path``."""
    try:
        with open(path, "rb") as stream:
            packed = path.suffix.lower() == ".gz"
            yield unpacked(path, stream, path.stat().st_size) if packed else stream
    except OSError as error:
        raise MTLError(E001(path=path, reason=error.strerror or error)) from error


def unpacked(path: Path, stream: BinaryIO, size: Optional[int] = None) -> BinaryIO:
    """What a gzip stream holds. ``path`` is named in messages; ``size`` of the packed stream, where it is known, tells
    a bomb. Reading raises MTL025."""
    return io.BufferedReader(_Unpacked(path, stream, size))


def read_bytes(path: Path) -> bytes:
    """The whole content of ``path`` without a byte order mark; raises as :func:`open_bytes` does."""
    with open_bytes(path) as stream:
        return stream.read().removeprefix(BOM)


def numbered_lines(path: Path) -> Iterator[Tuple[int, bytes]]:
    """Number (from 1) and content of each line, without byte order mark and line end (LF or CRLF).

    Lines stay bytes, so that one undecodable line costs its own document only; see :func:`decoded`.
    """
    with open_bytes(path) as stream:
        yield from lines_of(stream)


def lines_of(stream: BinaryIO) -> Iterator[Tuple[int, bytes]]:
    """The numbered lines of an open stream, as :func:`numbered_lines` gives them."""
    for number, line in enumerate(stream, 1):
        line = line.removesuffix(b"\n").removesuffix(b"\r")
        yield number, line.removeprefix(BOM) if number == 1 else line


def decoded(raw: bytes, path: Path, line: int = 1) -> str:
    """``raw``, which starts at ``line`` of ``path``, as text. Raises MTL002 with the line of the first bad byte."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        bad = line + raw.count(b"\n", 0, error.start)
        raise MTLError(E002(path=path, line=bad, reason=error.reason)) from error


def suffix_of(path: Path) -> str:
    """The suffix in lower case, before ``.gz``."""
    inner = path.with_suffix("") if path.suffix.lower() == ".gz" else path
    return inner.suffix.lower()


def files_of(folder: Path, suffixes: Tuple[str, ...]) -> List[Path]:
    """The files below a folder that have one of the suffixes, packed ones too, in the order of their names. Raises
    MTL042 where there is none, and MTL001."""
    found = sorted(path for path in files_below(folder) if suffix_of(path) in suffixes)
    if not found:
        raise MTLError(E042(path=folder, suffixes=", ".join(suffixes)))
    return found


def files_below(folder: Path, but: Tuple[str, ...] = (), above: FrozenSet[str] = frozenset()) -> Iterator[Path]:
    """The files of a folder and of those in it, but for hidden ones and those whose names end in one of ``but``. Links
    to folders are followed, unless to one that they are in (``above``); a link to nothing, as a file is that was not
    fetched, is one that cannot be opened. Raises MTL001 for a folder that cannot be read."""
    here = os.path.realpath(folder)
    try:
        for path in folder.iterdir() if here not in above else ():
            if path.name.startswith(".") or path.name.endswith(but):
                continue
            if path.is_dir():
                yield from files_below(path, but, above | {here})
            elif path.is_file() or path.is_symlink():
                yield path
    except OSError as error:
        raise MTLError(E001(path=folder, reason=error.strerror or error)) from error
