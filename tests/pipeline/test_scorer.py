"""The scorer against seqeval, spaCy's own scorer and counts by hand."""

import json
import random

import pytest
import spacy
from seqeval.metrics import classification_report, f1_score
from seqeval.scheme import IOB2
from spacy.scorer import Scorer
from spacy.tokens import Doc, Span
from spacy.training import Example
from spacy.util import registry

from spacy_mtl_bioner.extensions import register
from spacy_mtl_bioner.pipeline.scorer import make_mtl_scorer, mtl_score

from .recognizer import examples as learned
from .recognizer import trained

register()
NLP = spacy.blank("en")


def pair(gold, found, corpus=None, spaces=None, group=None):
    """An example of IOB tags; what was found goes to ``doc.spans[group]``, or ``doc.ents``."""
    words = [f"w{i}" for i in range(len(found))]
    reference = Doc(NLP.vocab, words=words, spaces=spaces, ents=gold)
    predicted = Doc(NLP.vocab, words=words, spaces=spaces, ents=found)
    reference._.corpus = corpus
    if group is not None:
        predicted.spans[group] = list(predicted.ents)
        predicted.set_ents([])
    return Example(predicted, reference)


def random_tags(draw, length):
    tags, last = [], "O"
    for _ in range(length):
        last = draw.choice(["O", "B-X", "B-Y"] + (["I" + last[1:]] * 3 if last != "O" else []))
        tags.append(last)
    return tags


def test_agrees_with_seqeval_and_spacy():
    draw = random.Random(3)
    rows = [(random_tags(draw, n), random_tags(draw, n)) for n in range(1, 60)]
    gold, found = zip(*rows)
    scores = mtl_score(pair(g, f) for g, f in rows)
    report = classification_report(gold, found, mode="strict", scheme=IOB2, output_dict=True, zero_division=0)
    theirs = Scorer.score_spans([pair(g, f) for g, f in rows], "ents")
    for name, column in (("p", "precision"), ("r", "recall"), ("f", "f1-score")):
        assert scores[f"ents_{name}"] == pytest.approx(report["micro avg"][column])
        assert scores[f"ents_{name}"] == scores[f"mtl_micro_{name}"] == pytest.approx(theirs[f"ents_{name}"])
        for label in "XY":
            assert scores["ents_per_type"][label][name] == pytest.approx(report[label][column])
    assert scores["ents_f"] == pytest.approx(f1_score(gold, found, mode="strict", scheme=IOB2))
    assert scores["ents_per_type"] == theirs["ents_per_type"]


def test_each_corpus_by_its_own_group():
    examples = [
        pair(["B-X", "O", "B-X"], ["B-X", "O", "O"], "A", group="A"),
        pair(["B-X", "O", "O"], ["B-X", "O", "O"], "A", group="A"),
        pair(["B-Y", "I-Y", "O"], ["B-Y", "O", "O"], "B", group="B"),
    ]
    examples[0].predicted.spans["B"] = [examples[0].predicted[0:3]]
    scores = mtl_score(examples)
    assert (scores["mtl_A_p"], scores["mtl_A_r"], scores["mtl_A_f"]) == pytest.approx((1, 2 / 3, 0.8))
    assert (scores["mtl_B_p"], scores["mtl_B_r"], scores["mtl_B_f"]) == (0, 0, 0)
    assert scores["mtl_macro_f"] == pytest.approx(0.4)
    assert scores["mtl_micro_f"] == scores["ents_f"] == pytest.approx(2 * 2 / (3 + 4))
    details = scores["mtl_per_corpus"]["A"]
    assert (details["tp"], details["fp"], details["fn"]) == (2, 0, 1)
    assert details["per_type"]["X"]["f"] == pytest.approx(0.8)
    json.dumps(scores)


def test_all_but_the_two_tables_are_plain_numbers():
    scores = mtl_score([pair(["B-X"], ["O"], "A", group="A")])
    tables = {"ents_per_type", "mtl_per_corpus"}
    assert {name for name, value in scores.items() if not isinstance(value, float)} == tables


def test_without_a_group_the_entities_count():
    scores = mtl_score([pair(["B-X"], ["B-X"], "A"), pair(["B-X"], ["B-X"])])
    assert scores["mtl_A_f"] == scores["ents_f"] == scores["mtl_macro_f"] == 1
    empty = pair(["B-X"], ["B-X"], "A")
    empty.predicted.spans["A"] = []
    assert mtl_score([empty])["mtl_A_f"] == 0


def test_nothing_to_find_and_nothing_found_is_zero_not_missing():
    scores = mtl_score([pair(["O", "O"], ["O", "O"], "A", group="A")])
    assert scores["ents_f"] == scores["mtl_A_f"] == scores["mtl_macro_f"] == 0


