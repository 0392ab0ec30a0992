"""What a linear-chain CRF believes: the probability of each tag, and of each span as a whole."""

from typing import Tuple

import torch
from torch import Tensor

from .crf_lattice import time_first
from .crf_posterior import Posterior

Spans = Tuple[Tensor, Tensor, Tensor, Tensor]
"""i64[n] each: row of the batch, first token, one past the last token, the tag that would continue the span
(``I-X`` under IOB2), -1 where the path itself says that it ends (IOBES)."""


@torch.no_grad()
def crf_marginals(emissions: Tensor, lengths: Tensor, transitions: Tensor, start: Tensor, end: Tensor) -> Tensor:
    """[B, T, K]: the probability of each tag at each token, 0 at padding; arguments as in ``crf_nll``."""
    return Posterior(emissions, lengths, transitions, start, end).marginals()


@torch.no_grad()
def span_scores(
    emissions: Tensor,
    lengths: Tensor,
    transitions: Tensor,
    start: Tensor,
    end: Tensor,
    tags: Tensor,
    spans: Spans,
) -> Tensor:
    """f32[n]: the exact probability that each span is an entity with just these boundaries and this label.

    That is P(the tags from its first to its last token are those of ``tags``, and the next tag does not continue
    it): the first tag's marginal times the conditional probabilities along the path (the posterior is a Markov
    chain). ``tags`` i64[B, T] is the decoded path; the other arguments are as in ``crf_nll``.
    """
    rows, first, stop, following = spans
    K = emissions.shape[2]
    posterior = Posterior(emissions, lengths, transitions, start, end)
    score = posterior.marginals()[rows, first, tags[rows, first]].double()
    if emissions.shape[1] == 1:
        return score.float()
    path = time_first(tags, lengths, K)
    logs = posterior.steps(path[:-1], path[1:]).clamp_(min=1e-300).log_().cumsum(0)
    logs = torch.cat([torch.zeros_like(logs[:1]), logs])
    score *= (logs[stop - 1, rows] - logs[first, rows]).exp()
    open_ended = (following >= 0) & (stop < lengths[rows])
    rows, last, following = rows[open_ended], stop[open_ended] - 1, following[open_ended]
    after = path[1:].clone()
    after[last, rows] = following
    score[open_ended] *= 1.0 - posterior.steps(path[:-1], after)[last, rows]
    return score.clamp_(0.0, 1.0).float()
