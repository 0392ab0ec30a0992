"""Where trainings are kept: a folder each, whose name ends in its key, with config, log and, at its end, result."""

import json
from pathlib import Path
from typing import Any, Dict, Optional

from filelock import FileLock, Timeout

from ..durable import write_text
from ..errors import E300, MTLError

JOB, CONFIG, LOG, CURVE = "job.json", "config.cfg", "train.log", "log.jsonl"
RESULT, FAILURE, CLAIM, COUNTS = "result.json", "failure.json", "claim.lock", "counts.json"


def read_json(path: Path) -> Any:
    """Return what a JSON file holds, ``None`` where there is no file. Raises MTLError (MTL300) for a damaged one."""
    try:
        return json.loads(path.read_text(encoding="utf8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise MTLError(E300(path=path, what="JSON", reason=error)) from error


def write_json(path: Path, value: Any, indent: Optional[int] = 1) -> None:
    """Write a JSON file as ``write_text`` does: as a whole or not at all, its folder is made."""
    write_text(path, json.dumps(value, indent=indent, ensure_ascii=False) + "\n")


def claim(folder: Path) -> Optional[FileLock]:
    """Return the training's lock, held, or ``None`` where a living process holds it. The system frees it with the
    process that holds it, however that ends, so that no claim outlives its training."""
    lock = FileLock(folder / CLAIM)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return None
    return lock


def is_claimed(folder: Path) -> bool:
    """Whether a living process trains in the folder."""
    lock = claim(folder)
    if lock is not None:
        lock.release()
    return lock is None


def result_of(folder: Path) -> Optional[Dict[str, Any]]:
    """Return the result of a finished training, else ``None``."""
    return read_json(folder / RESULT)


def failure_of(folder: Path) -> Optional[str]:
    """Return why a training failed that was not tried again since, else ``None``."""
    found = read_json(folder / FAILURE)
    return None if found is None else found["reason"]


def tail(path: Path) -> str:
    """Return the last 2,000 characters of a log."""
    return path.read_text(encoding="utf8", errors="replace")[-2000:] if path.exists() else ""
