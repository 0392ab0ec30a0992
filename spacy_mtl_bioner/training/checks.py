"""Checks of the numbers that optimizers and schedules are configured with."""

import math

from ..errors import E147, MTLError


def not_negative(part: str, *, below: float = math.inf, **settings: object) -> None:
    """Raise MTL147 for a number that is not from 0 to less than ``below``; what is no number (a schedule) passes."""
    for name, value in settings.items():
        if isinstance(value, (int, float)) and not 0 <= value < below:
            expected = "0 or more" if below == math.inf else f"from 0 to less than {below:g}"
            raise MTLError(E147(part=part, setting=name, found=value, expected=expected))
