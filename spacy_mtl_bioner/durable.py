"""What the disk holds for good, whatever happens to the machine next."""

import os
from pathlib import Path


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
