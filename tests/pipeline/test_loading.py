"""Pipelines and recognizers by name: what is there, and what is said where it is not."""

import pytest
import spacy

from spacy_mtl_bioner.errors import MTLError
from spacy_mtl_bioner.pipeline.loading import load, recognizer_of

from .recognizer import trained


def test_a_folder_is_loaded(tmp_path):
    spacy.blank("en").to_disk(tmp_path / "model")
    assert load(tmp_path / "model").lang == "en"


def test_what_cannot_be_loaded_is_coded(tmp_path):
    for missing in (tmp_path / "nope", "no_such_package"):
        with pytest.raises(MTLError, match="MTL365.*no"):
            load(missing)
    (tmp_path / "empty").mkdir()
    with pytest.raises(MTLError, match="MTL365.*empty"):
        load(tmp_path / "empty")


def test_a_recognizer_is_found_by_name_and_type():
    nlp = trained()
    nlp.add_pipe("entity_ruler", "ruler", before="mtl_ner")
    assert recognizer_of(nlp, "mtl_ner", "m", "--component") is nlp.get_pipe("mtl_ner")
    for name in ("ruler", "nope"):
        with pytest.raises(MTLError, match=f"MTL369.*'m'.*'{name}'.*has: mtl_ner. --component"):
            recognizer_of(nlp, name, "m", "--component")
    with pytest.raises(MTLError, match="MTL369.*has: none"):
        recognizer_of(spacy.blank("en"), "mtl_ner", "m", "--component")
