"""Settings of parts, checked when a config is resolved: one out of its range would train a wrong model in silence, or
fail much later in a kernel."""

from typing import Optional

from ..errors import E200, MTLError


def at_least(least: float, part: str, **settings: Optional[float]) -> None:
    """Raise MTL200 for a setting below ``least``; None is none."""
    for name, value in settings.items():
        if value is not None and not value >= least:  # not a number is no number of at least anything, too
            raise MTLError(E200(part=part, setting=name, found=value, expected=f"{least} or more"))


def rates(part: str, **settings: float) -> None:
    """Raise MTL200 for a share of numbers to drop that is below 0, or so large that nothing is left."""
    for name, value in settings.items():
        if not 0 <= value < 1:
            raise MTLError(E200(part=part, setting=name, found=value, expected="0 or more, below 1"))
