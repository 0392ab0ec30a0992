"""Where finished parts go, in order, so that what is safe is known at every moment and the output appears at once.

A sink's ``state`` is JSON that the journal keeps; ``restore`` brings the sink back to such a state, whatever was
written after it.
"""

import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, Callable, Optional, Protocol, Sequence

from ..durable import flush
from ..errors import E367, MTLError

BLOCK = 1 << 20


def publish(made: Path, output: Path) -> None:
    """Let ``output`` appear at once, for good."""
    os.replace(made, output)
    flush(output.parent)


class Sink(Protocol):
    """Takes parts in order and turns into the output in the end."""

    def restore(self, state: Any) -> None:
        """Go back to a state that ``append`` returned; None: the start. Raises MTL367 where that is lost."""

    def append(self, part: Path) -> Any:
        """Take a part over for good; returns the state."""

    def build(self) -> Path:
        """Make what only has to be moved to where the output is to be (``publish``): whole, and safe on the disk."""

    def close(self) -> None:
        """Let go of open files; everything stays."""


class Log:
    """A file that only grows, whose length is known to be safe when ``append`` returns."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: Optional[BinaryIO] = None

    def restore(self, end: int) -> None:
        """Forget what stands after ``end`` bytes. Raises MTL367 where there are fewer."""
        self.close()
        self._file = open(self.path, "r+b" if self.path.exists() else "w+b")
        size = self._file.seek(0, os.SEEK_END)
        if size < end:
            raise MTLError(E367(path=self.path, reason=f"{size} bytes, where {end} were safe"))
        self._file.truncate(end)
        self._file.seek(end)

    def append(self, *blocks: bytes) -> int:
        """Write, make safe; returns the new end."""
        assert self._file is not None
        for block in blocks:
            self._file.write(block)
        return self.sync()

    def append_file(self, path: Path) -> None:
        """Write the content of a file; not yet safe."""
        assert self._file is not None
        with open(path, "rb") as source:
            shutil.copyfileobj(source, self._file, BLOCK)

    def sync(self) -> int:
        """Make safe what was written; returns the end."""
        assert self._file is not None
        self._file.flush()
        os.fsync(self._file.fileno())
        return self._file.tell()

    def close(self) -> None:
        """Close the file."""
        file, self._file = self._file, None
        if file is not None:
            with suppress(OSError):  # a full disk, which was told of: what counts was made safe before
                file.close()


class StreamSink:
    """Parts one after the other in one file. ``empty``: what that holds where there is nothing to write."""

    def __init__(
        self,
        path: Path,
        head: bytes = b"",
        between: bytes = b"",
        foot: bytes = b"",
        unpack: Optional[Callable[[Path, Path], None]] = None,
        empty: bytes = b"",
    ) -> None:
        self.log, self.head, self.between, self.foot, self.unpack = Log(path), head, between, foot, unpack
        self.first, self.empty = True, empty

    def restore(self, state: Any) -> None:
        """See ``Sink``."""
        end, self.first = (0, True) if state is None else (state["end"], state["first"])
        self.log.restore(end)
        if not end:
            self.log.append(self.head)

    def append(self, part: Path) -> Any:
        """See ``Sink``. An empty part (all its documents failed) leaves no trace."""
        if part.stat().st_size:
            if not self.first:
                self.log.append(self.between)
            self.log.append_file(part)
            self.first = False
        end = self.log.sync()
        part.unlink()
        return {"end": end, "first": self.first}

    def build(self) -> Path:
        """See ``Sink``."""
        if not self.log.append(self.foot):
            self.log.append(self.empty)
        self.log.close()
        if self.unpack is None:
            return self.log.path
        made = self.log.path.with_name("unpacked")
        shutil.rmtree(made, ignore_errors=True)
        made.mkdir()
        self.unpack(self.log.path, made)
        if hasattr(os, "sync"):  # at once for so many files
            os.sync()
        return made

    def close(self) -> None:
        """See ``Sink``."""
        self.log.close()


class ShardSink:
    """Parts as files of a folder, ``part-00000.parquet``, which is the output unless ``merge`` makes one file of it."""

    def __init__(
        self, folder: Path, suffix: str, merge: Optional[Callable[[Sequence[Path], Path], None]] = None
    ) -> None:
        self.folder, self.suffix, self.merge = folder, suffix, merge

    def restore(self, state: Any) -> None:
        """See ``Sink``."""
        self.folder.mkdir(exist_ok=True)
        safe = 0 if state is None else state["shards"]
        shards = self._shards()
        if len(shards) < safe:
            raise MTLError(E367(path=self.folder, reason=f"{len(shards)} files, where {safe} were safe"))
        for shard in shards[safe:]:
            shard.unlink()
        self.count = safe

    def append(self, part: Path) -> Any:
        """See ``Sink``. An empty part (all its documents failed) leaves no trace."""
        if part.stat().st_size:
            flush(part)
            publish(part, self.folder / f"part-{self.count:06}{self.suffix}")
            self.count += 1
        return {"shards": self.count}

    def build(self) -> Path:
        """See ``Sink``."""
        if self.merge is None:
            return self.folder
        made = self.folder.with_name("merged")
        self.merge(self._shards(), made)
        flush(made)
        return made

    def close(self) -> None:
        """See ``Sink``."""

    def _shards(self) -> Sequence[Path]:
        return sorted(self.folder.glob(f"part-*{self.suffix}"))
