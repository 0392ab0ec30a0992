"""How learning rates fall, by their formulas, from a config and in an optimizer."""

from itertools import islice

import pytest
from spacy.util import registry
from thinc.api import Config
from thinc.schedules import warmup_linear as warmup_linear_in_steps

from spacy_mtl_bioner.errors import MTLError
from spacy_mtl_bioner.training.decay import exponential_decay, inverse_time_decay, warmup_linear

CONFIG = """
[optimizer]
@optimizers = "spacy_mtl_bioner.SGD.v1"

[optimizer.learn_rate]
@schedules = "spacy_mtl_bioner.{name}.v1"
initial_rate = 0.01
steps = 3
decay = 0.5
"""


def test_by_epochs():
    exponential = list(islice(exponential_decay(0.001, steps=2), 161))
    assert exponential[:5] == pytest.approx([1e-3, 1e-3, 0.97e-3, 0.97e-3, 0.97**2 * 1e-3])
    assert exponential[160] == pytest.approx(0.0874e-3, rel=1e-3)  # after the 80 epochs of the paper
    inverse = list(islice(inverse_time_decay(0.01, steps=1), 20))
    assert inverse[0] == pytest.approx(0.01 / 1.05) and inverse[19] == pytest.approx(0.005)


@pytest.mark.parametrize(
    "name, rates",
    [
        ("ExponentialDecay", [0.01] * 3 + [0.005] * 3 + [0.0025]),
        ("InverseTimeDecay", [0.01 / 1.5] * 3 + [0.01 / 2] * 3 + [0.01 / 2.5]),
    ],
)
def test_an_optimizer_steps_them(name: str, rates):
    optimizer = registry.resolve(Config().from_str(CONFIG.format(name=name)))["optimizer"]
    found = []
    for _ in rates:
        found.append(optimizer.learn_rate)
        optimizer.step_schedules()
    assert found == pytest.approx(rates)


@pytest.mark.parametrize("make", [exponential_decay, inverse_time_decay])
def test_epochs_have_steps(make):
    with pytest.raises(MTLError, match="MTL147.*steps"):
        make(0.01, steps=0)


@pytest.mark.parametrize("make", [exponential_decay, inverse_time_decay])
@pytest.mark.parametrize("setting", ["initial_rate", "decay"])
def test_rates_are_not_negative(make, setting):
    with pytest.raises(MTLError, match=f"MTL147.*{setting} is -1"):
        make(**{"initial_rate": 0.01, "steps": 1, setting: -1})
    with pytest.raises(MTLError, match="MTL147.*initial_rate is -1"):
        warmup_linear(-1, steps=5, passes=3)


@pytest.mark.parametrize("warmup", [0, 0.5, 1])
def test_warmup_in_passes_is_that_of_thinc_in_steps(warmup: float):
    ours = list(islice(warmup_linear(2e-4, steps=10, passes=3, warmup=warmup), 40))
    theirs = list(islice(warmup_linear_in_steps(2e-4, int(10 * warmup), 30), 40))
    assert ours == pytest.approx(theirs)


@pytest.mark.parametrize(
    "given, setting", [({"steps": 0}, "steps"), ({"warmup": 3}, "warmup"), ({"warmup": -1}, "warmup")]
)
def test_warmup_must_fit(given, setting):
    with pytest.raises(MTLError, match=f"MTL147.*{setting}"):
        warmup_linear(2e-4, **{"steps": 5, "passes": 3, **given})
