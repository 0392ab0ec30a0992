import json
import random

import pytest
import spacy
from seqeval.metrics import f1_score, precision_score, recall_score
from seqeval.scheme import IOB2
from spacy.language import Language
from spacy.tokens import Doc, Span

from typer.testing import CliRunner

from spacy_mtl_bioner.cli import app
from spacy_mtl_bioner.cli.evaluate import (
    blind_copy,
    draw,
    evaluate,
    figures,
    gold_spans,
    iob2,
    predict,
    score,
    spans_of,
    strict_report,
)
from spacy_mtl_bioner.corpora.documents import write_docbin
from spacy_mtl_bioner.errors import MTLError

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
    found = score([gold_spans(doc) for doc in docs], [spans_of(doc, "a") for doc in docs])
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
    assert figures(0, 0, 0) == {"precision": 0.0, "recall": 0.0, "f1": 0.0, "gold": 0, "found": 0, "right": 0}


def test_a_blind_copy_has_words_spaces_and_sentences_only(vocab):
    doc = Doc(vocab, ["a", "b", "c"], [False, True, False], sent_starts=[True, False, True], ents=["B-Gene", "O", "O"])
    copy = blind_copy(doc)
    assert copy.text == doc.text
    assert [t.is_sent_start for t in copy] == [True, False, True]
    assert not copy.ents


def test_a_split_without_entities_has_a_report(vocab):
    doc = Doc(vocab, ["a"], ents=["O"])
    doc.spans["a"] = []
    assert "no entity" in strict_report([doc], [doc], "a")
    doc.spans["a"] = [Span(doc, 0, 1, label="Gene")]
    assert "Gene" in strict_report([doc], [doc], "a")


def test_a_plot_without_matplotlib_fails_before_the_work(tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MTLError, match="MTL181.*--no-plot"):
        evaluate("none", tmp_path, tmp_path / "out", plot=True)


def test_the_plot_is_a_png(tmp_path):
    """Whatever the names: a dollar sign starts no formula."""
    row = figures(1, 2, 1)
    draw({"a$_{$": {"gold_tokens": {**row, "labels": {"$x_{$": row, "y": row}}}}, "test", tmp_path / "scores.png")
    assert (tmp_path / "scores.png").read_bytes().startswith(b"\x89PNG")


@pytest.fixture(scope="module")
def converted(tmp_path_factory):
    """A trained model, and a converted test split, whose second text runs two of its words together."""
    folder, nlp = tmp_path_factory.mktemp("evaluate"), trained()
    nlp.to_disk(folder / "model")
    known = Doc(nlp.vocab, words="patients with breast cancer improved".split())
    known.set_ents([Span(known, 2, 4, "Disease")])
    glued = Doc(nlp.vocab, words="asthma is common in mice".split(), spaces=[False, True, True, True, False])
    glued.set_ents([Span(glued, 0, 1, "Disease")])
    write_docbin([known, glued], folder / "corpus" / "disease" / "test.spacy")
    return folder


def command(folder, *options):
    paths = [folder / "model", folder / "corpus", folder / "out"]
    return CliRunner().invoke(app, ["evaluate", *map(str, paths), "--no-plot", *options])


def test_the_command_scores_gold_tokens_and_raw_text(converted):
    done = command(converted, "--corpora", "disease")
    assert done.exit_code == 0, done.output
    summary = json.loads((converted / "out" / "scores.json").read_text())
    found = summary["corpora"]["disease"]
    assert (summary["split"], list(summary["corpora"]), found["documents"]) == ("test", ["disease"], 2)
    assert (found["gold_tokens"]["f1"], found["gold_tokens"]["right"], found["gold_tokens"]["gold"]) == (100.0, 2, 2)
    assert (found["raw_text"]["right"], found["raw_text"]["recall"]) == (1, 50.0)  # no token ends after "asthma"
    assert "disease, test, gold tokens" in (converted / "out" / "report.txt").read_text()


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


@pytest.mark.parametrize(
    "options, code",
    [
        (["--corpora", "disease,nope"], "MTL100"),
        (["--corpora", "disease", "--split", "devel"], "MTL174"),
        (["--component", "nope"], "MTL369"),
    ],
)
def test_what_cannot_be_scored_is_told(converted, options, code):
    done = command(converted, *options)
    assert done.exit_code != 0 and code in done.output


def test_a_folder_that_cannot_be_made_is_told(converted, tmp_path):
    (tmp_path / "file").write_text("")
    paths = [str(converted / "model"), str(converted / "corpus"), str(tmp_path / "file")]
    done = CliRunner().invoke(app, ["evaluate", *paths, "--no-plot", "--corpora", "disease"])
    assert done.exit_code == 1 and "MTL182" in done.output


def test_a_split_of_another_name_is_refused_with_the_names(converted):
    done = command(converted, "--split", "dev")
    assert done.exit_code == 2 and "devel" in done.output


def test_what_is_missing_is_told_before_anything_is_scored(converted, monkeypatch):
    monkeypatch.setitem(evaluate.__globals__, "predict", None)
    done = command(converted)
    assert done.exit_code == 1 and "MTL174" in done.output and "gene" in done.output


def test_a_model_of_tags_has_no_entities_to_score(converted, tmp_path):
    trained(["pos"]).to_disk(tmp_path / "tags")
    paths = [tmp_path / "tags", converted / "corpus", tmp_path / "out"]
    done = CliRunner().invoke(app, ["evaluate", *map(str, paths), "--no-plot"])
    assert done.exit_code == 1 and "MTL174" in done.output and "spacy evaluate" in done.output
