"""What passes between the process that leads a job and those that tag: plain values, so that leading loads no model."""

import errno
from collections import Counter
from pathlib import Path
from typing import Any, Counter as CounterType, Dict, Iterable, Mapping, NamedTuple, Tuple

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


class Totals:
    """Sums over chunks of a job: what was done (``COUNTS``), entities by label, problems by name."""

    def __init__(self, chunks: Iterable[Mapping[str, Any]]) -> None:
        """Sum up ``counts``, ``entities`` and ``problems`` of each chunk."""
        self.counts = Counter(dict.fromkeys(COUNTS, 0))
        self.entities: CounterType[str] = Counter()
        self.problems: CounterType[str] = Counter()
        for chunk in chunks:
            self.counts.update(chunk["counts"])
            self.entities.update(chunk["entities"])
            self.problems.update(chunk["problems"])

    def summary(self) -> Dict[str, Any]:
        """As a job's summary has them."""
        return {**self.counts, "entities": dict(self.entities.most_common()), "problems": dict(self.problems)}

    def rates(self, seconds: float) -> Dict[str, float]:
        """Documents (failed ones too) and tokens a second."""
        documents = self.counts["documents"] + self.counts["failed"]
        return {
            "documents/s": round(documents / seconds, 1),
            "tokens/s": round(self.counts["tokens"] / seconds),
        }


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
