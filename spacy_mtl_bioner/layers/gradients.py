"""Gradients of a whole tree at once, before its shims step."""

from typing import List, Optional

import torch
from thinc.api import Model

from .shim import MTLShim


@torch.no_grad()
def average_and_clip(model: Model, divisor: float, max_norm: float) -> Optional[float]:
    """Divide every torch gradient of the tree by ``divisor``, then scale all so that their global norm is at most
    ``max_norm`` (0: no limit). Sparse gradients are coalesced. Returns the norm before clipping; None without a limit,
    where it is not computed."""
    gradients: List[torch.Tensor] = []
    for node in model.walk():
        for shim in node.shims:
            if isinstance(shim, MTLShim):
                for _, param in shim.named_parameters():
                    if param.grad is not None and param.grad.is_sparse:
                        param.grad = param.grad.coalesce()
                        gradients.append(param.grad.values())
                    elif param.grad is not None:
                        gradients.append(param.grad)
    if not gradients:
        return 0.0
    if not max_norm:
        torch._foreach_mul_(gradients, 1.0 / divisor)
        return None
    norm = float(torch.linalg.vector_norm(torch.stack(torch._foreach_norm(gradients)))) / divisor
    clip = min(1.0, max_norm / (norm + 1e-6))
    torch._foreach_mul_(gradients, clip / divisor)
    return norm