def test_references_without_annotation_are_left_out():
    assert mtl_score([pair(None, ["B-X"], "A", group="A")]) == {
        "ents_p": None,
        "ents_r": None,
        "ents_f": None,
        "ents_per_type": None,
    }
    assert mtl_score([pair(None, ["B-X"]), pair(["B-X"], ["B-X"])])["ents_f"] == 1
    assert mtl_score([pair([], [])])["ents_f"] is None


def test_predictions_on_missing_annotation_do_not_count():
    scores = mtl_score([pair(["B-X", "O", "", ""], ["B-X", "B-X", "B-X", "I-X"])])
    assert (scores["ents_p"], scores["ents_r"]) == (0.5, 1)


def tokens(words, spaces, *entities):
    doc = Doc(NLP.vocab, words=words, spaces=spaces)
    doc.set_ents([Span(doc, start, end, label) for start, end, label in entities], default="outside")
    return doc


def test_other_tokens_same_characters():
    gold = tokens(["IL", "-", "2", "binds", "p53"], [False, False, True, True, False], (0, 3, "G"), (4, 5, "G"))
    found = tokens(["IL-2", "binds", "p", "53"], [True, True, False, False], (0, 1, "G"), (2, 3, "G"))
    scores = mtl_score([Example(found, gold)])
    assert (scores["ents_p"], scores["ents_r"]) == (0.5, 0.5)


def test_texts_that_differ_in_spaces():
    gold = tokens(["IL", "-", "2", "binds", "p53"], None, (0, 3, "G"), (4, 5, "G"))
    found = tokens(["IL-2", "binds", "p", "53"], [True, True, False, False], (0, 1, "G"), (2, 3, "G"))
    scores = mtl_score([Example(found, gold)])
    assert (scores["ents_p"], scores["ents_r"]) == (0.5, 0.5)


def test_accuracy_of_tags():
    gold = Doc(NLP.vocab, words=["a", "b", "c", "d"], tags=["N", "V", "N", ""])
    found = Doc(NLP.vocab, words=["a", "b", "c", "d"])
    gold._.corpus = "POS"
    found.user_data["mtl_tags"] = {"POS": ["N", "N", "N", "N"]}
    scores = mtl_score([Example(found, gold)])
    assert scores["mtl_POS_acc"] == scores["mtl_macro_f"] == pytest.approx(2 / 3), "the weight that is there by default"
    assert scores["mtl_per_corpus"]["POS"] == {"acc": scores["mtl_POS_acc"], "correct": 2, "total": 3}
    joined = Doc(NLP.vocab, words=["a", "bc", "d"])
    split = Doc(NLP.vocab, words=["a", "b", "c", "d"], spaces=[True, False, True, True], tags=["N", "V", "N", "N"])
    split._.corpus = "POS"
    joined.user_data["mtl_tags"] = {"POS": ["N", "V", "N"]}
    both = mtl_score([Example(joined, split), pair(["B-X"], ["B-X"], "A", group="A")])
    assert both["mtl_POS_acc"] == 0.5 and both["mtl_macro_f"] == both["ents_f"] == 1


def test_white_space_has_no_tag():
    gold = Doc(NLP.vocab, words=["mice", "\n", "improved"], tags=["NN", "_SP", "VB"])
    found = Doc(NLP.vocab, words=["mice", "\n", "improved"])
    gold._.corpus = "POS"
    found.user_data["mtl_tags"] = {"POS": ["NN", "", "VB"]}
    assert mtl_score([Example(found, gold)])["mtl_per_corpus"]["POS"] == {"acc": 1.0, "correct": 2, "total": 2}


def test_registered_and_deaf_to_settings():
    score = registry.resolve({"scorer": {"@scorers": "spacy_mtl_bioner.mtl_scorer.v1"}})["scorer"]
    assert score is mtl_score is make_mtl_scorer()
    assert score([pair(["B-X"], ["B-X"])], threshold=0.5, corpora=["A"])["ents_f"] == 1


def test_a_corpus_that_was_not_selected_is_not_scored(caplog):
    examples = [
        pair(["B-X", "O"], ["B-X", "O"], "A", group="A"),
        pair(["B-Y", "O"], ["B-X", "O"], "B"),
        pair(["B-Y", "O"], ["B-Y", "O"], "B", group="B"),
    ]
    scores = mtl_score(examples, corpora=["A"], heads=("A", "B"))
    assert scores["mtl_A_f"] == scores["mtl_B_f"] == scores["ents_f"] == 1  # one document of B asked for its own head
    assert "MTL116" in caplog.text and "'B': 1 document(s)" in caplog.text
    for settings in ({}, {"corpora": None, "heads": ("A", "B")}, {"corpora": ["A"], "heads": ("A",)}):
        assert mtl_score(examples, **settings)["mtl_B_f"] == 0.5  # by what else is on doc.ents


def test_the_component_tells_its_corpora(caplog):
    nlp = trained(settings={"corpora": ["gene"]})
    scores = nlp.evaluate(learned(nlp))
    assert scores["mtl_gene_f"] == scores["ents_f"] == 1 and "mtl_disease_f" not in scores and "MTL116" in caplog.text
