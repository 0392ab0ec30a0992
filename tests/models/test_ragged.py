"""Ranges against Python's own."""

from itertools import chain

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from spacy_mtl_bioner.models.ragged import ranges


@given(st.lists(st.tuples(st.integers(-50, 50), st.integers(0, 6)), max_size=12))
def test_ranges_are_those_of_python(pairs):
    firsts, counts = (np.array(column, dtype="int64") for column in (zip(*pairs) if pairs else ((), ())))
    expected = chain.from_iterable(range(first, first + count) for first, count in pairs)
    assert ranges(firsts, counts).tolist() == list(expected)
