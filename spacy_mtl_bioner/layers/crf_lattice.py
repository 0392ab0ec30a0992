"""The lattice of a linear-chain CRF: log potentials with an extra *end* state, so that no recursion needs lengths."""

from typing import NamedTuple

import torch
from torch import Tensor

_NEVER = float("-inf")


class Lattice(NamedTuple):
    """Shifted log potentials, time first. State K is the end state, where a sentence is after its last token: all
    sentences of a batch have T steps.

    ``scores`` [T, B, K + 1] holds emission, start and end scores; its maximum over the last axis is 0. Only the end
    state is possible after the end and only tags before it, so ``transitions`` [K + 1, K + 1] (score of ``j`` after
    ``i``, maximum 0) need not forbid any step from or to it. Both shifts are the same for all tag paths of a
    sentence: differences of path scores, hence likelihoods, are those of the CRF.

    The sentences of several CRFs, one CRF after the other and as many of each, have ``transitions`` [G, K + 1, K + 1].
    """

    scores: Tensor
    transitions: Tensor


def build_lattice(emissions: Tensor, lengths: Tensor, transitions: Tensor, start: Tensor, end: Tensor) -> Lattice:
    """Lattice of a batch: emissions [B, T, K], lengths i64[B], transitions [K, K], start and end [K]; or of G CRFs,
    transitions [G, K, K], start and end [G, K], where the first B / G sentences are of the first CRF, and so on.

    Half precision becomes float32. Emissions at padding have no effect, whatever they hold (NaN included).
    """
    B, T, K = emissions.shape
    emissions = emissions.to(torch.promote_types(emissions.dtype, torch.float32))
    rows = torch.arange(B, device=lengths.device)
    outside = torch.arange(T, device=lengths.device).unsqueeze(1) >= lengths
    scores = emissions.new_empty((T, B, K + 1))
    flat = scores.view(T * B, K + 1)
    scores[..., :K].copy_(emissions.transpose(0, 1))
    scores[..., K].fill_(_NEVER)
    if outside.is_cuda:  # which padding there is, the host need not know
        scores.masked_fill_(outside.unsqueeze(2), _NEVER)
        scores[..., K].masked_fill_(outside, 0.0)
    else:
        padding = outside.flatten().nonzero().squeeze(1)
        flat.index_fill_(0, padding, _NEVER)
        flat[:, K].index_fill_(0, padding, 0.0)
    start, end = start.reshape(-1, 1, K), end.to(scores.dtype).reshape(-1, 1, K)
    each = B // len(start)
    scores[0].view(-1, each, K + 1)[..., :K] += start
    flat[:, :K].index_add_(0, (lengths - 1) * B + rows, end.expand(-1, each, K).reshape(B, K))
    scores -= scores.amax(2, keepdim=True)
    links = emissions.new_zeros((*transitions.shape[:-2], K + 1, K + 1))
    highest = transitions.amax((-2, -1), keepdim=True).clamp_(min=torch.finfo(transitions.dtype).min)
    torch.sub(transitions, highest, out=links[..., :K, :K])
    return Lattice(scores, links)


def chain_of(links: Tensor, sentences: int) -> Tensor:
    """i64[sentences]: the CRF of each, with ``links`` [G, K + 1, K + 1] of all."""
    return torch.arange(len(links), device=links.device).repeat_interleave(sentences // len(links))


class GoldPath(NamedTuple):
    """Tag paths, time first: ``tags`` i64[T, B] (K at padding), ``pairs`` i64[T - 1, B] (flat transition index)."""

    tags: Tensor
    pairs: Tensor

    def score(self, lattice: Lattice) -> Tensor:
        """f64[B]: shifted score of each path."""
        unary = lattice.scores.gather(2, self.tags.unsqueeze(2)).squeeze(2).sum(0, dtype=torch.float64)
        return unary + lattice.transitions.take(self.pairs).sum(0, dtype=torch.float64)


def build_gold(tags: Tensor, lengths: Tensor, end_state: int) -> GoldPath:
    """Paths of tags i64[B, T] whatever they hold at padding."""
    inside = torch.arange(tags.shape[1], device=lengths.device).unsqueeze(1) < lengths
    path = torch.where(inside, tags.t(), end_state)
    return GoldPath(path, torch.add(path[1:], path[:-1], alpha=end_state + 1))
