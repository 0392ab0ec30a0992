"""One process at a time makes an output: a lock beside it, which the system frees with the process, however that
ends."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from ..errors import E360, MTLError
from .companions import LOCK, companion


def named(output: Path) -> Path:
    """An output with a name, beside which files can be put: ``.`` has none."""
    return output.resolve() if output.name in ("", "..") else output


class OutputLock:
    """The lock of an output, ``OUTPUT.lock``; its file is there only while it is held, or after a kill."""

    def __init__(self, output: Path) -> None:
        self.output, self.path = output, companion(output, LOCK)
        self._lock = FileLock(self.path)

    def acquire(self) -> None:
        """Hold it, in a folder that is made where it is missing. Raises MTL360 where another process does, OSError
        where the folder cannot be written."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._lock.acquire(timeout=0)
        except Timeout as error:
            raise MTLError(E360(path=self.output)) from error

    def release(self) -> None:
        """Let go; nothing happens where it is not held."""
        if not self._lock.is_locked:
            return
        if os.name != "nt":  # there no file that is open can be removed, and letting go removes it
            with suppress(OSError):
                self.path.unlink()
        self._lock.release()

    def __enter__(self) -> "OutputLock":
        """As ``acquire``."""
        self.acquire()
        return self

    def __exit__(self, *error: Any) -> None:
        """As ``release``."""
        self.release()
