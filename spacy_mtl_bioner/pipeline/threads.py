"""How many threads a component uses in the worker processes of ``nlp.pipe``."""

import multiprocessing
import os
from functools import lru_cache


def one_thread_in_workers() -> None:
    """In a worker process, at its first call: one thread, since the processes share the cores (and OpenMP does not
    survive a fork). Whoever sets another number later has it."""
    if multiprocessing.parent_process() is not None:
        _one_thread(os.getpid())


@lru_cache(maxsize=None)
def _one_thread(process: int) -> None:
    """``process`` tells a forked worker from its parent, whose cache it has."""
    import torch

    if torch.get_num_threads() != 1:
        torch.set_num_threads(1)
