"""How a learning rate falls: thinc schedules that count epochs of a stated number of steps."""

from itertools import count
from typing import Iterator

from spacy.util import registry

from ..errors import E147, MTLError


@registry.schedules("spacy_mtl_bioner.ExponentialDecay.v1")
def exponential_decay(initial_rate: float, steps: int, decay: float = 0.97) -> Iterator[float]:
    """``initial_rate * decay ** epoch`` (Wang Xi et al. 2019), the epoch counted from 0 and ``steps`` steps long.

    A training with k corpora whose program multiplies the rate once a corpus and epoch has ``decay ** k`` here.
    Raises MTL147 for fewer than one step.
    """
    return (initial_rate * decay**epoch for epoch in _epochs("ExponentialDecay", steps))


@registry.schedules("spacy_mtl_bioner.InverseTimeDecay.v1")
def inverse_time_decay(initial_rate: float, steps: int, decay: float = 0.05) -> Iterator[float]:
    """``initial_rate / (1 + decay * (epoch + 1))`` (Ma & Hovy 2016; Wang Xuan et al. 2018), the epoch counted from 0
    and ``steps`` steps long. Raises MTL147 for fewer than one step.
    """
    return (initial_rate / (1.0 + decay * (epoch + 1)) for epoch in _epochs("InverseTimeDecay", steps))


def _epochs(part: str, steps: int) -> Iterator[int]:
    """The epoch of each step."""
    if steps < 1:
        raise MTLError(E147(part=part, setting="steps", found=steps, expected="1 or more"))
    return (step // steps for step in count())
