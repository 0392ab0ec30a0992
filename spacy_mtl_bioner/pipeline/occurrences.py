"""Where else in a document the words of a mention stand."""

from bisect import bisect_left
from typing import Dict, List, Tuple, Union

from spacy.attrs import IS_SPACE, ORTH
from spacy.tokens import Doc

TokenRange = Tuple[int, int]
"""First token, one past the last."""

Form = Tuple[int, ...]
"""What a mention looks like: an attribute of each of its tokens."""


class Occurrences:
    """Looks mentions up by their tokens, whatever white space is between them; at the places of their rarest token.

    attr: ``ORTH`` for the words as they are, ``LOWER`` for words in any case.
    """

    def __init__(self, doc: Doc, attr: Union[int, str] = ORTH) -> None:
        keys, space = (doc.to_array(a).tolist() if len(doc) else [] for a in (attr, IS_SPACE))
        self.at: List[int] = [i for i, blank in enumerate(space) if not blank]
        self.keys: List[int] = [keys[i] for i in self.at]
        self.places: Dict[int, List[int]] = {}
        for i, key in enumerate(self.keys):
            self.places.setdefault(key, []).append(i)

    def form(self, start: int, end: int) -> Form:
        """Return what these tokens look like."""
        return tuple(self.keys[bisect_left(self.at, start) : bisect_left(self.at, end)])

    def of(self, form: Form) -> List[TokenRange]:
        """Return where the document looks so, in order; ranges may overlap."""
        size = len(form)
        if not form or 0 in form:  # a token without the attribute looks like none
            return []
        rarest = min(range(size), key=lambda j: len(self.places.get(form[j], ())))
        near = (i - rarest for i in self.places.get(form[rarest], ()) if i >= rarest)
        starts = [i for i in near if size == 1 or tuple(self.keys[i : i + size]) == form]
        return [(self.at[i], self.at[i + size - 1] + 1) for i in starts]
