"""The benchmark of revising components counts what it says, on a pipeline that knows its few sentences by heart."""

import importlib
from pathlib import Path

import pytest
from spacy.tokens import Doc

from .pipeline.recognizer import trained
from .pipeline.tagged import tagged

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"


@pytest.fixture
def postprocess(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("postprocess")


def test_score_and_changes(postprocess):
    one, two, three, four = ((i, i + 1, "X") for i in range(4))
    scores = postprocess.score([{one, two}, {three}], [{one}, {four}])
    assert (scores["precision"], scores["recall"], scores["f1"]) == (50.0, pytest.approx(100 / 3), 40.0)
    assert postprocess.score([set()], [set()])["f1"] == 0
    found = postprocess.changes([{one, two}], [{one, three}], [{one, two, four}])
    assert found == {"added": 2, "of_these_right": 1, "removed": 1, "of_these_wrong": 1}


def test_a_short_form_that_is_missed(postprocess, monkeypatch):
    nlp, text = trained(), "breast cancer (BC) and BC"
    gold = {(0, 13, "Disease"), (15, 17, "Disease"), (23, 25, "Disease")}
    doc = tagged(text)
    given = Doc(nlp.vocab, words=[t.text for t in doc], spaces=[bool(t.whitespace_) for t in doc])
    cases = {"abbreviations": [("mtl_abbreviations", {"minimum_score": 0.0})], "brackets": [("mtl_brackets", {})]}
    monkeypatch.setattr(postprocess, "CASES", cases)
    first, second, *policies = postprocess.compare(nlp, "disease", [(given, gold)])
    assert (first["peer"], first["ours"]) == (50.0, 100.0)
    assert (first["added"], first["of_these_right"], first["removed"]) == (2, 2, 0)
    assert (second["peer"], second["ours"], second["added"]) == (50.0, 50.0, 0)
    assert [row["case"].split(" by ")[1] for row in policies] == list(postprocess.POLICIES)


def test_documents_of_nine_sentences(postprocess, tmp_path):
    path = tmp_path / "corpus.tsv"
    path.write_text("".join(f"w{i}\tO\nasthma\tB-Disease\n\n" for i in range(10)), encoding="utf-8")
    first, second = postprocess.from_sentences(trained(), path)
    assert (len(first[0]), len(second[0])) == (18, 2)
    assert len(list(first[0].sents)) == 9 and len(first[1]) == 9 and second[1] == {(3, 9, "Disease")}
