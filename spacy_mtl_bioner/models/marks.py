"""Marks: what a sharing part puts around the sentences of a batch, so that an encoder knows their corpus."""

from typing import NamedTuple, Tuple


class Marks(NamedTuple):
    """The marks of a batch that holds every sentence once for each of k pairs, all sentences of a pair together.

    before, after: names of the marks in front of a sentence and behind it, of each pair.
    """

    before: Tuple[Tuple[str, ...], ...]
    after: Tuple[Tuple[str, ...], ...]


NO_MARKS = Marks(((),), ((),))
"""Every sentence once, with nothing around it."""
