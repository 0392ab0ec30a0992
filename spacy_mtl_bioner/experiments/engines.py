"""Where the processes of trainings run. An engine starts one a folder and says when it has ended."""

import subprocess
from pathlib import Path
from typing import Optional, Protocol

from .folder import LOG
from .launch import command_of, environment


class Job(Protocol):
    """A started training."""

    def poll(self) -> Optional[int]:
        """Return the exit code of its process, ``None`` while it runs."""

    def stop(self) -> None:
        """End it now."""


class Engine(Protocol):
    """slots: how many trainings run at a time."""

    slots: int

    def start(self, folder: Path) -> Job:
        """Start the training that was prepared in a folder."""


class LocalProcesses:
    """Processes of this machine, ``jobs`` at a time, with ``threads`` each."""

    def __init__(self, jobs: int = 1, threads: int = 1) -> None:
        self.slots, self.threads = jobs, threads

    def start(self, folder: Path) -> "LocalJob":
        """Start a process whose output goes to the folder's log."""
        with (folder / LOG).open("ab") as log:
            process = subprocess.Popen(
                command_of(folder),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment(self.threads),
            )
        return LocalJob(process)


class LocalJob:
    """A process of this machine."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self.process = process

    def poll(self) -> Optional[int]:
        """Return its exit code, ``None`` while it runs."""
        return self.process.poll()

    def stop(self) -> None:
        """End it, gently first."""
        self.process.terminate()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
