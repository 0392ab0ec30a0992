"""Averaging and clipping over a whole tree."""

import copy

import pytest
import torch
from thinc.api import Model

from spacy_mtl_bioner.layers.gradients import average_and_clip
from spacy_mtl_bioner.layers.shim import MTLShim
from spacy_mtl_bioner.layers.torch_layer import forward

from .modules import Table, affine


def tree() -> Model:
    table = MTLShim(Table)
    table.build(rows=6, width=2)
    parts = [Model("part", forward, shims=[shim]) for shim in (affine(1), affine(2), table)]
    return Model("root", forward, layers=[Model("inner", forward, layers=parts[:2]), parts[2]])


def modules(model: Model):
    return [shim.module for node in model.walk() for shim in node.shims]


def learn(parts) -> None:
    x = torch.randn(5, 3, generator=torch.Generator().manual_seed(0))
    rows = torch.tensor([1, 4, 1])
    table = next(part for part in parts if hasattr(part, "weight"))
    first = next(part for part in parts if part is not table)
    (first(x).pow(2).sum() + table(rows).pow(2).sum()).backward()


@pytest.mark.parametrize("limit", [0.5, 3.0, 1e6, 0.0])
@pytest.mark.parametrize("divisor", [1.0, 7.0])
def test_as_torch_clips_the_mean(limit: float, divisor: float):
    """Repeated rows of a sparse gradient count as their sum; parameters without gradient stay without."""
    model = tree()
    peers = copy.deepcopy(modules(model))
    learn(modules(model))
    learn(peers)
    parameters = [p for part in peers for p in part.parameters() if p.grad is not None]
    for p in parameters:
        p.grad = (p.grad.to_dense() if p.grad.is_sparse else p.grad) / divisor
    expected = torch.nn.utils.clip_grad_norm_(parameters, limit or float("inf"))
    norm = average_and_clip(model, divisor, limit)
    assert norm == pytest.approx(float(expected), rel=1e-5)
    for ours, theirs in zip(modules(model), peers):
        for p, q in zip(ours.parameters(), theirs.parameters()):
            assert (p.grad is None) == (q.grad is None)
            if p.grad is not None:
                torch.testing.assert_close(p.grad.to_dense() if p.grad.is_sparse else p.grad, q.grad)
                assert p.grad.is_sparse == hasattr(ours, "weight")


@pytest.mark.parametrize("odd", [float("nan"), float("inf")])
@pytest.mark.parametrize("limit", [1.0, 0.0])
def test_gradients_that_are_no_numbers_move_nothing(odd: float, limit: float):
    model = tree()
    learn(modules(model))
    next(p for part in modules(model) for p in part.parameters() if p.grad is not None).grad *= odd
    with pytest.warns(UserWarning, match="MTL125"):
        average_and_clip(model, 1.0, limit)
    assert all(p.grad is None for part in modules(model) for p in part.parameters())


def test_nothing_to_clip():
    assert average_and_clip(tree(), 3.0, 1.0) == 0.0
