"""Trainings on a Ray cluster whose machines share the folder of the trainings."""

import subprocess
import sys
from pathlib import Path
from typing import Any, Optional

from ..errors import E309, MTLError
from .folder import LOG
from .launch import command_of, environment


class RayTasks:
    """Tasks of the Ray cluster that this process is connected to (``RAY_ADDRESS``), else of one started here;
    ``jobs`` at a time, ``threads`` processors each, and a GPU where ``gpu``, which the process sees as its first (0).
    Raises MTLError (MTL309) without Ray.

    A task is the same process as on one machine. Ray starts the task of a lost worker again elsewhere.
    """

    def __init__(self, jobs: int = 1, threads: int = 1, gpu: bool = False) -> None:
        try:
            import ray
        except ImportError as error:
            raise MTLError(E309()) from error
        self.slots, self.threads, self.ray = jobs, threads, ray
        if not ray.is_initialized():
            ray.init(log_to_driver=False)
        self.run = ray.remote(num_cpus=threads, num_gpus=int(gpu))(run_child)

    def start(self, folder: Path) -> "RayJob":
        """Submit a training."""
        return RayJob(self.ray, self.run.remote(str(folder.resolve()), self.threads))


class RayJob:
    """A submitted training."""

    def __init__(self, ray: Any, reference: Any) -> None:
        self.ray, self.reference = ray, reference

    def poll(self) -> Optional[int]:
        """Return the exit code of its process, ``None`` while it waits or runs; 1 where Ray gave it up."""
        ready, _ = self.ray.wait([self.reference], timeout=0)
        if not ready:
            return None
        try:
            return int(self.ray.get(ready[0]))
        except self.ray.exceptions.RayError as error:
            print(f"Ray: {error}", file=sys.stderr)
            return 1

    def stop(self) -> None:
        """Take it back; where it runs, it ends with its worker."""
        self.ray.cancel(self.reference, force=True)


def run_child(folder: str, threads: int) -> int:
    """Run a training's process on the machine of the worker, and return its exit code."""
    with (Path(folder) / LOG).open("ab") as log:
        return subprocess.run(
            command_of(Path(folder)), stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment(threads)
        ).returncode
