"""The gate against its equations written out."""

import numpy as np
import pytest
import torch

from spacy_mtl_bioner.layers.gated_interaction import GatedInteraction
from spacy_mtl_bioner.layers.structure import initialize_with
from spacy_mtl_bioner.layers.torch_layer import run, shim_of


def gate(partners: int, width: int = 4):
    torch.manual_seed(partners)
    made = initialize_with(GatedInteraction(), width, Y=partners)
    with torch.no_grad():
        shim_of(made).module.linear.bias.normal_()
    return made


def features(count: int, width: int = 4):
    generator = torch.Generator().manual_seed(count)
    return [torch.randn(2, 3, width, generator=generator) for _ in range(count)]


def by_hand(own, partners, weight, bias):
    """G = P * sigmoid(sum_j W_j P_j + b), a token at a time in float64."""
    own, partners = own.double().numpy(), [p.double().numpy() for p in partners]
    width = own.shape[-1]
    found = np.zeros_like(own)
    for b in range(own.shape[0]):
        for t in range(own.shape[1]):
            total = bias.copy()
            for j, partner in enumerate(partners):
                total += weight[:, j * width : (j + 1) * width] @ partner[b, t]
            found[b, t] = own[b, t] / (1.0 + np.exp(-total))
    return found


@pytest.mark.parametrize("partners", [1, 2, 5])
def test_equations(partners: int):
    model, (own, *others) = gate(partners), features(1 + partners)
    linear = shim_of(model).module.linear
    weight, bias = linear.weight.detach().double().numpy(), linear.bias.detach().double().numpy()
    found = run(model, (own, others), False).detach().numpy()
    np.testing.assert_allclose(found, by_hand(own, others, weight, bias), rtol=1e-5, atol=1e-6)


def test_numeric_gradient():
    module = shim_of(gate(2)).module.double()
    own, *others = (x.double().requires_grad_() for x in features(3))
    assert torch.autograd.gradcheck(lambda a, b, c, *_: module(a, [b, c]), (own, *others, *module.parameters()))


def test_a_new_partner_changes_nothing_at_first():
    model, (own, *others) = gate(2), features(4)
    before = run(model, (own, others[:2]), False).clone()
    weight = shim_of(model).module.linear.weight.detach().clone()
    initialize_with(model, 4, Y=3)
    assert torch.equal(run(model, (own, others), False), before)
    assert torch.equal(shim_of(model).module.linear.weight[:, :8], weight)
    run(model, (own, others), True).sum().backward()
    assert float(shim_of(model).module.linear.weight.grad[:, 8:].abs().sum()) > 0


def test_the_same_partners_keep_the_module():
    model = gate(2)
    module = shim_of(model).module
    initialize_with(model, 4, Y=2)
    initialize_with(model, 4)
    assert shim_of(model).module is module
