import importlib.util
import json
from pathlib import Path
from types import SimpleNamespace

import numpy
import pytest
import spacy
from spacy.vectors import Vectors
from thinc.api import Model

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("package_model", ROOT / "project" / "scripts" / "package_model.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def pipeline(*nodes):
    model = Model("root", lambda model, X, is_train: (X, None), layers=[Model(name, None) for name in nodes])
    vocab = spacy.blank("en").vocab
    vocab.vectors = Vectors(data=numpy.ones((1, 2), dtype="float32"), keys=["a"], strings=vocab.strings)
    return SimpleNamespace(pipeline=[("plain", object()), ("tagger", SimpleNamespace(model=model))], vocab=vocab)


@pytest.mark.parametrize(
    "nodes, kept",
    [
        (["word_vectors"], 0),
        (["word_vectors", "static_vectors"], 1),
        (["hashembed"], 1),
    ],
)
def test_vectors_go_only_where_no_part_reads_them(script, nodes, kept):
    nlp = pipeline(*nodes)
    script.drop_spare_vectors(nlp)
    assert len(nlp.vocab.vectors) == kept


def test_sources_are_those_of_the_catalogue(script):
    found = script.sources(["sample-gene", "NCBI-disease"], ROOT / "assets" / "catalogue.json")
    assert [entry["name"] for entry in found] == ["sample-gene", "NCBI-disease"]
    assert all(entry["license"] and entry["author"] for entry in found)
    text = script.licenses(found)
    assert all(value in text for entry in found for value in entry.values())


def test_performance_is_in_fractions(script):
    row = {"precision": 50.0, "recall": 25.0, "f1": 40.0}
    results = {"corpora": {"a": {"gold_tokens": row}, "b": {"gold_tokens": {**row, "f1": 20.0}}}}
    found = script.performance(results)
    assert found["mtl_a_p"] == 0.5 and found["mtl_b_f"] == 0.2
    assert found["mtl_macro_f"] == pytest.approx(0.3)
    json.dumps(found)
