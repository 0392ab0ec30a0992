"""What a linear-chain CRF believes: the probability of each tag, and of each span as a whole."""

from typing import Any, Tuple

import torch
from torch import Tensor

from .crf_lattice import build_gold
from .crf_posterior import Posterior

Spans = Tuple[Tensor, Tensor, Tensor, Tensor]
"""i64[n] each: row of the batch, first token, one past the last token, the tag that would continue the span
(``I-X`` under IOB2), -1 where the path itself says that it ends (IOBES)."""


@torch.no_grad()
def crf_marginals(emissions: Tensor, lengths: Tensor, transitions: Tensor, start: Tensor, end: Tensor) -> Tensor:
    """[B, T, K]: the probability of each tag at each token, 0 at padding; arguments as in ``crf_nll``."""
    marginals = Posterior(emissions, lengths, transitions, start, end).marginals()
    return marginals[..., :-1].transpose(0, 1).contiguous()


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
    chain). ``tags`` i64[B, T] is the decoded path; the other arguments are as in ``crf_nll``, or
    those of several CRFs, as in ``build_lattice``.
    """
    posterior = Posterior(emissions, lengths, transitions, start, end)
    return score_spans(posterior, build_gold(tags, lengths, emissions.shape[2]).tags, lengths, spans)


def score_spans(posterior: Any, path: Tensor, lengths: Tensor, spans: Spans) -> Tensor:
    """f32[n]: ``span_scores`` from any posterior with ``marginals()`` [T, B, >= K] and ``steps(before, after)``
    [T - 1, B], along ``path`` i64[T, B]."""
    rows, first, stop, following = spans
    T = len(path)
    score = posterior.marginals()[first, rows, path[first, rows]].double()
    logs = score.new_zeros((T, len(lengths)))
    torch.cumsum(posterior.steps(path[:-1], path[1:]).double().clamp_(min=1e-300).log_(), 0, out=logs[1:])
    score *= (logs[stop - 1, rows] - logs[first, rows]).exp()
    continuable = (following >= 0) & (stop < lengths[rows])
    if bool(continuable.any()):
        after = path.roll(-1, 0)
        after[stop[continuable] - 1, rows[continuable]] = following[continuable]
        goes_on = posterior.steps(path[:-1], after[:-1])
        score *= 1.0 - goes_on[(stop - 1).clamp(max=T - 2), rows].double() * continuable
    return score.clamp_(0.0, 1.0).float()
