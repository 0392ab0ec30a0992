"""The gradient reversal of adversarial training."""

from typing import Any, Tuple

import torch


def reverse_gradient(x: torch.Tensor, factor: float = 1.0) -> torch.Tensor:
    """``x`` as it is; its gradient is ``-factor`` times what comes back (Ganin & Lempitsky 2015).

    What stands behind it learns as usual, what stands before it learns to make that harder. ``factor`` 0 lets nothing
    through.
    """
    return _Reversal.apply(x, factor)


class _Reversal(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, factor: float) -> torch.Tensor:
        ctx.factor = factor
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> Tuple[torch.Tensor, None]:
        return gradient * -ctx.factor, None
