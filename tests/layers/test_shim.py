"""The bridge between Thinc nodes and torch modules."""

import copy
import json

import numpy as np
import pytest
import torch
from safetensors.torch import load
from thinc.api import SGD, Adam, Linear, Model

from spacy_mtl_bioner.errors import MTLError
from spacy_mtl_bioner.layers.shim import MTLShim
from spacy_mtl_bioner.layers.torch_layer import forward
from spacy_mtl_bioner.training.optimizers import Adam as TensorAdam

from .modules import Affine, Layered, Table, affine, learn, weights


def node(shim: MTLShim) -> Model:
    return Model("affine", forward, shims=[shim])


def array(value) -> np.ndarray:
    """A copy of an average, which is a tensor with our optimizers and an array with thinc's."""
    return np.array(value.numpy() if isinstance(value, torch.Tensor) else value)


def test_before_it_is_built():
    shim = MTLShim(Affine)
    assert not shim.built and list(shim.named_parameters()) == []
    with pytest.raises(MTLError, match="MTL130.*Affine"):
        shim.module
    again = MTLShim(Affine).from_bytes(shim.to_bytes())
    assert not again.built and not shim.copy().built
    shim.finish_update(SGD(0.1))


def test_keys_are_of_one_parameter_alone():
    """Shims and Thinc nodes count from the same number; a Linear has parameters W and b, a module may too."""
    shims = [affine(seed) for seed in range(3)]
    keys = [key for shim in shims for key, _ in shim.named_parameters()]
    linears = [(node.id, name) for node in (Linear(2, 2) for _ in range(3)) for name in node.param_names]
    assert len(set(keys + linears)) == 9 + 6
    assert all(isinstance(key[0], str) for key in keys)


def test_frozen_parameters_have_no_key():
    shim = affine()
    shim.module.linear.weight.requires_grad = False
    assert [name for (_, name), _ in shim.named_parameters()] == ["scale", "linear.bias"]


@pytest.mark.parametrize("make", [TensorAdam, Adam, SGD])
def test_no_gradient_moves_nothing(make):
    """Momentum of earlier steps must not drag a part that a batch did not use, nor its average."""
    optimizer, used, unused = make(0.1), affine(1), affine(2)
    for step in range(5):
        for shim in (used, unused):
            learn(shim, step)
            shim.finish_update(optimizer)
    before = weights(unused)
    averages = {key: array(optimizer.averages[key]) for key, _ in unused.named_parameters()}
    moved = weights(used)
    for step in range(5):
        learn(used, step)
        for shim in (used, unused):
            shim.finish_update(optimizer)
    assert not torch.equal(weights(used)["linear.weight"], moved["linear.weight"])
    for name, tensor in weights(unused).items():
        assert torch.equal(tensor, before[name])
    for key, value in averages.items():
        assert np.array_equal(array(optimizer.averages[key]), value)


@pytest.mark.parametrize(
    "stock, torch_class",
    [
        (lambda: SGD(0.02, L2=0.0, grad_clip=0.0, use_averages=False), lambda p: torch.optim.SGD(p, lr=0.02)),
        (lambda: Adam(0.02, L2=0.0, grad_clip=0.0, use_averages=False), lambda p: torch.optim.Adam(p, lr=0.02)),
    ],
)
def test_stock_optimizers_step_as_torch_does(stock, torch_class):
    """Every shape, 0-d among them, and a table whose gradient is sparse."""
    torch.manual_seed(3)
    shim, table = affine(), MTLShim(Table)
    table.build(rows=6, width=2)
    peers = copy.deepcopy(shim.module), copy.deepcopy(table.module)
    optimizer, peer = stock(), torch_class([p for module in peers for p in module.parameters()])
    for step in range(6):
        x, rows = torch.randn(5, 3), torch.arange(6)
        for modules in ((shim.module, table.module), peers):
            (modules[0](x).pow(2).sum() + modules[1](rows).pow(3).sum()).backward()
        for parameter in peers[1].parameters():
            parameter.grad = parameter.grad.to_dense()
        shim.finish_update(optimizer)
        table.finish_update(optimizer)
        peer.step()
        peer.zero_grad()
    for ours, theirs in zip((shim.module, table.module), peers):
        for name, tensor in theirs.state_dict().items():
            torch.testing.assert_close(ours.state_dict()[name], tensor, rtol=1e-4, atol=1e-6)
    assert all(param.grad is None for param in shim.module.parameters())


