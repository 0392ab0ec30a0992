"""Sentences of word pieces as windows that an encoder can read, and where each token's pieces then are."""

from typing import Iterator, List, NamedTuple, Sequence, Tuple

import numpy as np

from ...errors import E234, MTLError
from ..ragged import ranges


class Frame(NamedTuple):
    """Ids that every window of some sentences has around its pieces."""

    before: Tuple[int, ...]
    after: Tuple[int, ...]


class Windows(NamedTuple):
    """All windows of a batch, sentence by sentence.

    frames: i64[W], the frame of each; heads: i64[W], the size of the frame's front part; firsts, counts: i64[W], its
    pieces among those of the batch; lengths: i64[W], with the frame; owners: i64[N], the window that gives each token
    its vector; starts: i64[N], the place in that window of the token's first piece.
    """

    frames: np.ndarray
    heads: np.ndarray
    firsts: np.ndarray
    counts: np.ndarray
    lengths: np.ndarray
    owners: np.ndarray
    starts: np.ndarray


def cut_windows(
    counts: np.ndarray, sentences: np.ndarray, frames: Sequence[Frame], frame_of: np.ndarray, window: int, overlap: int
) -> Windows:
    """Cut sentences that do not fit a window at words, neighboring windows sharing about ``overlap`` pieces, and
    no more than half of what they have room for, so that each brings new ones.

    counts: i64[N], pieces of each token; sentences: i64[S], tokens of each sentence; frame_of: i64[S], its frame.
    A token takes its vector from the window where it has most context: the border is the middle of the overlap.
    Raises MTL234 where a frame leaves no room for the words.
    """
    heads = np.asarray([len(frame.before) for frame in frames])
    around = heads + [len(frame.after) for frame in frames]
    longest = int(counts.max(initial=0))
    if window - around.max() < longest:
        raise MTLError(E234(window=window, frame=int(around.max()), pieces=longest))
    ends = np.concatenate([[0], np.cumsum(counts)])
    borders = np.concatenate([[0], np.cumsum(sentences)])
    rooms = window - around[frame_of]
    overlap = min(overlap, int(rooms.min(initial=window)) // 2)
    cuts: List[Tuple[int, int, int, int]] = []
    fits = (np.diff(ends[borders]) <= rooms).tolist()
    for i, (first, past) in enumerate(zip(borders[:-1].tolist(), borders[1:].tolist())):
        if fits[i]:
            cuts.append((i, first, past, first))
        else:
            cuts.extend((i, *cut) for cut in _cut(ends, first, past, int(rooms[i]), overlap))
    rows, firsts, pasts, own = np.asarray(cuts, dtype="int64").reshape(-1, 4).T
    kinds, shown = frame_of[rows], ends[pasts] - ends[firsts]
    owners = np.repeat(np.arange(len(cuts)), np.diff(own, append=len(counts)))
    starts = (heads[kinds] - ends[firsts])[owners] + ends[:-1]
    return Windows(kinds, heads[kinds], ends[firsts], shown, shown + around[kinds], owners, starts)


def _cut(ends: np.ndarray, first: int, past: int, room: int, overlap: int) -> Iterator[Tuple[int, int, int]]:
    """The windows of tokens ``first`` to ``past``: first token, past token, first token of its own. The last window
    reaches back as far as there is room."""
    own = start = first
    stop = _last_within(ends, start, room)
    while stop < past:
        yield start, stop, own
        start = max(start + 1, int(np.searchsorted(ends, ends[stop] - overlap)))
        if _last_within(ends, start, room) >= past:
            start = int(np.searchsorted(ends, ends[past] - room))
        own = max(start, min(stop, int(np.searchsorted(ends, (ends[start] + ends[stop]) / 2))))
        stop = _last_within(ends, start, room)
    yield start, past, own


def _last_within(ends: np.ndarray, start: int, room: int) -> int:
    """The past of the longest stretch of tokens from ``start`` with at most ``room`` pieces."""
    return int(np.searchsorted(ends, ends[start] + room, side="right")) - 1


def fill(windows: Windows, some: np.ndarray, ids: np.ndarray, frames: Sequence[Frame], pad: int) -> np.ndarray:
    """i64[len(some), L]: the ids of some windows, with their frames, padded at the end."""
    counts, heads = windows.counts[some], windows.heads[some]
    filled = np.full((len(some), int(windows.lengths[some].max())), pad, dtype="int64")
    for kind in np.unique(windows.frames[some]).tolist():
        rows = np.flatnonzero(windows.frames[some] == kind)
        before, after = frames[kind]
        filled[rows, : len(before)] = before
        filled[rows[:, None], (heads + counts)[rows, None] + np.arange(len(after))] = after
    at = np.repeat(np.arange(len(some)), counts), ranges(heads, counts)
    filled[at] = ids[ranges(windows.firsts[some], counts)]
    return filled


def groups(lengths: np.ndarray, budget: int, slack: int) -> Iterator[np.ndarray]:
    """Windows of like length together: at most ``budget`` pieces with padding (or one window), of which at most
    ``slack`` are padding."""
    order = np.argsort(-lengths, kind="stable")
    first = 0
    while first < len(order):
        longest = int(lengths[order[first]])
        ahead = order[first : first + max(1, budget // longest)]
        size = int(np.searchsorted(np.cumsum(longest - lengths[ahead]), slack, side="right"))
        yield ahead[:size]
        first += size
