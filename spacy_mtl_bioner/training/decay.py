"""How a learning rate falls: thinc schedules that count epochs (or passes) of a stated number of steps."""

from itertools import count
from typing import Iterator

from spacy.util import registry

from ..errors import E147, MTLError
from .checks import not_negative


@registry.schedules("spacy_mtl_bioner.ExponentialDecay.v1")
def exponential_decay(initial_rate: float, steps: int, decay: float = 0.97) -> Iterator[float]:
    """``initial_rate * decay ** epoch`` (Wang Xi et al. 2019), the epoch counted from 0 and ``steps`` steps long.

    A training with k corpora whose program multiplies the rate once a corpus and epoch has ``decay ** k`` here.
    Raises MTL147 for fewer than one step and negative numbers.
    """
    not_negative("ExponentialDecay", initial_rate=initial_rate, decay=decay)
    return (initial_rate * decay**epoch for epoch in _epochs("ExponentialDecay", steps))


@registry.schedules("spacy_mtl_bioner.InverseTimeDecay.v1")
def inverse_time_decay(initial_rate: float, steps: int, decay: float = 0.05) -> Iterator[float]:
    """``initial_rate / (1 + decay * (epoch + 1))`` (Ma & Hovy 2016; Wang Xuan et al. 2018), the epoch counted from 0
    and ``steps`` steps long. Raises MTL147 for fewer than one step and negative numbers.
    """
    not_negative("InverseTimeDecay", initial_rate=initial_rate, decay=decay)
    return (initial_rate / (1.0 + decay * (epoch + 1)) for epoch in _epochs("InverseTimeDecay", steps))


@registry.schedules("spacy_mtl_bioner.WarmupLinear.v1")
def warmup_linear(initial_rate: float, steps: int, passes: float, warmup: float = 0.1) -> Iterator[float]:
    """Up to ``initial_rate`` over ``warmup`` passes, then evenly down to 0 at the end of ``passes`` (Devlin et al.
    2019), a pass ``steps`` steps long. thinc's ``warmup_linear.v1``, but counted in passes, so that one protocol fits
    corpora of any size. Raises MTL147 for fewer than one step, a negative rate, or a warm-up as long as all passes.
    """
    not_negative("WarmupLinear", initial_rate=initial_rate)
    if steps < 1:
        raise MTLError(E147(part="WarmupLinear", setting="steps", found=steps, expected="1 or more"))
    if not 0 <= warmup < passes:
        expected = f"from 0 to less than passes ({passes})"
        raise MTLError(E147(part="WarmupLinear", setting="warmup", found=warmup, expected=expected))
    up, down = warmup * steps, (passes - warmup) * steps
    return (initial_rate * (step / up if step < up else max(0.0, 1 - (step - up) / down)) for step in count())


def _epochs(part: str, steps: int) -> Iterator[int]:
    """The epoch of each step."""
    if steps < 1:
        raise MTLError(E147(part=part, setting="steps", found=steps, expected="1 or more"))
    return (step // steps for step in count())
