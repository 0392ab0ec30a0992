"""Windows over sentences of word pieces, against what they promise."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spacy_mtl_bioner.errors import MTLError
from spacy_mtl_bioner.models.embed.piece_windows import Frame, cut_windows, fill, groups

FRAMES = [Frame((1001,), (1002,)), Frame((1001, 1003), (1004, 1002)), Frame((), ())]
SENTENCES = st.lists(st.lists(st.integers(1, 4), min_size=1, max_size=40), min_size=1, max_size=5)


def cut(sentences, window, overlap, kinds=(0,)):
    """The windows of sentences, given as the pieces of each token; their frames take turns."""
    counts = np.asarray([count for sentence in sentences for count in sentence])
    lengths = np.asarray([len(sentence) for sentence in sentences])
    frame_of = np.asarray([kinds[i % len(kinds)] for i in range(len(sentences))])
    return counts, lengths, frame_of, cut_windows(counts, lengths, FRAMES, frame_of, window, overlap)


@settings(deadline=None)
@given(SENTENCES, st.integers(8, 30), st.integers(0, 20), st.permutations(range(3)))
def test_every_token_is_in_a_window_of_its_own_with_the_frame_around(sentences, window, overlap, kinds):
    counts, lengths, frame_of, windows = cut(sentences, window, overlap, kinds)
    ids = np.arange(counts.sum())
    ends = np.cumsum(counts)
    filled = fill(windows, np.arange(len(windows.lengths)), ids, FRAMES, -1)
    assert windows.lengths.max() <= window and len(windows.owners) == len(counts)
    sentence_of = np.repeat(np.arange(len(sentences)), lengths)
    for token, (owner, start) in enumerate(zip(windows.owners, windows.starts)):
        shown = filled[owner, start : start + counts[token]]
        assert shown.tolist() == ids[ends[token] - counts[token] : ends[token]].tolist()
        assert windows.frames[owner] == frame_of[sentence_of[token]]
    for row, length, kind in zip(filled, windows.lengths, windows.frames):
        before, after = FRAMES[kind]
        assert tuple(row[: len(before)]) == before and tuple(row[length - len(after) : length]) == after
        assert (row[length:] == -1).all()
        inner = row[len(before) : length - len(after)]
        assert (np.diff(inner) == 1).all()
        assert len({sentence_of[np.searchsorted(ends, piece, side="right")] for piece in inner}) == 1


@settings(deadline=None)
@given(st.lists(st.integers(1, 4), min_size=1, max_size=120), st.integers(18, 30), st.integers(4, 8))
def test_a_token_is_read_where_it_has_most_context(sentence, window, overlap):
    """As much context on its shorter side as in any other window, but for a word on the border."""
    counts, _, _, windows = cut([sentence], window, overlap)
    firsts = np.cumsum(counts) - counts
    for token, owner in enumerate(windows.owners):
        known = []
        for first, shown in zip(windows.firsts, windows.counts):
            left, right = firsts[token] - first, first + shown - firsts[token] - counts[token]
            if left < 0 or right < 0:
                known.append(-1)
                continue
            left = left if first else 1000
            known.append(min(left, right if first + shown < counts.sum() else 1000))
        assert known[owner] >= max(known) - 4
    for one, other in zip(range(len(windows.firsts)), range(1, len(windows.firsts))):
        shared = windows.firsts[one] + windows.counts[one] - windows.firsts[other]
        assert shared > overlap - 4


def test_a_sentence_that_fits_is_one_window():
    *_, windows = cut([[1] * 8, [2, 2, 4], [1]], 10, 3)
    assert windows.counts.tolist() == [8, 8, 1] and windows.owners.tolist() == [0] * 8 + [1] * 3 + [2]


def test_windows_of_a_long_sentence():
    """Room for 8 pieces, 4 shared; the last window reaches back as far as it can."""
    *_, windows = cut([[1] * 18], 10, 4)
    assert windows.firsts.tolist() == [0, 4, 8, 10] and windows.counts.tolist() == [8, 8, 8, 8]
    assert windows.owners.tolist() == [0] * 6 + [1] * 4 + [2] * 3 + [3] * 5


@pytest.mark.parametrize("overlap", [5, 10, 512])
def test_windows_share_half_at_most(overlap):
    *_, windows = cut([[1] * 100], 10, overlap)
    assert windows.counts.tolist() == [8] * len(windows.counts) and len(windows.counts) <= 100 / 4


def test_no_room():
    with pytest.raises(MTLError, match="MTL234.*window of 5.*4 of them.*word of 2 pieces"):
        cut([[1, 2]], 5, 1, [1])


@given(st.lists(st.integers(1, 50), min_size=1, max_size=60), st.integers(1, 300), st.integers(0, 60))
def test_groups_are_of_like_length(lengths, budget, slack):
    lengths = np.asarray(lengths)
    found = list(groups(lengths, budget, slack))
    assert sorted(np.concatenate(found)) == list(range(len(lengths)))
    for group in found:
        padded = len(group) * lengths[group].max()
        assert len(group) == 1 or padded <= budget
        assert padded - lengths[group].sum() <= slack
