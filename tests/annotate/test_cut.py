"""Cutting long texts: nothing lost, within the limit, at the best border there is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_mtl_bioner.annotate.cut import covered, pieces
from spacy_mtl_bioner.types import Passage

TEXT = st.text(st.sampled_from("ab. \n?é😀"), max_size=80)


@given(TEXT, st.integers(1, 30))
def test_pieces_are_the_text(text, limit):
    made = list(pieces(text, limit))
    assert "".join(piece for _, piece in made) == text
    assert [start for start, _ in made] == [sum(len(p) for _, p in made[:i]) for i in range(len(made))]
    assert all(len(piece) <= limit for _, piece in made)
    assert all(piece for _, piece in made) or text == ""


@pytest.mark.parametrize(
    "text, first",
    [
        ("One two. Three\n\nfour. Five six", "One two. Three\n\n"),  # a paragraph before a sentence
        ("One two. Three\nfour. Five six", "One two. Three\n"),  # a line before a sentence
        ("One two. Three four. Five six", "One two. Three four. "),
        ("One two three four five six seven", "One two three four five "),
        ("onetwothreefourfivesixseveneight", "onetwothreefourfivesixsev"),
    ],
)
def test_the_best_border_wins(text, first):
    assert next(pieces(text, 25)) == (0, first)


def test_a_text_within_the_limit_is_left_alone():
    assert list(pieces("One.\n\nTwo.", 10)) == [(0, "One.\n\nTwo.")]


@given(st.lists(st.integers(0, 50)), st.integers(0, 50), st.integers(0, 50))
def test_passages_that_start_inside(starts, start, end):
    passages = [Passage(at, at + 1) for at in starts]
    assert covered(passages, start, end) == [at - start for at in starts if at in range(start + 1, end)]
