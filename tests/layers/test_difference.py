"""The difference loss against sums written out, and numeric gradients."""

import numpy as np
import pytest
import torch

from spacy_mtl_bioner.layers.difference import difference_loss

LENGTHS = [4, 1, 3]


def features(width: int = 3):
    generator = torch.Generator().manual_seed(width)
    shared, private = (
        torch.randn(len(LENGTHS), max(LENGTHS), width, generator=generator, dtype=torch.float64) for _ in range(2)
    )
    mask = torch.arange(max(LENGTHS))[None, :] < torch.tensor(LENGTHS)[:, None]
    return shared, private, mask


@pytest.mark.parametrize("squared", [True, False])
def test_the_sums_written_out(squared: bool):
    """A sentence at a time, without padding."""
    shared, private, mask = features()
    found = difference_loss(shared, private, mask, squared)
    for i, length in enumerate(LENGTHS):
        overlap = np.zeros((3, 3))
        for t in range(length):
            overlap += np.outer(shared[i, t].numpy(), private[i, t].numpy())
        norm = np.linalg.norm(overlap, "fro")
        assert found[i].item() == pytest.approx(norm**2 if squared else norm)


@pytest.mark.parametrize("squared", [True, False])
def test_numeric_gradient(squared: bool):
    shared, private, mask = features()
    inputs = (shared.requires_grad_(), private.requires_grad_())
    assert torch.autograd.gradcheck(lambda s, p: difference_loss(s, p, mask, squared), inputs)


@pytest.mark.parametrize("squared", [True, False])
def test_orthogonal_features_have_neither_loss_nor_gradient(squared: bool):
    shared = torch.tensor([[[1.0, 0.0], [1.0, 0.0]]], requires_grad=True)
    private = torch.tensor([[[0.0, 2.0], [0.0, -2.0]]], requires_grad=True)
    loss = difference_loss(shared, private, torch.ones(1, 2, dtype=torch.bool), squared)
    loss.sum().backward()
    assert loss.item() == 0.0 and not shared.grad.any() and not private.grad.any()


def test_padding_has_no_say():
    shared, private, mask = features()
    found = difference_loss(shared, private, mask)
    shared[1, 1:] = torch.nan
    private[1, 1:] = 1e3
    assert torch.equal(difference_loss(shared, private, mask), found)
