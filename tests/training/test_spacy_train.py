"""What ``spacy train`` makes of each optimizer: the weights that it saves and scores are the averages."""

import io

import numpy as np
import pytest
import spacy
from spacy.training.initialize import init_nlp
from spacy.training.loop import train
from spacy.util import registry

from spacy_mtl_bioner.training.averages import RowAverages

from .tiny import config_of


def parameters(nlp):
    for node in nlp.get_pipe("mtl_ner").model.walk():
        for shim in node.shims:
            for key, param in shim.named_parameters():
                yield key, param


@pytest.mark.parametrize("name, use_averages", [("Adam", True), ("RMSprop", True), ("SGD", True), ("SGD", False)])
def test_averages_are_scored_and_saved(name: str, use_averages: bool, tmp_path, monkeypatch):
    """Saved weights are the optimizer's averages, which differ from the raw ones, and the noted score is theirs."""
    made = []
    rate = 0.2 if name == "SGD" else 0.05
    optimizer = {"@optimizers": f"spacy_mtl_bioner.{name}.v1", "learn_rate": rate, "average_decay": 0.8}
    config = config_of(tmp_path / "corpora", optimizer={**optimizer, "use_averages": use_averages})
    resolve = registry.resolve
    monkeypatch.setattr(registry, "resolve", lambda *a, **k: made.append(resolve(*a, **k)) or made[-1])
    (tmp_path / "out").mkdir()
    nlp, path = train(init_nlp(config), tmp_path / "out", stdout=io.StringIO())
    averages = [found["optimizer"] for found in made if "optimizer" in found][-1].averages
    saved = spacy.load(path)
    assert (averages is not None) == use_averages
    moved = 0
    for (key, raw), (_, stored) in zip(parameters(nlp), parameters(saved)):
        expected = raw.data
        if use_averages:
            expected = averages[key]
            expected = expected.caught_up() if isinstance(expected, RowAverages) else expected
            moved += not np.allclose(expected, raw.data)
        np.testing.assert_array_equal(stored.data.numpy(), expected.numpy())
    assert moved > 3 or not use_averages
    scores = saved.evaluate(list(registry.resolve(nlp.config.interpolate()["corpora"])["dev"](saved)))
    assert saved.meta["performance"]["mtl_macro_f"] == pytest.approx(scores["mtl_macro_f"]) and scores["mtl_macro_f"]
