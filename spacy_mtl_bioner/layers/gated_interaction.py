"""The gated interaction unit of cross-sharing."""

from typing import List, Optional, Tuple

import torch
from thinc.api import Model
from torch import nn

from .torch_layer import shim_of, torch_layer


def GatedInteraction() -> Model[Tuple[torch.Tensor, List[torch.Tensor]], torch.Tensor]:
    """(P_own f32[B,T,H], partners' P_j) -> G = P_own * sigmoid(sum_j W_j P_j + b), f32[B,T,H].

    With one partner these are equations 18 to 21 of Wang Xi et al. 2019 (G1 = P1 * sigmoid(W21 P2 + b21), and G2 the
    other way round); further partners add their term inside the same gate.

    A gate for features that learned without one (``attrs["late"]``) starts as the identity, 2 * sigmoid(0).
    """
    return torch_layer("gated_interaction", Gate, init=init, dims={"nI": None}, attrs={"partners": 0, "late": False})


def init(model: Model, X: object = None, Y: Optional[int] = None) -> None:
    """Build the gate for ``Y`` partners; a gate that has weights keeps them, and new partners start at zero weight,
    which leaves its output as it was."""
    if Y is None or not model.has_dim("nI"):
        return
    shim, width = shim_of(model), model.get_dim("nI")
    if shim.built and model.attrs["partners"] == Y:
        return
    old = shim.module.linear if shim.built else None
    linear = shim.build(width=width, partners=Y, scale=2.0 if model.attrs["late"] else 1.0).linear
    if old is not None or model.attrs["late"]:
        nn.init.zeros_(linear.weight)
    if old is not None:
        with torch.no_grad():
            linear.weight[:, : old.in_features] = old.weight
            linear.bias.copy_(old.bias)
    model.attrs["partners"] = Y


class Gate(nn.Module):
    """One linear map from all partners' features to the gate, which opens up to ``scale``."""

    capturable = True

    def __init__(self, width: int, partners: int, scale: float = 1.0) -> None:
        super().__init__()
        self.scale = scale
        self.linear = nn.Linear(width * partners, width)
        nn.init.xavier_uniform_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)

    def forward(self, own: torch.Tensor, partners: List[torch.Tensor]) -> torch.Tensor:
        """Gate ``own`` by what the partners see in the same token."""
        gate = torch.sigmoid(self.linear(torch.cat(partners, dim=-1)))
        return own * (gate if self.scale == 1.0 else self.scale * gate)
