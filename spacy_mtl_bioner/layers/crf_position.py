"""The chain whose transition scores differ from token to token: loss, best path and beliefs, in log space.

A path ``y`` of a sentence of ``n`` tokens scores ``first[y_0] + sum_{t=1}^{n-1} links[t-1, y_{t-1}, y_t]``; emissions
and end scores are part of these. All recursions run in float64, whatever the scores' precision: with one matrix a token
there is no product to share between sentences, and the small steps cost the same in both.
"""

from typing import Any, Tuple

import torch
from torch import Tensor

from .crf_marginals import Spans, score_spans


class PositionPosterior:
    """The distribution over tag paths of each sentence: first [B, K], links [T - 1, B, K, K] (before, after; -inf where
    illegal), lengths i64[B], from 1 to T. What ``links`` holds past a sentence's end does not matter, NaN included.

    ``log_z`` f64[B] is the log partition; ``forward`` and ``backward`` f64[T, B, K] the usual messages; at padding they
    repeat those of the last token.
    """

    def __init__(self, first: Tensor, links: Tensor, lengths: Tensor) -> None:
        self.links, self.inside = links, inside_of(links, lengths)
        forward = [first.double()]
        for link, inside in zip(links, self.inside):
            into = torch.logsumexp(forward[-1].unsqueeze(2) + link, 1)
            forward.append(torch.where(inside, into, forward[-1]))
        backward = [torch.zeros_like(forward[0])]
        for link, inside in zip(links.flip(0), self.inside.flip(0)):
            onward = torch.logsumexp(link + backward[-1].unsqueeze(1), 2)
            backward.append(torch.where(inside, onward, backward[-1]))
        self.forward = torch.stack(forward)
        self.backward = torch.stack(backward[::-1])
        self.log_z = torch.logsumexp(forward[-1], 1)

    def marginals(self) -> Tensor:
        """f64[T, B, K]: P(tag at t); at padding, of the last token."""
        return (self.forward + self.backward - self.log_z.unsqueeze(1)).exp()

    def pairs(self) -> Tensor:
        """f64[T - 1, B, K, K]: P(tags at t and t + 1), 0 at padding."""
        left = (self.forward[:-1] - self.log_z.unsqueeze(1)).unsqueeze(3)
        both = (left + self.links).add_(self.backward[1:].unsqueeze(2)).exp_()
        return both.masked_fill_(~self.inside.unsqueeze(3), 0.0)

    def steps(self, before: Tensor, after: Tensor) -> Tensor:
        """f64[T - 1, B]: P(tag ``after[t]`` at t + 1 | tag ``before[t]`` at t, sentence), 1 at padding; both
        i64[T - 1, B]."""
        link = self.links.flatten(2).gather(2, (before * self.links.shape[3] + after).unsqueeze(2)).squeeze(2)
        onward = self.backward[1:].gather(2, after.unsqueeze(2)).squeeze(2)
        here = self.backward[:-1].gather(2, before.unsqueeze(2)).squeeze(2)
        return torch.where(self.inside.squeeze(2), (link + onward - here).exp(), 1.0)


def inside_of(links: Tensor, lengths: Tensor) -> Tensor:
    """bool[T - 1, B, 1]: whether a link leads to a token."""
    return (torch.arange(1, len(links) + 1, device=lengths.device).unsqueeze(1) < lengths).unsqueeze(2)


class _PositionLoss(torch.autograd.Function):
    """The gradient in each score is its expected minus its observed number of uses, as in every CRF."""

    @staticmethod
    def forward(ctx: Any, first: Tensor, links: Tensor, tags: Tensor, lengths: Tensor) -> Tensor:
        posterior = PositionPosterior(first, links, lengths)
        inside, K = posterior.inside.squeeze(2), first.shape[1]
        path = tags.t().clamp(0, K - 1)
        pairs = (path[:-1] * K + path[1:]).unsqueeze(2)
        gold = links.flatten(2).gather(2, pairs).squeeze(2).double()
        start = path[:1].t()
        score = first.gather(1, start).squeeze(1).double() + torch.where(inside, gold, 0.0).sum(0)
        d_first, d_links = posterior.marginals()[0], posterior.pairs()
        d_first.scatter_add_(1, start, d_first.new_tensor(-1.0).expand_as(start))
        d_links.flatten(2).scatter_add_(2, pairs, inside.unsqueeze(2).to(d_links.dtype).neg())
        ctx.save_for_backward(d_first.to(first.dtype), d_links.to(links.dtype))
        return (posterior.log_z - score).clamp_(min=0.0)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grad: Tensor) -> Tuple[Tensor, Tensor, None, None]:
        d_first, d_links = ctx.saved_tensors
        weight = grad.to(d_first.dtype)
        return d_first * weight.view(-1, 1), d_links * weight.view(1, -1, 1, 1), None, None


def position_nll(first: Tensor, links: Tensor, tags: Tensor, lengths: Tensor) -> Tensor:
    """f64[B]: negative log likelihood of each sentence's gold tags i64[B, T], which must be legal; what they are at
    padding does not matter. Differentiable once in ``first`` and ``links``; see ``PositionPosterior``."""
    return _PositionLoss.apply(first, links, tags, lengths)


@torch.no_grad()
def position_decode(first: Tensor, links: Tensor, lengths: Tensor) -> Tensor:
    """i64[B, T]: the best path of each sentence (Viterbi 1967), 0 at padding; arguments as ``PositionPosterior``."""
    inside, value = inside_of(links, lengths), first.double()
    sources = torch.empty(links.shape[:3], dtype=torch.int64, device=links.device)
    for link, within, source in zip(links, inside, sources):
        best, where = (value.unsqueeze(2) + link).max(1)
        source.copy_(where)
        value = torch.where(within, best, value)
    now = value.argmax(1, keepdim=True)
    path = torch.zeros((len(links) + 1, len(first)), dtype=torch.int64, device=links.device)
    for t in range(len(links), 0, -1):
        within = inside[t - 1]
        path[t] = torch.where(within, now, 0).squeeze(1)
        now = torch.where(within, sources[t - 1].gather(1, now), now)
    path[0] = now.squeeze(1)
    return path.t().contiguous()


@torch.no_grad()
def position_span_scores(first: Tensor, links: Tensor, lengths: Tensor, tags: Tensor, spans: Spans) -> Tensor:
    """f32[n]: the exact probability that each span of the decoded ``tags`` i64[B, T] is an entity, as
    ``crf_marginals.span_scores``; the other arguments as ``PositionPosterior``."""
    return score_spans(PositionPosterior(first, links, lengths), tags.t(), lengths, spans)
