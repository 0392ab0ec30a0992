"""What is safe: a job's folder beside its output, with a line in a journal for each chunk that is done.

``OUTPUT.job/`` holds ``job.json`` (the fingerprint), ``journal.jsonl``, the output and the errors so far, for the time
of a run, parts, and ``replaces`` where an older output is to give way at the end. A journal line is written when all
that it tells of is on the disk; whatever is there beyond the last line is forgotten at the next start. So a run may
be killed at any moment.
"""

import json
import os
import shutil
from pathlib import Path
from typing import Any, Dict, List

from ..durable import replacing
from ..errors import E350, E351, E352, E367, MTLError
from .companions import ERRORS, JOB, SUMMARY, companion
from .lock import OutputLock
from .reports import Report, disk_error
from .sinks import Log, Sink, publish


class Job:
    """The folder of one output, locked while it is open."""

    def __init__(self, output: Path) -> None:
        self.output = output
        self.folder = companion(output, JOB)
        self.errors_path = companion(output, ERRORS)
        self.summary_path = companion(output, SUMMARY)
        self.parts = self.folder / f"parts-{os.getpid()}"
        self.done: List[Dict[str, Any]] = []
        self.sink: Any = None
        self._journal, self._errors = Log(self.folder / "journal.jsonl"), Log(self.folder / "errors.jsonl")
        self._replaces, self._lock = self.folder / "replaces", OutputLock(output)

    def open(self, fingerprint: Dict[str, Any], sink: Sink, *, resume: bool, overwrite: bool) -> bool:
        """Begin, or go on where an earlier run ended; returns whether there is nothing left to do.

        Raises MTL350 or MTL351 where there is something and neither ``resume`` nor ``overwrite`` was asked for, MTL352
        where it was begun with another fingerprint, MTL353 where the folder cannot be written, MTL360 where another
        process is at work there, MTL367 where the folder is damaged.
        """
        self.sink = sink
        if self.output.exists() and not (resume or overwrite):
            raise MTLError(E350(path=self.output))
        if self.folder.exists() and not (resume or overwrite):
            raise MTLError(E351(path=self.folder))
        try:
            self._lock.acquire()
            if overwrite:
                self._start_anew()
            elif self.output.exists() and not self._replaces.exists():
                self._check_finished(fingerprint)
                return True
            self.folder.mkdir(exist_ok=True)
            self._check(fingerprint)
            self._make_parts()
            self._restore()
        except OSError as error:
            raise disk_error(self.folder, error) from error
        return False

    def commit(self, report: Report) -> None:
        """Take a chunk's part over; when this returns it is safe. Raises MTL353."""
        try:
            state = self.sink.append(report.part)
            lines = [error_line(report.index, failure.id, failure.code, failure.message) for failure in report.failures]
            errors = self._errors.append(*lines)
            entry = {"chunk": report.index, "checksum": report.checksum, "output": state, "errors": errors}
            entry.update(counts=report.counts, entities=report.entities, problems=report.problems)
            self._journal.append(json.dumps(entry).encode() + b"\n")
        except OSError as error:
            raise disk_error(self.folder, error) from error
        self.done.append(entry)

    def finish(self, summary: Dict[str, Any]) -> None:
        """Let errors, summary and, last, the output appear; the job's folder goes. An older output stays until the new
        one is whole, which may take long, or more room than there is. Raises MTL353."""
        try:
            made = self.sink.build()
            if self._replaces.exists():
                for old in (self.output, self.errors_path, self.summary_path):
                    remove(old)
                self._replaces.unlink()
            if self._errors.sync():
                write_whole(self.errors_path, self._errors.path.read_bytes())
            else:
                self.errors_path.unlink(missing_ok=True)
            text = json.dumps(summary, indent=2, ensure_ascii=False) + "\n"
            write_whole(self.summary_path, text.encode("utf-8", "replace"))
            publish(made, self.output)
            self._close_files()
            shutil.rmtree(self.folder)
        except OSError as error:
            raise disk_error(self.folder, error) from error

    def abandon(self) -> None:
        """Let a job that has done nothing leave nothing behind, so that it can be begun again with other settings."""
        if not self.done:
            self._close_files()
            remove(self.folder)

    def close(self) -> None:
        """Let go of the folder, which stays."""
        self._close_files()
        self._lock.release()

    def _close_files(self) -> None:
        for open_file in (self._journal, self._errors, self.sink):
            if open_file is not None:
                open_file.close()

    def _start_anew(self) -> None:
        """Forget an unfinished job. A finished output stays until the new one is whole; ``replaces`` says so."""
        remove(self.folder)
        self.folder.mkdir()
        if self.output.exists():
            self._replaces.touch()

    def _make_parts(self) -> None:
        """A folder for this run's parts; a worker of an earlier one, still at its last chunk, finds its own gone."""
        for old in self.folder.glob("parts-*"):
            shutil.rmtree(old, ignore_errors=True)
        self.parts.mkdir()

    def _check_finished(self, fingerprint: Dict[str, Any]) -> None:
        """The output is there: the job's own if the summary beside it says so; else raises MTL350 or MTL352."""
        if not self.summary_path.exists():
            raise MTLError(E350(path=self.output))
        compare(self.summary_path, _load(self.summary_path).get("job", {}), fingerprint)
        remove(self.folder)

    def _check(self, fingerprint: Dict[str, Any]) -> None:
        path = self.folder / "job.json"
        if not path.exists():
            write_whole(path, json.dumps(fingerprint, indent=2).encode())
            return
        compare(path, _load(path), fingerprint)

    def _restore(self) -> None:
        """Read the journal up to its last whole line, and bring everything back to what that says."""
        lines = self._journal.path.read_bytes().splitlines(keepends=True) if self._journal.path.exists() else []
        whole = [line for line in lines if line.endswith(b"\n")]
        try:
            self.done = [json.loads(line) for line in whole]
        except ValueError as error:
            raise MTLError(E367(path=self._journal.path, reason=error)) from error
        last: Dict[str, Any] = self.done[-1] if self.done else {}
        self._journal.restore(sum(map(len, whole)))
        self.sink.restore(last.get("output"))
        self._errors.restore(last.get("errors", 0))


def compare(path: Path, before: Dict[str, Any], now: Dict[str, Any]) -> None:
    """Raise MTL352 for the first thing that differs."""
    for what in sorted({*before, *now}):
        then, today = before.get(what), now.get(what)
        if then != today:
            if isinstance(then, dict) and isinstance(today, dict):
                names = [name for name in {**then, **today} if then.get(name) != today.get(name)]
                then, today = ({name: side.get(name) for name in names} for side in (then, today))
            raise MTLError(E352(path=path.parent, what=what, before=then, now=today))


def remove(path: Path) -> None:
    """Remove a file or a folder, if there is one."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def write_whole(path: Path, data: bytes) -> None:
    """Write a file that is there whole or not at all."""
    with replacing(path) as draft:
        draft.write_bytes(data)


def _load(path: Path) -> Dict[str, Any]:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise MTLError(E367(path=path, reason=error)) from error


def error_line(chunk: int, name: str, code: str, message: str) -> bytes:
    """A line of ``errors.jsonl``."""
    line = {"id": name, "chunk": chunk, "code": code, "message": message}
    return json.dumps(line, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
