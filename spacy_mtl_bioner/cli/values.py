"""Values of command-line options: lists separated by commas, and what stands in them."""

from pathlib import Path
from typing import TYPE_CHECKING, Optional, Tuple

from ..errors import E303, MTLError

if TYPE_CHECKING:
    from ..experiments.systems import System


def names(text: str) -> Tuple[str, ...]:
    """Return the names of a list separated by commas, each once."""
    return tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))


def names_or_none(text: Optional[str]) -> Optional[Tuple[str, ...]]:
    """Return the names of a list separated by commas, ``None`` where there is none: the default is meant."""
    return names(text or "") or None


def sets(text: str) -> Tuple[Tuple[str, ...], ...]:
    """Return the sets of names (``A+B``) of a list separated by commas."""
    return tuple(tuple(filter(None, map(str.strip, both.split("+")))) for both in names(text))


def numbers(option: str, text: str) -> Tuple[int, ...]:
    """Return the whole numbers of a list separated by commas. Raises MTLError (MTL303)."""
    found = names(text)
    if not found or not all(name.isdecimal() for name in found):
        raise MTLError(E303(option=option, found=text, expected="whole numbers separated by commas"))
    return tuple(dict.fromkeys(map(int, found)))


def named_paths(option: str, text: str) -> Tuple[Tuple[str, Path], ...]:
    """Return the pairs of a list of ``NAME=PATH``, no name twice. Raises MTLError (MTL303)."""
    pairs = [name.partition("=") for name in names(text)]
    if not pairs or not all(name and path for name, _, path in pairs):
        raise MTLError(E303(option=option, found=text, expected="NAME=PATH, separated by commas"))
    if len({name for name, _, _ in pairs}) < len(pairs):
        raise MTLError(E303(option=option, found=text, expected="another NAME for each PATH"))
    return tuple((name, Path(path)) for name, _, path in pairs)


def systems_of(text: str) -> Tuple["System", ...]:
    """Return the systems of a list of ``NAME=CONFIG``. Raises MTLError (MTL303)."""
    from ..experiments.systems import System

    return tuple(System(name, config) for name, config in named_paths("--systems", text))


def system_of(option: str, text: str) -> "System":
    """Return the one system of ``NAME=CONFIG``. Raises MTLError (MTL303)."""
    from ..experiments.systems import System

    pairs = named_paths(option, text)
    if len(pairs) > 1:
        raise MTLError(E303(option=option, found=text, expected="one NAME=CONFIG"))
    return System(*pairs[0])


def shares_of(text: str) -> Tuple[float, ...]:
    """Return the shares of a list of percents. Raises MTLError (MTL303)."""
    try:
        found = tuple(float(name) / 100 for name in names(text))
    except ValueError:
        found = ()
    if not found or not all(0 < share <= 1 for share in found):
        raise MTLError(E303(option="--shares", found=text, expected="percents above 0, up to 100"))
    return found
