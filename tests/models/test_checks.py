"""Settings out of their range are refused when a config is resolved, by the part's and the setting's name."""

import re

import pytest
from spacy import registry

from spacy_mtl_bioner.errors import MTLError

LAYERS, ARCHITECTURES = "layers", "architectures"


@pytest.mark.parametrize(
    "kind, part, settings",
    [
        (ARCHITECTURES, "CharCNN", {"max_chars": 0, "window": 0, "width": 0, "filters": 0}),
        (ARCHITECTURES, "CharBiLSTM", {"max_chars": -3, "units": 0, "width": 0, "language_model_words": 0}),
        (ARCHITECTURES, "CharBiLSTM", {"language_model": -1.0, "highway": -1, "dropout": 1.0}),
        (ARCHITECTURES, "WordVectors", {"width": 0, "min_count": 0, "bound": -0.1}),
        (ARCHITECTURES, "Capitalization", {"width": 0}),
        (LAYERS, "BiLSTM", {"width": 0, "depth": 0, "output": 0, "dropout": 1.5}),
        (LAYERS, "FeedForward", {"width": 0, "dropout": -0.1}),
        (LAYERS, "WindowCNN", {"filters": 0, "hidden": 0}),
        (LAYERS, "CRF", {"dropout": float("nan")}),
        (LAYERS, "PositionCRF", {"dropout": 1.0}),
        (LAYERS, "Softmax", {"dropout": 75.0}),
    ],
)
def test_settings_out_of_range(kind, part, settings):
    make = registry.get(kind, f"spacy_mtl_bioner.{part}.v1")
    make()
    for name, value in settings.items():
        with pytest.raises(MTLError, match=re.escape(f"[MTL200] {part}: {name} is {value}; expected ")):
            make(**{name: value})
