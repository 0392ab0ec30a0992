"""Chunks done by processes of their own: each loads the pipeline once, gets chunks and writes its parts.

Only records and reports cross between processes, never a Doc. A chunk whose process dies is given to a new one; if that
dies too, the chunk's documents are tagged one by one, and the one at which a process dies is given up (MTL356).
"""

import logging
import multiprocessing
import signal
from collections import deque
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, Deque, Dict, Iterable, Iterator, List, Optional

from ..errors import E364, MTLError
from .chunks import Chunk
from .reports import Report, Settings

AHEAD = 8
"""How many chunks a process may be ahead of the oldest that is not done: the parts that wait are on the disk."""
PATIENCE = 2
"""How often a chunk is tried as a whole."""


@dataclass
class _Task:
    """A chunk on its way. ``at``: the record that is being tagged, where they are tagged one by one; ``deadly``: those
    at which a process died, and how."""

    chunk: Chunk
    part: Path
    deaths: int = 0
    deadly: Dict[int, str] = field(default_factory=dict)
    at: Optional[int] = None


class _Process:
    """A process, the pipe to it, and the task that it has. ``quiet``: see ``serve``."""

    def __init__(self, settings: Settings, quiet: bool) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, other = context.Pipe()
        self.process = context.Process(target=serve, args=(other, settings, quiet), daemon=True)
        self.process.start()
        other.close()
        self.task: Optional[_Task] = None
        self.ready = False

    def give(self, task: _Task) -> None:
        """Send a task; a process that is dead by then is noticed when it is waited for."""
        self.task, task.at = task, None
        try:
            self.pipe.send((task.chunk, task.part, task.deadly, task.deaths >= PATIENCE))
        except OSError:
            pass  # dead already, which is noticed then

    def stop(self) -> None:
        """End it, whatever it is doing."""
        self.pipe.close()
        if self.process.is_alive():
            self.process.terminate()
        self.process.join()

    @property
    def fate(self) -> str:
        """How it died."""
        self.process.join(5)
        code = self.process.exitcode
        return f"signal {signal.Signals(-code).name}" if code and code < 0 else f"exit code {code}"


def in_processes(settings: Settings, count: int, chunks: Iterable[Chunk], parts: Path) -> Iterator[Report]:
    """Yield the report of each chunk, in order. Raises MTL364 where processes die at no document, and what a
    process raises that is no document's fault."""
    pool = _Pool(settings, count, parts)
    try:
        yield from pool.run(iter(chunks))
    finally:
        pool.stop()


class _Pool:
    """The processes and the chunks between them."""

    def __init__(self, settings: Settings, count: int, parts: Path) -> None:
        self.settings, self.parts = settings, parts
        self.processes = [_Process(settings, quiet=number > 0) for number in range(count)]
        self.again: Deque[_Task] = deque()
        self.reports: Dict[int, Report] = {}
        self.next: Optional[int] = None
        self.stillborn = 0

    def run(self, chunks: Iterator[Chunk]) -> Iterator[Report]:
        """Hand out chunks, gather reports, yield them in order."""
        while True:
            for process in self.processes:
                if process.task is None:
                    task = self._task(chunks)
                    if task is None:
                        break
                    process.give(task)
            busy = [process for process in self.processes if process.task is not None]
            if not busy and not self.reports:
                return
            if busy:
                for process in self._wait(busy):
                    self._listen(process)
            while self.next in self.reports:
                report = self.reports.pop(self.next)
                self.next += 1
                yield report

    def _task(self, chunks: Iterator[Chunk]) -> Optional[_Task]:
        """The next task: one that has to be done again first; None at the end, or too far ahead."""
        if self.again:
            return self.again.popleft()
        if len(self.reports) >= AHEAD * len(self.processes):
            return None
        chunk = next(chunks, None)
        if chunk is None:
            return None
        self.next = chunk.index if self.next is None else self.next
        return _Task(chunk, self.parts / f"{chunk.index}.part")

    def _wait(self, busy: List[_Process]) -> List[_Process]:
        ready = wait([process.pipe for process in busy])
        return [process for process in busy if process.pipe in ready]

    def _listen(self, process: _Process) -> None:
        """Take one message: a number (now at this record), a report, or a message that ends the job."""
        assert process.task is not None
        try:
            message = process.pipe.recv()
        except (EOFError, OSError):
            self._bury(process)
            return
        if isinstance(message, Report):
            self.reports[message.index], process.task, process.ready = message, None, True
        elif isinstance(message, int):
            process.task.at, process.ready = message, True
        else:
            raise MTLError(message)

    def _bury(self, process: _Process) -> None:
        """Put another process in the place of one that died, and its task back."""
        task, fate = process.task, process.fate
        assert task is not None
        process.stop()
        self.stillborn = 0 if process.ready else self.stillborn + 1
        if self.stillborn > PATIENCE + len(self.processes):
            raise MTLError(E364(reason=fate))
        task.deaths += 1
        if task.at in task.deadly:  # it was not tagged this time: no document is to blame
            raise MTLError(E364(reason=fate))
        if task.at is not None:
            task.deadly[task.at] = fate
        self.again.append(task)
        self.processes[self.processes.index(process)] = _Process(self.settings, quiet=True)

    def stop(self) -> None:
        """End all processes."""
        for process in self.processes:
            process.stop()


def serve(pipe: Connection, settings: Settings, quiet: bool) -> None:
    """What a process does: load, then a chunk at a time until the other end is closed. ``quiet``: another process says
    what there is to warn of in loading."""
    from .work import Worker

    logger = logging.getLogger("spacy_mtl_bioner")
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what an interrupt means
    try:
        logger.disabled = quiet
        worker = Worker(settings)
        logger.disabled = False
        while True:
            chunk, part, deadly, one_by_one = pipe.recv()
            announce: Any = pipe.send if one_by_one else None
            pipe.send(worker(chunk, part, deadly=deadly, announce=announce))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return
    except MTLError as error:
        pipe.send(str(error))
