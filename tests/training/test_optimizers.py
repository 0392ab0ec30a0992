"""Optimizers against torch's own, and rows of a table against dense arithmetic."""

import copy
from functools import partial
from itertools import product

import numpy as np
import pytest
import torch
from spacy.util import registry
from thinc.api import SGD as ThincSGD
from thinc.api import Adam as ThincAdam
from thinc.api import Config, Linear, Optimizer, chain

from spacy_mtl_bioner.errors import MTLError
from spacy_mtl_bioner.layers.shim import MTLShim
from spacy_mtl_bioner.training.optimizers import SGD, Adam, RMSprop

from ..layers.modules import RowOracle, Table, affine, learn, weights

PEERS = {
    "spacy_mtl_bioner.Adam.v1": lambda p, lr: torch.optim.Adam(p, lr=lr),
    "spacy_mtl_bioner.RMSprop.v1": lambda p, lr: torch.optim.RMSprop(p, lr=lr, alpha=0.95),
    "spacy_mtl_bioner.SGD.v1": lambda p, lr: torch.optim.SGD(p, lr=lr, momentum=0.9),
}


def from_config(text: str) -> Optimizer:
    return registry.resolve(Config().from_str(text))["optimizer"]


@pytest.mark.parametrize("name", sorted(PEERS))
def test_torch_modules_as_torch_steps_them(name: str):
    optimizer = from_config(f'[optimizer]\n@optimizers = "{name}"\nlearn_rate = 0.02')
    shim = affine()
    peer = copy.deepcopy(shim.module)
    other = PEERS[name](peer.parameters(), 0.02)
    for step in range(20):
        learn(shim, step)
        shim.finish_update(optimizer)
        peer(torch.randn(5, 3, generator=torch.Generator().manual_seed(step))).pow(2).sum().backward()
        other.step()
        other.zero_grad()
    for found, expected in zip(shim.module.parameters(), peer.parameters()):
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("name", sorted(PEERS))
def test_schedules(name: str):
    """The rate of the schedule's first value counts from the first step; spaCy's loop steps the schedules after."""
    optimizer = from_config(
        f"""
        [optimizer]
        @optimizers = "{name}"

        [optimizer.learn_rate]
        @schedules = "warmup_linear.v1"
        warmup_steps = 3
        total_steps = 10
        initial_rate = 0.01
        """.replace("        ", "")
    )
    shim = affine()
    peer = copy.deepcopy(shim.module)
    other = PEERS[name](peer.parameters(), 0.01)
    rates = []
    for step in range(8):
        rates.append(optimizer.learn_rate)
        other.param_groups[0]["lr"] = optimizer.learn_rate
        learn(shim, step)
        shim.finish_update(optimizer)
        peer(torch.randn(5, 3, generator=torch.Generator().manual_seed(step))).pow(2).sum().backward()
        other.step()
        other.zero_grad()
        optimizer.step_schedules()
    assert rates == pytest.approx([0.01 * n / 3 for n in range(3)] + [0.01 * (10 - n) / 7 for n in range(3, 8)])
    for found, expected in zip(shim.module.parameters(), peer.parameters()):
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("name", sorted(PEERS))
def test_thinc_layers_as_torch_steps_them(name: str):
    """Stock layers beside ours (an upstream tok2vec) are stepped alike; their averages are arrays, as thinc's are."""
    optimizer = from_config(f'[optimizer]\n@optimizers = "{name}"\nlearn_rate = 0.02\ngrad_clip = 0.0')
    model = chain(Linear(4, 3), Linear(2, 4)).initialize()
    peer = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Linear(4, 2))
    with torch.no_grad():
        for theirs, ours in zip(peer, model.layers):
            theirs.weight.copy_(torch.from_numpy(ours.get_param("W")))
            theirs.bias.copy_(torch.from_numpy(ours.get_param("b")))
    other = PEERS[name](peer.parameters(), 0.02)
    for step in range(10):
        x = np.random.RandomState(step).normal(size=(5, 3)).astype("float32")
        y, backprop = model.begin_update(x)
        backprop(2 * y)
        model.finish_update(optimizer)
        peer(torch.from_numpy(x)).pow(2).sum().backward()
        other.step()
        other.zero_grad()
    for theirs, ours in zip(peer, model.layers):
        np.testing.assert_allclose(ours.get_param("W"), theirs.weight.detach().numpy(), rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(ours.get_param("b"), theirs.bias.detach().numpy(), rtol=1e-4, atol=1e-6)
    raw = model.predict(x)
    with model.use_params(optimizer.averages):
        averaged = model.predict(x)
        assert isinstance(model.layers[0].get_param("W"), np.ndarray)
        saved = model.to_bytes()
    assert not np.array_equal(averaged, raw)
    assert np.array_equal(model.copy().from_bytes(saved).predict(x), averaged)
    assert np.array_equal(model.predict(x), raw)


def test_clipping_of_thinc_layers_and_scale():
    """thinc clips a parameter at a time; ``lr_scale`` scales the rate."""
    optimizer = RMSprop(0.5, eps=0.0, alpha=0.75, grad_clip=1.0, use_averages=False)
    w, g = np.zeros(2, dtype="float32"), np.array([3.0, 4.0], dtype="float32")
    optimizer((1, "W"), w, g, lr_scale=0.1)
    np.testing.assert_allclose(w, [-0.1, -0.1], rtol=1e-5)
    np.testing.assert_allclose(optimizer.state[(1, "W")]["square_avg"].sqrt().numpy(), [0.3, 0.4], rtol=1e-4)
    assert not g.any() and optimizer.averages is None
    empty = np.zeros((0,), dtype="float32")
    assert optimizer((2, "W"), empty, empty)[0] is empty


def test_descent_without_momentum():
    """As torch's, also for rows; no statistics are kept."""
    optimizer, shim = SGD(0.1, momentum=0.0), affine()
    peer = copy.deepcopy(shim.module)
    other = torch.optim.SGD(peer.parameters(), lr=0.1)
    learn(shim, 0)
    peer(torch.randn(5, 3, generator=torch.Generator().manual_seed(0))).pow(2).sum().backward()
    shim.finish_update(optimizer)
    other.step()
    for found, expected in zip(shim.module.parameters(), peer.parameters()):
        torch.testing.assert_close(found, expected)
    assert all(set(state) == {"step"} and state["step"] == 1 for state in optimizer.state.values())
    table = MTLShim(Table)
    before = table.build(rows=3, width=2).weight.detach().clone()
    table.module(torch.tensor([1, 1])).sum().backward()
    table.finish_update(optimizer)
    torch.testing.assert_close(before - table.module.weight.detach(), torch.tensor([[0.0] * 2, [0.2] * 2, [0.0] * 2]))


@pytest.mark.parametrize("make", [Adam, RMSprop, SGD])
def test_rows_learn_at_the_rate_of_their_module(make):
    tables = [MTLShim(Table), MTLShim(Table)]
    start = tables[0].build(rows=4, width=2).weight.detach().clone()
    tables[1].build(rows=4, width=2).load_state_dict(tables[0].module.state_dict())
    tables[1].module.lr_scales = lambda: {"weight": 0.25}
    for shim, rate in zip(tables, (0.01, 0.04)):
        optimizer = make(rate, L2=0.1)
        for rows in ([0, 2], [2, 2, 1], [0]):
            shim.module(torch.tensor(rows)).pow(2).sum().backward()
            shim.finish_update(optimizer)
    one, other = (shim.module.weight.detach() for shim in tables)
    torch.testing.assert_close(one, other)
    assert torch.equal(one[3], start[3]) and not torch.equal(one[:3], start[:3])


def test_L2_is_that_of_AdamW_and_spares_what_is_no_matrix():
    optimizer, shim = Adam(0.02, L2=0.1), affine()
    peer = copy.deepcopy(shim.module)
    spared = {"params": [peer.linear.bias, peer.scale], "weight_decay": 0.0}
    other = torch.optim.AdamW([{"params": [peer.linear.weight]}, spared], lr=0.02, weight_decay=0.1)
    for step in range(5):
        learn(shim, step)
        shim.finish_update(optimizer)
        peer(torch.randn(5, 3, generator=torch.Generator().manual_seed(step))).pow(2).sum().backward()
        other.step()
        other.zero_grad()
    for found, expected in zip(shim.module.parameters(), peer.parameters()):
        torch.testing.assert_close(found, expected)


@pytest.mark.parametrize(
    "make, setting, value",
    [
        *product((Adam, RMSprop, SGD), ("learn_rate", "L2", "grad_clip", "average_decay"), [-0.1]),
        (SGD, "average_decay", 1.0),
        (Adam, "beta1", 1.0),
        (Adam, "beta2", -0.1),
        (RMSprop, "alpha", 1.5),
        (SGD, "momentum", 2.0),
        (SGD, "momentum", float("nan")),
    ],
)
def test_numbers_out_of_range(make, setting, value):
    """A negative limit of the norm, say, would turn gradients around."""
    with pytest.raises(MTLError, match=f"MTL147.*{make.__name__}.*expected"):
        make(**{setting: value})


@pytest.mark.parametrize("L2", [0.0, 0.1])
@pytest.mark.parametrize("make, rule", [(Adam, RowOracle.adam), (RMSprop, RowOracle.rmsprop), (SGD, RowOracle.sgd)])
def test_rows_as_dense_arithmetic(make, rule, L2: float):
    """Rows met often, once, late and never; twice in a step; the averages are read in between."""
    torch.manual_seed(0)
    optimizer, shim = make(0.05, L2=L2), MTLShim(Table)
    table = shim.build(rows=8, width=3)
    start = table.weight.detach().clone()
    oracle = RowOracle(start, 0.05, L2=L2)
    random = np.random.RandomState(1)
    for step in range(60):
        rows = [0, 1 + step % 3] + ([5, 5] if step % 20 == 7 else []) + ([6] if step == 59 else [])
        values = random.normal(size=(len(rows), 3))
        (table(torch.tensor(rows)) * torch.from_numpy(values).float()).sum().backward()
        shim.finish_update(optimizer)
        rule(oracle, rows, values)
        if step in (11, 40, 59):
            with shim.use_params(optimizer.averages):
                np.testing.assert_allclose(table.weight.detach(), oracle.average, rtol=1e-4, atol=1e-5)
            np.testing.assert_allclose(table.weight.detach(), oracle.table, rtol=1e-4, atol=1e-5)
    assert torch.equal(table.weight[[4, 7]], start[[4, 7]])
    assert not torch.equal(table.weight[6], start[6])


def test_all_rows_as_a_dense_gradient():
    """A table of which each step meets every row is stepped like any other matrix, averages included."""
    torch.manual_seed(0)
    shim = MTLShim(Table)
    shim.build(rows=5, width=2)
    other = shim.copy()
    optimizer = Adam(0.05)
    for step in range(15):
        x = torch.randn(5, 2)
        for one in (shim, other):
            (one.module(torch.arange(5)) * x).sum().backward()
        other.module.weight.grad = other.module.weight.grad.to_dense()
        shim.finish_update(optimizer)
        other.finish_update(optimizer)
    torch.testing.assert_close(shim.module.weight, other.module.weight)
    with shim.use_params(optimizer.averages), other.use_params(optimizer.averages):
        torch.testing.assert_close(shim.module.weight, other.module.weight)


def test_averages_of_dense_parameters():
    shim, optimizer = affine(), Adam(0.05, average_decay=0.5)
    expected = None
    for step in range(1, 20):
        learn(shim, step)
        shim.finish_update(optimizer)
        now = weights(shim)["linear.weight"].double()
        kept = min(0.5, (1 + step) / (10 + step))
        expected = now if expected is None else kept * expected + (1 - kept) * now
    with shim.use_params(optimizer.averages):
        torch.testing.assert_close(shim.module.linear.weight.double(), expected, rtol=1e-5, atol=1e-6)


GROWING = [Adam, RMSprop, SGD, partial(SGD, momentum=0.0), ThincAdam, ThincSGD]


def step(shim: MTLShim, optimizer: Optimizer, *inputs: torch.Tensor) -> None:
    for batch in inputs:
        shim.module(batch).pow(2).sum().backward()
        shim.finish_update(optimizer)


@pytest.mark.parametrize("make", GROWING)
@pytest.mark.parametrize("sizes", [{"rows": 3, "width": 2}, {"rows": 900, "width": 2}], ids=["grown", "shrunk"])
def test_rows_of_a_table_of_another_size_start_afresh(make, sizes):
    torch.manual_seed(0)
    optimizer, shim, to = make(learn_rate=0.05), MTLShim(Table), {"rows": 903 - sizes["rows"], "width": 2}
    shim.build(**sizes)
    step(shim, optimizer, *[torch.tensor([0, 2])] * 4)
    before = shim.build(**to).weight.detach().clone()
    with shim.use_params(optimizer.averages):
        assert torch.equal(shim.module.weight, before)
    compare_with_a_new_optimizer(shim, optimizer, make, torch.tensor([to["rows"] - 1, 0]))


@pytest.mark.parametrize("make", GROWING)
def test_a_matrix_of_another_size_starts_afresh(make):
    """As where a head gets a label; the scale, which every size has, is left out."""
    optimizer, shim = make(learn_rate=0.05), affine()
    step(shim, optimizer, *[torch.ones(1, 3)] * 4)
    shim.build(inputs=3, outputs=900).scale.requires_grad = False
    before = weights(shim)
    with shim.use_params(optimizer.averages):
        assert torch.equal(shim.module.linear.weight, before["linear.weight"])
    compare_with_a_new_optimizer(shim, optimizer, make, torch.ones(1, 3))


def compare_with_a_new_optimizer(shim: MTLShim, optimizer: Optimizer, make, batch: torch.Tensor) -> None:
    other, fresh = shim.copy(), make(learn_rate=0.05)
    for name, param in other.module.named_parameters():
        param.requires_grad = dict(shim.module.named_parameters())[name].requires_grad
    step(shim, optimizer, batch, batch)
    step(other, fresh, batch, batch)
    for found, expected in zip(shim.module.parameters(), other.module.parameters()):
        torch.testing.assert_close(found, expected)
    raw = weights(shim)
    with shim.use_params(optimizer.averages):
        assert all(not torch.equal(p, raw[name]) for name, p in shim.module.named_parameters() if p.requires_grad)
