"""Where the state of an optimizer goes when a training is resumed."""

import torch
from spacy.lang.en import English

from spacy_mtl_bioner.training import optimizer_state
from spacy_mtl_bioner.training.optimizer_state import Place, restore_optimizer
from spacy_mtl_bioner.training.optimizers import Adam


def test_state_of_a_layer_goes_to_its_device(monkeypatch):
    """``meta`` stands for a GPU; a Thinc layer has no tensor that says where."""
    place, optimizer = Place("ner|0|W", (7, "W"), None, torch.device("meta")), Adam(0.1)
    monkeypatch.setattr(optimizer_state, "places", lambda nlp: [place])
    restore_optimizer(optimizer, English(), {"state|ner|0|W|exp_avg": torch.ones(3)}, {})
    assert optimizer.state[(7, "W")]["exp_avg"].device == place.device
