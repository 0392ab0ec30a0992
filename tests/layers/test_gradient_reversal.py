"""The reversal against numeric gradients of what it stands in."""

import pytest
import torch

from spacy_mtl_bioner.layers.gradient_reversal import reverse_gradient


def numeric_gradient(function, x: torch.Tensor, step: float = 1e-6) -> torch.Tensor:
    """Central differences of a scalar function."""
    gradient = torch.zeros_like(x)
    for i in range(x.numel()):
        moved = torch.zeros_like(x).view(-1)
        moved[i] = step
        moved = moved.view_as(x)
        gradient.view(-1)[i] = (function(x + moved) - function(x - moved)) / (2 * step)
    return gradient


@pytest.mark.parametrize("factor", [0.0, 1.0, 0.3])
def test_the_gradient_is_turned_around(factor: float):
    torch.manual_seed(0)
    x = torch.randn(3, 4, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(4, 2, dtype=torch.float64, requires_grad=True)

    def behind(features):
        return torch.log_softmax(torch.tanh(features) @ weight, -1)[:, 0].sum()

    found = behind(reverse_gradient(x, factor))
    with torch.no_grad():
        assert torch.equal(found, behind(x))
        expected = numeric_gradient(behind, x)
    found.backward()
    torch.testing.assert_close(x.grad, -factor * expected, rtol=1e-6, atol=1e-8)
    plain = torch.autograd.grad(behind(x), weight)[0]
    torch.testing.assert_close(weight.grad, plain)


def test_what_stands_before_it_climbs():
    """One step down the reversed gradient makes the loss behind it larger."""
    x = torch.tensor([0.5, -1.0], requires_grad=True)
    loss = reverse_gradient(x).square().sum()
    loss.backward()
    assert (x - 0.1 * x.grad).square().sum().item() > loss.item()
