"""What passes between the process that leads a job and those that tag: plain values, so that leading loads no model."""

import errno
from pathlib import Path
from typing import Dict, NamedTuple, Tuple

from ..errors import E353, MTLError
from .formats.base import Columns
from .options import Options
from .records import Failure


class Settings(NamedTuple):
    """What a process needs to do chunks: plain values."""

    model: str
    options: Options
    format: str
    columns: Columns
    threads: int = 1


COUNTS = ("documents", "failed", "characters", "tokens")


class Report(NamedTuple):
    """What became of a chunk, whose part of the output is in the file ``part``. ``counts`` are those of ``COUNTS``;
    ``seconds`` is how long it took."""

    index: int
    checksum: int
    part: Path
    counts: Dict[str, int]
    entities: Dict[str, int]
    problems: Dict[str, int]
    failures: Tuple[Failure, ...]
    seconds: float


def disk_error(path: Path, error: OSError) -> MTLError:
    """The coded error for a file that could not be written."""
    reason = error.strerror or str(error)
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        reason = f"no space left: {reason}"
    return MTLError(E353(path=path, reason=reason))
