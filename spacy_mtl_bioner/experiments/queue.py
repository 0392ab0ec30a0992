"""The queue: what a plan wants is run, the most wanted first, and never again once it is finished."""

import signal
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional

from ..errors import MTLError
from .child import BUSY
from .engines import Engine, Job
from .folder import FAILURE, LOG, failure_of, is_claimed, result_of, tail, write_json
from .launch import Runs
from .training import Training

Result = Dict[str, Any]
"""What ``result.json`` holds: ``records``, one a scored corpus, and the learning ``curve``."""

POLL = 0.2
"""Seconds between looks at the running trainings; ten times that at what is wanted, and at those of other runners."""

REASON = 400
"""Characters of a failure's reason; the log has all."""


@dataclass
class State:
    """What is known so far. A plan is asked again when that has changed, so that it can choose by results.

    plain: reports shall have no tests, which need scipy. block: sentences in a row that tests take for a document,
    where documents are not known.
    """

    runs: Runs
    results: Dict[Training, Result] = field(default_factory=dict)
    failures: Dict[Training, str] = field(default_factory=dict)
    plain: bool = False
    block: int = 1

    def result(self, training: Training) -> Optional[Result]:
        """Return the result of a finished training, of this run or an earlier one."""
        if training not in self.results:
            found = result_of(self.runs.folder(training))
            if found is None:
                return None
            self.results[training] = found
        return self.results[training]

    def settled(self, training: Training) -> bool:
        """Whether the training has finished or failed."""
        return training in self.failures or self.result(training) is not None


Plan = Callable[[State], List[Training]]
"""Every training that is wanted as far as results tell, finished ones too, the most wanted first."""

Watch = Callable[[List[Training], State, List[Training]], None]
"""Called with all that is wanted, what is known, and what runs."""


def run_queue(plan: Plan, runs: Runs, engine: Engine, watch: Watch = lambda wanted, state, running: None) -> State:
    """Run all that a plan wants and return what came out. A failed training is recorded and not tried again here.

    Trainings that another runner has claimed are left to it; in the end this one waits for them. When it is interrupted
    it stops what it started; when it is killed, what it started goes on, and is found by the next run.
    """
    state, jobs, elsewhere, asked = State(runs), {}, _Elsewhere(runs), float("-inf")
    try:
        while True:
            if not _collect(jobs, state, elsewhere) and time.monotonic() - asked < 10 * POLL:
                time.sleep(POLL)
                continue
            wanted = list(dict.fromkeys(plan(state)))
            open_ = [training for training in wanted if not state.settled(training) and training not in jobs]
            for training in open_:
                if len(jobs) >= engine.slots:
                    break
                if not elsewhere.has(training):
                    _start(training, jobs, state, engine)
            watch(wanted, state, list(jobs))
            if not jobs and not open_:
                return state
            asked = time.monotonic()
    finally:
        for job in jobs.values():
            job.stop()


class _Elsewhere:
    """The trainings of other runners, looked at from time to time."""

    def __init__(self, runs: Runs) -> None:
        self.runs, self.seen = runs, {}

    def add(self, training: Training) -> None:
        self.seen[training] = time.monotonic()

    def has(self, training: Training) -> bool:
        """Whether another runner has it, as of a moment ago."""
        if time.monotonic() - self.seen.get(training, float("-inf")) < 10 * POLL:
            return True
        folder = self.runs.folder(training)
        if folder.exists() and is_claimed(folder):
            self.add(training)
            return True
        return False


def _start(training: Training, jobs: Dict[Training, Job], state: State, engine: Engine) -> None:
    """Start a training; where its data cannot be made, it has failed, and the others go on."""
    try:
        jobs[training] = engine.start(state.runs.prepare(training))
    except MTLError as error:
        state.failures[training] = str(error)
        write_json(state.runs.folder(training) / FAILURE, {"reason": str(error), "log": ""})


def _collect(jobs: Dict[Training, Job], state: State, elsewhere: _Elsewhere) -> bool:
    """Take the ended trainings out of ``jobs``, note the failed ones, and return whether any had ended."""
    before = len(jobs)
    for training, job in list(jobs.items()):
        code = job.poll()
        if code is None:
            continue
        del jobs[training]
        if code == BUSY:
            elsewhere.add(training)
        elif state.result(training) is None:
            state.failures[training] = record_failure(state.runs.folder(training), code)
    return len(jobs) < before


def look(plan: Plan, runs: Runs) -> State:
    """Return what earlier runs left, for a report: a plan that chooses by results knows of failures too."""
    state = State(runs)
    while True:
        open_ = [training for training in plan(state) if not state.settled(training)]
        failed = {training: reason for training in open_ if (reason := failure_of(runs.folder(training)))}
        if not failed:
            return state
        state.failures.update(failed)


def record_failure(folder: Path, code: int) -> str:
    """Write ``failure.json`` and return the reason: the signal, or the last line of the log."""
    reason, log = f"exit code {code}", tail(folder / LOG)
    if code < 0:
        memory = ", often for want of memory" if -code == signal.SIGKILL else ""
        reason = f"killed by signal {-code}{memory}"
    elif log.strip():
        reason = f"{reason}: {log.strip().splitlines()[-1][:REASON]}"
    write_json(folder / FAILURE, {"reason": reason, "log": log})
    return reason