@pytest.mark.parametrize("make", [TensorAdam, Adam], ids=["ours", "thinc"])
def test_a_module_may_scale_the_rates_of_its_parameters(make):
    torch.manual_seed(4)
    shim = MTLShim(Layered)
    peer = copy.deepcopy(shim.build(inputs=3, outputs=4))
    optimizer = make(0.02, L2=0.0, grad_clip=0.0, use_averages=False)
    rates = {name: 0.02 * peer.lr_scales().get(name, 1.0) for name, _ in peer.named_parameters()}
    assert sorted(set(rates.values())) == [0.002, 0.01, 0.02]
    groups = [{"params": [param], "lr": rates[name]} for name, param in peer.named_parameters()]
    theirs = torch.optim.Adam(groups)
    for step in range(5):
        learn(shim, step)
        shim.finish_update(optimizer)
        x = torch.randn(5, 3, generator=torch.Generator().manual_seed(step))
        peer(x).pow(2).sum().backward()
        theirs.step()
        theirs.zero_grad()
    for name, tensor in peer.state_dict().items():
        torch.testing.assert_close(shim.module.state_dict()[name], tensor, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("make", [TensorAdam, Adam])
def test_averages_are_exchanged_and_given_back(make):
    shim, optimizer = affine(), make(0.1)
    for step in range(4):
        learn(shim, step)
        shim.finish_update(optimizer)
    raw = weights(shim)
    x = torch.ones(1, 3)
    model = node(shim)
    before = model.predict(x).detach().clone()
    with model.use_params(optimizer.averages):
        assert not torch.equal(model.predict(x), before)
        for (key, param), name in zip(shim.named_parameters(), raw):
            average = torch.from_numpy(array(optimizer.averages[key]))
            torch.testing.assert_close(param.data, average.reshape(param.shape))
            assert param.shape == raw[name].shape
    assert torch.equal(model.predict(x), before)
    with pytest.raises(KeyError):
        with shim.use_params(optimizer.averages):
            raise KeyError("in the context")
    for name, tensor in weights(shim).items():
        assert torch.equal(tensor, raw[name])


def test_bytes_are_stable_safetensors():
    shim = affine()
    data = shim.to_bytes()
    again = MTLShim(Affine).from_bytes(data)
    assert again.to_bytes() == data and again.id != shim.id
    assert again.arguments == {"inputs": 3, "outputs": 4}
    for name, tensor in load(data).items():
        assert torch.equal(tensor, shim.module.state_dict()[name])
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    assert set(header) == {"__metadata__", "scale", "linear.weight", "linear.bias"}
    assert b"PK\x03\x04" not in data and not data.startswith(b"\x80")


def test_bytes_of_other_sizes_rebuild_the_module():
    shim, other = affine(), MTLShim(Affine)
    other.build(inputs=7, outputs=2)
    assert other.from_bytes(shim.to_bytes()).module.linear.weight.shape == (4, 3)
    assert not other.from_bytes(MTLShim(Affine).to_bytes()).built


def test_a_model_keeps_its_module_in_its_bytes():
    model, other = node(affine(1)), node(MTLShim(Affine))
    data = model.to_bytes()
    assert other.from_bytes(data).to_bytes() == data
    x = torch.randn(2, 3)
    assert torch.equal(other.predict(x), model.predict(x))


def test_a_copy_is_independent():
    shim = affine()
    copied = shim.copy()
    assert copied.id != shim.id and copied.arguments == shim.arguments
    assert copied.to_bytes() == shim.to_bytes()
    with torch.no_grad():
        copied.module.scale.fill_(9.0)
    copied.arguments["inputs"] = 0
    assert shim.module.scale == 1.5 and shim.arguments["inputs"] == 3


@pytest.mark.parametrize("again", ["copy", "bytes"])
def test_copies_and_loaded_modules_draw_nothing(again):
    """What is drawn after a pipeline was loaded does not depend on that."""
    shim, other = affine(), affine(1)
    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)
    copied = shim.copy() if again == "copy" else other.from_bytes(shim.to_bytes())
    assert torch.equal(torch.rand(4), expected) and copied.to_bytes() == shim.to_bytes()


def test_clear_and_build_again():
    shim = affine()
    before = weights(shim)
    shim.clear()
    assert not shim.built and shim.arguments is None
    shim.build(inputs=3, outputs=4)
    assert not torch.equal(shim.module.linear.weight, before["linear.weight"])


def test_train_and_eval_follow_the_call():
    model = node(affine())
    model(torch.ones(1, 3), True)
    assert model.shims[0].module.training
    model.predict(torch.ones(1, 3))
    assert not model.shims[0].module.training


def test_a_new_module_is_where_thinc_computes(monkeypatch):
    """``meta`` stands for a GPU that spaCy was told to use; a module that is there already stays where it is."""
    shim, device = affine(), torch.device("meta")
    monkeypatch.setattr("spacy_mtl_bioner.layers.shim.get_torch_default_device", lambda: device)
    assert MTLShim(Affine).build(inputs=3, outputs=4).linear.weight.device == device
    assert shim.build(inputs=3, outputs=4).linear.weight.device == torch.device("cpu")
