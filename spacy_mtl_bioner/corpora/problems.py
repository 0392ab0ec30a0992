"""What is wrong with an input, and what becomes of it: one collector that every reader is handed."""

import logging
from collections import Counter
from typing import Counter as CounterType
from typing import Literal

from ..errors import MTLError

logger = logging.getLogger("spacy_mtl_bioner")

OnError = Literal["raise", "skip"]


class Problems:
    """Decides what a reader does about bad input, and counts what was left out so that nothing is lost in silence.

    With ``on_error="raise"`` the first error ends the work; with ``"skip"`` it is logged and counted, and the reader
    goes on without the sentence, document or mention that the error is about. Warnings never end the work.
    """

    def __init__(self, on_error: OnError = "raise") -> None:
        if on_error not in ("raise", "skip"):
            raise ValueError(f"on_error is 'raise' or 'skip', not {on_error!r}")
        self.on_error = on_error
        self.skipped: CounterType[str] = Counter()
        self.warned: CounterType[str] = Counter()

    def error(self, message: str) -> None:
        """Report a coded message (``E0xx(...)``). Raises MTLError unless errors are skipped; then the caller leaves out
        what the message is about."""
        if self.on_error == "raise":
            raise MTLError(message)
        self.skipped[code_of(message)] += 1
        logger.warning("left out: %s", message)

    def warn(self, kind: str, message: str) -> None:
        """Count and log something odd that costs nothing; ``kind`` names it in the summary: ``"mention text"``."""
        self.warned[kind] += 1
        logger.warning("%s", message)

    def summary(self) -> str:
        """Return one line for the end of a command; empty where there was nothing to report."""
        parts = []
        if self.skipped:
            codes = ", ".join(f"{code}: {n}" for code, n in sorted(self.skipped.items()))
            parts.append(f"left out {sum(self.skipped.values())} ({codes})")
        if self.warned:
            kinds = ", ".join(f"{kind}: {n}" for kind, n in sorted(self.warned.items()))
            parts.append(f"warnings {sum(self.warned.values())} ({kinds})")
        return "; ".join(parts)


def code_of(message: str) -> str:
    """The code of a message, or ``"other"`` where it has none."""
    return message[1:].partition("]")[0] if message.startswith("[") else "other"
