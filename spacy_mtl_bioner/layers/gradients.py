"""Gradients of a whole tree at once, before its shims step."""

import math
import warnings
from typing import List

import torch
from thinc.api import Model

from ..errors import E125
from .shim import MTLShim


@torch.no_grad()
def average_and_clip(model: Model, divisor: float, max_norm: float) -> float:
    """Divide every torch gradient of the tree by ``divisor``, then scale all so that their global norm is at most
    ``max_norm`` (0: no limit). Sparse gradients are coalesced. Returns the norm before clipping.

    Gradients whose norm is no finite number would undo all that was learned: they are dropped, so that nothing moves,
    and MTL125 is a warning."""
    gradients: List[torch.Tensor] = []
    params: List[torch.nn.Parameter] = []
    for node in model.walk():
        for shim in node.shims:
            if isinstance(shim, MTLShim):
                for _, param in shim.named_parameters():
                    params.append(param)
                    if param.grad is not None and param.grad.is_sparse:
                        param.grad = param.grad.coalesce()
                        gradients.append(param.grad.values())
                    elif param.grad is not None:
                        gradients.append(param.grad)
    if not gradients:
        return 0.0
    norm = float(torch.linalg.vector_norm(torch.stack(torch._foreach_norm(gradients)))) / divisor
    if not math.isfinite(norm):
        for param in params:
            param.grad = None
        warnings.warn(E125(norm=norm))
        return norm
    clip = min(1.0, max_norm / (norm + 1e-6)) if max_norm else 1.0
    torch._foreach_mul_(gradients, clip / divisor)
    return norm
