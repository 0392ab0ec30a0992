"""Negative log likelihood of a linear-chain CRF (Lafferty et al. 2001) with its gradient in closed form."""

from typing import Any, Tuple

import torch
from torch import Tensor

from .crf_lattice import build_gold
from .crf_posterior import Posterior


class _CRFLoss(torch.autograd.Function):
    """The gradient in each score is its expected minus its observed number of uses (same paper, section 4)."""

    @staticmethod
    def forward(
        ctx: Any, emissions: Tensor, tags: Tensor, lengths: Tensor, transitions: Tensor, start: Tensor, end: Tensor
    ) -> Tensor:
        with torch.inference_mode():
            posterior = Posterior(emissions, lengths, transitions, start, end)
            gold = build_gold(tags, lengths, emissions.shape[2])
            loss = posterior.nll(gold)
            ctx.residual = posterior.marginals()
            once = ctx.residual.new_full((), -1.0).expand_as(gold.tags)
            ctx.residual.scatter_add_(2, gold.tags.unsqueeze(2), once.unsqueeze(2))
        ctx.posterior, ctx.gold, ctx.lengths = posterior, gold, lengths
        return loss.clone()

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grad: Tensor) -> Tuple[Tensor, None, None, Tensor, Tensor, Tensor]:
        T, B, K1 = ctx.residual.shape
        grad = grad.to(ctx.residual.dtype)
        d_emissions = ctx.residual.new_empty((B, T, K1 - 1))
        torch.mul(ctx.residual[..., :-1].transpose(0, 1), grad.view(B, 1, 1), out=d_emissions)
        d_links = ctx.posterior.counts(grad).flatten()
        d_links.index_add_(0, ctx.gold.pairs.flatten(), -grad.repeat(T - 1))
        last = torch.arange(B, device=grad.device) * T + ctx.lengths - 1
        d_end = d_emissions.flatten(0, 1).index_select(0, last).sum(0)
        return d_emissions, None, None, d_links.view(K1, K1)[:-1, :-1], d_emissions[:, 0].sum(0), d_end


def crf_nll(
    emissions: Tensor, tags: Tensor, lengths: Tensor, transitions: Tensor, start: Tensor, end: Tensor
) -> Tensor:
    """f64[B]: negative log likelihood of each sentence's gold tags.

    emissions [B, T, K] (computed in float32, or float64 where given); tags i64[B, T]; lengths i64[B], from 1 to T;
    transitions [K, K] (score of tag j after tag i), start [K] and end [K], -inf where illegal: the gradient there is
    0. The gold must be legal. What padding holds does not matter. Differentiable once in the four scores.
    """
    return _CRFLoss.apply(emissions, tags, lengths, transitions, start, end)
