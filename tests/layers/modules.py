"""Small torch modules and what steps them, for the tests of shim and optimizers."""

from typing import Any, Dict, List, Sequence

import numpy as np
import torch
from torch import nn

from spacy_mtl_bioner.layers.shim import MTLShim


class Affine(nn.Module):
    """A matrix, a vector and a scale that is a single number (0-d)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.linear = nn.Linear(inputs, outputs)
        self.scale = nn.Parameter(torch.tensor(1.5))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.scale * self.linear(x)


class Table(nn.Module):
    """Rows whose gradient is sparse."""

    def __init__(self, rows: int, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(rows, width))

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        return nn.functional.embedding(rows, self.weight, sparse=True)


def affine(seed: int = 0) -> MTLShim:
    torch.manual_seed(seed)
    shim = MTLShim(Affine)
    shim.build(inputs=3, outputs=4)
    return shim


def learn(shim: MTLShim, seed: int) -> None:
    """Leave a gradient of a random batch."""
    x = torch.randn(5, 3, generator=torch.Generator().manual_seed(seed))
    shim.module(x).pow(2).sum().backward()


def weights(shim: MTLShim) -> Dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in shim.module.state_dict().items()}


class RowOracle:
    """Dense arithmetic in float64: all statistics decay at every step, but only rows with a gradient move; averages
    take in the whole table at every step."""

    def __init__(self, table: torch.Tensor, lr: float, eps: float = 1e-8, L2: float = 0.0) -> None:
        self.table = table.double().numpy().copy()
        self.first, self.second = np.zeros_like(self.table), np.zeros_like(self.table)
        self.lr, self.eps, self.L2, self.steps = lr, eps, L2, 0
        self.average: Any = None

    def gradient(self, rows: Sequence[int], values: np.ndarray) -> np.ndarray:
        dense = np.zeros_like(self.table)
        np.add.at(dense, rows, values)
        return dense

    def adam(self, rows: Sequence[int], values: np.ndarray, beta1: float = 0.9, beta2: float = 0.999) -> None:
        gradient, self.steps = self.gradient(rows, values), self.steps + 1
        self.first = beta1 * self.first + (1 - beta1) * gradient
        self.second = beta2 * self.second + (1 - beta2) * gradient**2
        first, second = self.first / (1 - beta1**self.steps), self.second / (1 - beta2**self.steps)
        self._move(rows, first / (np.sqrt(second) + self.eps))

    def rmsprop(self, rows: Sequence[int], values: np.ndarray, alpha: float = 0.95) -> None:
        gradient, self.steps = self.gradient(rows, values), self.steps + 1
        self.second = alpha * self.second + (1 - alpha) * gradient**2
        self._move(rows, gradient / (np.sqrt(self.second) + self.eps))

    def sgd(self, rows: Sequence[int], values: np.ndarray, momentum: float = 0.9) -> None:
        self.steps += 1
        self.first = momentum * self.first + self.gradient(rows, values)
        self._move(rows, self.first)

    def _move(self, rows: Sequence[int], direction: np.ndarray) -> None:
        touched: List[int] = sorted(set(rows))
        self.table[touched] = self.table[touched] * (1 - self.lr * self.L2) - self.lr * direction[touched]
        kept = min(0.999, (1 + self.steps) / (10 + self.steps))
        self.average = self.table.copy() if self.average is None else kept * self.average + (1 - kept) * self.table


class Layered(Affine):
    """An affine map whose matrix learns at half the rate and whose bias at a tenth."""

    def lr_scales(self) -> Dict[str, float]:
        return {"linear.weight": 0.5, "linear.bias": 0.1}
