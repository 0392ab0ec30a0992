"""The lattice of a linear-chain CRF: log potentials with an extra *end* state, so that no recursion needs lengths."""

from typing import NamedTuple

import torch
from torch import Tensor


class Lattice(NamedTuple):
    """Shifted log potentials, time first. State K is the end state, which a sentence enters after its last token
    and never leaves: all sentences of a batch then have T steps.

    ``scores[t, b, j]`` ([T, B, K + 1]) holds emission, start and end scores, its maximum over ``j`` being 0;
    ``transitions[i, j]`` ([K + 1, K + 1]) is the score of ``j`` after ``i``, its maximum being 0. Both shifts are the
    same for all tag paths of a sentence: differences of path scores, hence likelihoods, are those of the CRF.
    """

    scores: Tensor
    transitions: Tensor

    def score(self, tags: Tensor) -> Tensor:
        """f64[B]: shifted score of the paths ``tags`` (i64[T, B], K at padding)."""
        unary = self.scores.gather(2, tags.unsqueeze(2)).squeeze(2).double().sum(0)
        return unary + self.transitions[tags[:-1], tags[1:]].double().sum(0)


def build_lattice(emissions: Tensor, lengths: Tensor, transitions: Tensor, start: Tensor, end: Tensor) -> Lattice:
    """Lattice of a batch: emissions [B, T, K], lengths i64[B], transitions [K, K], start and end [K].

    Emissions at padding are never read into a result, whatever they hold (NaN included).
    """
    B, T, K = emissions.shape
    inside = torch.arange(T, device=lengths.device).unsqueeze(1) < lengths
    scores = emissions.new_full((T, B, K + 1), float("-inf"))
    tags = scores[..., :K]
    tags.copy_(emissions.transpose(0, 1))
    tags.masked_fill_(~inside.unsqueeze(2), float("-inf"))
    scores[..., K].masked_fill_(~inside, 0.0)
    tags[0] += start
    tags[lengths - 1, torch.arange(B, device=lengths.device)] += end
    scores -= scores.amax(2, keepdim=True)
    links = emissions.new_full((K + 1, K + 1), float("-inf"))
    links[:K, :K] = transitions - transitions.amax().clamp(min=torch.finfo(transitions.dtype).min)
    links[:, K] = 0.0
    return Lattice(scores, links)


def time_first(tags: Tensor, lengths: Tensor, end_state: int) -> Tensor:
    """i64[T, B] of tags i64[B, T], with the end state at padding."""
    inside = torch.arange(tags.shape[1], device=lengths.device).unsqueeze(1) < lengths
    return torch.where(inside, tags.t(), end_state)
