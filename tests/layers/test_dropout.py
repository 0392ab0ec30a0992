"""Dropout decided by eight or sixteen random bits."""

import numpy as np
import pytest
import torch

from spacy_mtl_bioner.layers.dropout import drop


def test_no_dropout_is_no_change():
    x = torch.randn(2, 3, 4)
    assert drop(x, 0.5, training=False) is x
    assert drop(x, 0.0, training=True) is x


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.75, 0.9])
def test_share_and_scale(rate: float):
    """Within five standard deviations of the binomial share; what stays grows so that the mean is kept."""
    np.random.seed(1)
    x = torch.full((20, 50, 100), 2.0)
    found = drop(x, rate, training=True)
    assert found.unique().tolist() == [0.0, pytest.approx(2.0 / (1.0 - rate))]
    share = float((found == 0).float().mean())
    assert abs(share - rate) < 5 * (rate * (1 - rate) / x.numel()) ** 0.5


def test_locked_decides_once_a_sentence():
    np.random.seed(1)
    found = drop(torch.ones(4, 7, 30), 0.5, training=True, locked=True)
    assert torch.equal(found, found[:, :1].expand_as(found))
    assert not torch.equal(found[0], found[1])


def test_the_seed_decides_and_the_gradient_follows():
    masks = []
    for _ in range(2):
        np.random.seed(7)
        x = torch.randn(3, 5, 8, requires_grad=True)
        y = drop(x, 0.3, training=True)
        y.sum().backward()
        assert torch.equal(x.grad == 0, y == 0)
        torch.testing.assert_close(x.grad * x.detach(), y.detach())
        masks.append(y == 0)
    assert torch.equal(*masks)


def test_a_tensor_that_is_not_contiguous():
    np.random.seed(2)
    x = torch.randn(8, 5, 3).transpose(0, 2)
    y = drop(x, 0.5, training=True)
    assert y.shape == x.shape
    torch.testing.assert_close(y[y != 0], 2 * x[y != 0])
