"""Scores of the splits of corpora, on gold tokens and on raw text."""

import random

import pytest
import spacy
from seqeval.metrics import f1_score, precision_score, recall_score
from seqeval.scheme import IOB2
from spacy.language import Language
from spacy.scorer import PRFScore
from spacy.tokens import Doc, Span

from spacy_mtl_bioner.experiments.evaluation import figures, iob2, predict, score, strict_report
from spacy_mtl_bioner.experiments.plots import f1_by_label
from spacy_mtl_bioner.experiments.report import draw
from spacy_mtl_bioner.pipeline.scorer import offsets

from ..pipeline.recognizer import trained

LABELS = ("Disease", "Gene")
KEYS = ("precision", "recall", "f1")


@pytest.fixture(scope="module")
def vocab():
    return spacy.blank("en").vocab


def random_spans(doc, rng):
    spans, start = [], 0
    while start < len(doc):
        end = min(len(doc), start + rng.randint(1, 3))
        if rng.random() < 0.5:
            spans.append(Span(doc, start, end, label=rng.choice(LABELS)))
        start = end
    return spans


def annotated(vocab, seed):
    rng = random.Random(seed)
    doc = Doc(vocab, words=[f"w{i}" for i in range(rng.randint(1, 12))])
    doc.set_ents(random_spans(doc, rng))
    doc.spans["a"] = random_spans(doc, rng)
    return doc


@pytest.mark.parametrize("seed", range(5))
def test_scores_are_those_of_seqeval(vocab, seed):
    docs = [annotated(vocab, 100 * seed + i) for i in range(20)]
    found = score([offsets(doc.ents) for doc in docs], [offsets(doc.spans["a"]) for doc in docs])
    tags = [iob2(doc, doc.ents) for doc in docs], [iob2(doc, doc.spans["a"]) for doc in docs]
    for key, measure in (("precision", precision_score), ("recall", recall_score), ("f1", f1_score)):
        assert found[key] == pytest.approx(100 * measure(*tags, mode="strict", scheme=IOB2), abs=0.006)
        by_label = measure(*tags, mode="strict", scheme=IOB2, average=None)
        assert [found["labels"][label][key] for label in LABELS] == pytest.approx(100 * by_label, abs=0.006)
    (micro,) = [row.split() for row in strict_report(docs, docs, "a").splitlines() if row.strip().startswith("micro")]
    assert [float(cell) for cell in micro[2:5]] == pytest.approx([found[k] / 100 for k in KEYS], abs=0.0051)


def test_same_offsets_with_another_label_are_wrong():
    found = score([{(0, 3, "Gene")}], [{(0, 3, "Disease")}])
    assert (found["right"], found["gold"], found["found"], found["f1"]) == (0, 1, 1, 0.0)
    assert set(found["labels"]) == set(LABELS)


def test_nothing_to_find_and_nothing_found():
    assert figures(PRFScore()) == {"precision": 0.0, "recall": 0.0, "f1": 0.0, "gold": 0, "found": 0, "right": 0}


def test_a_split_without_entities_has_a_report(vocab):
    doc = Doc(vocab, ["a"], ents=["O"])
    doc.spans["a"] = []
    assert "no entity" in strict_report([doc], [doc], "a")
    doc.spans["a"] = [Span(doc, 0, 1, label="Gene")]
    assert "Gene" in strict_report([doc], [doc], "a")


def test_gold_sentences_leave_a_parser_in():
    """Only what sets sentences and nothing else is left out: a head may read the parse."""
    calls = []

    def watched(name):
        return lambda doc: calls.append(name) or doc

    for name, assigns in (("splits", ["doc.sents"]), ("parses", ["token.dep", "token.is_sent_start", "doc.sents"])):
        Language.component(f"{name}_here", assigns=assigns, func=watched(name))
    nlp = trained()
    for name in ("splits", "parses"):
        nlp.add_pipe(f"{name}_here", first=True)
    for gold, seen in ((True, ["parses"]), (False, ["parses", "splits"])):
        calls.clear()
        predict(nlp, [nlp.make_doc("mice improved")], "disease", "mtl_ner", gold_sentences=gold)
        assert calls == seen


def test_the_plot_is_a_png(tmp_path):
    """Whatever the names: a dollar sign starts no formula."""
    row = score([{(0, 3, "Gene"), (5, 6, "Gene")}], [{(0, 3, "Gene")}])
    results = {"a$_{$": {"gold_tokens": {**row, "labels": {"$x_{$": row, "y": row}}}}
    draw(lambda canvas: f1_by_label(canvas, results, "test"), tmp_path / "scores.png")
    assert (tmp_path / "scores.png").read_bytes().startswith(b"\x89PNG")
