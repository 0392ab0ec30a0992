"""What the disk holds for good, whatever happens to the machine next."""

import os
from contextlib import contextmanager
from pathlib import Path
from threading import get_ident
from typing import Iterator

from .errors import E182, E402, MTLError


def flush(path: Path) -> None:
    """Have the disk hold what was written: a file, or of a folder which files it has. Windows opens no folder, and
    flushes no file that is open for reading: there that is left to the system."""
    if os.name == "nt":
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a draft beside ``path`` to write to. When the block ends it takes the place of ``path``, whole and flushed;
    where the block fails, what was at ``path`` stays and no draft does. The folder is made."""
    path = Path(os.path.realpath(path))  # of a link, what it points to
    path.parent.mkdir(parents=True, exist_ok=True)
    # no reader looks for files with this suffix
    draft = path.with_name(f".{path.name}.{os.getpid()}.{get_ident()}.part")
    try:
        yield draft
        flush(draft)
        os.replace(draft, path)
        flush(path.parent)
    finally:
        draft.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a file as ``replacing`` does; a device or pipe is written to. Raises MTL182 for its folder and MTL402 for
    the file."""
    make_folder(path.parent)
    with writing(path):
        if path.exists() and not path.is_file() and not path.is_dir():  # /dev/stdout, say
            path.write_bytes(text.encode("utf-8"))
            return
        with replacing(path) as draft:
            draft.write_bytes(text.encode("utf-8"))


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Raise MTL402, of a file or folder to write, for any OSError in the block: a full disk, say."""
    try:
        yield
    except OSError as error:
        raise MTLError(E402(path=path, reason=error.strerror or error)) from error


def make_folder(path: Path) -> None:
    """Make a folder to write to, and those it is in. Raises MTL182 where a file is in the way, or it is not allowed."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise MTLError(E182(path=path, reason=error.strerror or error)) from error
