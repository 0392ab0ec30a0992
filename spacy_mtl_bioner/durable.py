"""What the disk holds for good, whatever happens to the machine next."""

import os
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator


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
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")  # no reader looks for files with this suffix
    try:
        yield draft
        flush(draft)
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)
