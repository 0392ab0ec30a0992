"""The batches of a training as a stream that can be taken up again."""

import hashlib
import random
from array import array
from typing import Any, Iterable, Iterator, List, Optional, Sequence, Tuple

from spacy.attrs import DEP, ENT_IOB, ENT_TYPE, HEAD, ORTH, SENT_START, TAG
from spacy.training import Example

from ..extensions import chunks_of
from .random_states import PythonState

Batch = List[Example]
Mark = Tuple[int, PythonState]
"""How many batches were drawn before, and the state of Python's ``random`` then, its numbers as an array: a tuple would
take ten times as much."""


class BatchStream:
    """Counts the batches drawn and notes the state of Python's ``random`` before a draw that changes it (a shuffle), if
    others changed it since the last such draw: ``replay`` gives the same batches again whatever else draws from
    ``random``.

    batches: what ``spacy.training.loop.create_train_batches`` gives, (epoch, batch) after (epoch, batch).
    """

    def __init__(self, batches: Iterable[Tuple[int, Batch]]) -> None:
        self.batches = iter(batches)
        self.drawn = 0
        self.marks: List[Mark] = []
        self._left: Optional[PythonState] = None

    def __iter__(self) -> Iterator[Tuple[int, Batch]]:
        return self

    def __next__(self) -> Tuple[int, Batch]:
        before = random.getstate()
        found = next(self.batches)
        after = random.getstate()
        if after != before:
            if before != self._left:
                self.marks.append((self.drawn, _compact(before)))
            self._left = after
        self.drawn += 1
        return found

    def replay(self, count: int, marks: Sequence[Mark]) -> None:
        """Draw the first ``count`` batches as they were drawn when ``marks`` were noted."""
        self.drawn, self.marks = count, [(at, _compact(state)) for at, state in marks]
        states = dict(self.marks)
        for at in range(count):
            if at in states:
                version, numbers, gauss = states[at]
                random.setstate((version, tuple(numbers), gauss))
            next(self.batches)
        self._left = random.getstate() if self.marks else None


def _compact(state: PythonState) -> PythonState:
    version, numbers, gauss = state
    return version, array("I", numbers), gauss


def fingerprint(examples: Iterable[Example]) -> str:
    """A hash of the words, spaces aside, and of the annotation of all examples in their order."""
    found = hashlib.blake2b(digest_size=16)
    for example in examples:
        reference = example.reference
        found.update(str(reference._.get("corpus") if reference.has_extension("corpus") else "").encode())
        found.update(reference.to_array(_ATTRS).tobytes())
        found.update(repr(chunks_of(reference)).encode())
    return found.hexdigest()


_ATTRS: List[Any] = [ORTH, SENT_START, ENT_IOB, ENT_TYPE, TAG, HEAD, DEP]
