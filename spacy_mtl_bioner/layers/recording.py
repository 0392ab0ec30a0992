"""Questions that the host asks of the GPU, while nobody can answer: in a step that is captured as a CUDA graph."""

from contextlib import contextmanager
from contextvars import ContextVar
from typing import Iterator, List, Optional

from torch import Tensor

_ASSUMED: ContextVar[Optional[List[Tensor]]] = ContextVar("assumed", default=None)


@contextmanager
def recording() -> Iterator[List[Tensor]]:
    """While a step is captured; gives what is assumed to be true in it, bools that each replay computes anew."""
    assumed: List[Tensor] = []
    token = _ASSUMED.set(assumed)
    try:
        yield assumed
    finally:
        _ASSUMED.reset(token)


def is_recording() -> bool:
    """Whether a step is being captured."""
    return _ASSUMED.get() is not None


def sure(condition: Tensor) -> bool:
    """Whether all of bool[...] is true. In a step that is captured it is assumed, and who replays the step looks."""
    assumed = _ASSUMED.get()
    if assumed is None:
        return bool(condition.all())
    assumed.append(condition.all())
    return True
