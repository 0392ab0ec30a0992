"""Negative log likelihood of a linear-chain CRF (Lafferty et al. 2001) with its gradient in closed form."""

from typing import Any, Tuple

import torch
from torch import Tensor

from .crf_posterior import Posterior


class _CRFLoss(torch.autograd.Function):
    """The gradient of the loss is (expected - observed) uses of each score, by the posterior (same paper, sec. 4)."""

    @staticmethod
    def forward(
        ctx: Any, emissions: Tensor, tags: Tensor, lengths: Tensor, transitions: Tensor, start: Tensor, end: Tensor
    ) -> Tensor:
        posterior = Posterior(emissions, lengths, transitions, start, end)
        T = emissions.shape[1]
        inside = torch.arange(T, device=lengths.device) < lengths.unsqueeze(1)
        residual = posterior.marginals()
        safe = tags.masked_fill(~inside, 0)
        residual.scatter_add_(2, safe.unsqueeze(2), -inside.unsqueeze(2).to(residual.dtype))
        ctx.save_for_backward(residual, safe, inside, lengths)
        ctx.posterior = posterior
        return posterior.nll(tags)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grad: Tensor) -> Tuple[Tensor, None, None, Tensor, Tensor, Tensor]:
        residual, tags, inside, lengths = ctx.saved_tensors
        grad = grad.to(residual.dtype)
        d_emissions = residual * grad.view(-1, 1, 1)
        K = residual.shape[2]
        d_transitions = ctx.posterior.counts(grad).to(residual.dtype).flatten()
        pairs = (tags[:, :-1] * K + tags[:, 1:]).flatten()
        d_transitions.index_add_(0, pairs, (inside[:, 1:] * -grad.unsqueeze(1)).flatten())
        rows = torch.arange(len(lengths), device=lengths.device)
        d_end = d_emissions[rows, lengths - 1].sum(0)
        return d_emissions, None, None, d_transitions.view(K, K), d_emissions[:, 0].sum(0), d_end


def crf_nll(
    emissions: Tensor, tags: Tensor, lengths: Tensor, transitions: Tensor, start: Tensor, end: Tensor
) -> Tensor:
    """f64[B]: negative log likelihood of each sentence's gold tags.

    emissions [B, T, K] (float32 or float64); tags i64[B, T]; lengths i64[B], from 1 to T; transitions [K, K] (score
    of tag j after tag i), start [K] and end [K], -inf where illegal: the gradient there is 0. The gold must be legal.
    What padding holds does not matter. Differentiable once in the four scores.
    """
    return _CRFLoss.apply(emissions, tags, lengths, transitions, start, end)
