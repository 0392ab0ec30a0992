"""Characters as numbers: which have one of their own, and those of the distinct word forms of a batch."""

from collections import Counter
from typing import Dict, Sequence, Tuple

import numpy as np

from ..lexicon import Lexicon

PADDING, UNKNOWN = 0, 1


def alphabet(X: Lexicon, min_count: int) -> str:
    """The characters that occur in at least ``min_count`` distinct training words, in order."""
    words_with = Counter(character for form in X.forms for character in set(form))
    return "".join(sorted(character for character, words in words_with.items() if words >= min_count))


def look_up(ids: Dict[str, int], forms: Sequence[str], max_chars: int) -> Tuple[np.ndarray, np.ndarray]:
    """The numbers of all forms' characters one after the other, i64[C], and how many each form has, i64[U].

    A form of more than ``max_chars`` characters shows its first and last halves of that many.
    """
    forms = [_shown(form, max_chars) for form in forms]
    lengths = np.fromiter(map(len, forms), dtype="int64", count=len(forms))
    get = ids.get
    flat = (get(character, UNKNOWN) for form in forms for character in form)
    return np.fromiter(flat, dtype="int64", count=int(lengths.sum())), lengths


def _shown(form: str, max_chars: int) -> str:
    if len(form) <= max_chars:
        return form
    half = max_chars // 2
    return form[: max_chars - half] + form[len(form) - half :]
