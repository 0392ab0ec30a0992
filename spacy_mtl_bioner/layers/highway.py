"""Layers that learn how much of their input to change."""

import torch
from torch import nn


class Highway(nn.Module):
    """f32[...,D] -> f32[...,D], ``depth`` times x + g * (relu(W x + b) - x) with the gate g = sigmoid(V x + c)
    (Srivastava et al. 2015). Gates start nearly closed, so that features pass as they are."""

    def __init__(self, width: int, depth: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(width, 2 * width) for _ in range(depth))
        for layer in self.layers:
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)
            layer.bias.data[width:] = -2.0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Pass all layers."""
        for layer in self.layers:
            changed, gate = layer(x).to(x.dtype).chunk(2, dim=-1)  # autocast gives another type; lerp takes one
            x = torch.lerp(x, torch.relu(changed), torch.sigmoid(gate))
        return x
