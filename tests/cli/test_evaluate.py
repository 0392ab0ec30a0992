"""The command: what it scores, and what it refuses."""

import json

import pytest
from spacy.tokens import Doc, Span
from typer.testing import CliRunner

from spacy_mtl_bioner.cli import app
from spacy_mtl_bioner.cli.evaluate import evaluate
from spacy_mtl_bioner.corpora.documents import write_docbin
from spacy_mtl_bioner.errors import MTLError

from ..pipeline.recognizer import trained


def test_a_plot_without_matplotlib_fails_before_the_work(tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MTLError, match="MTL181.*--no-plot"):
        evaluate("none", tmp_path, tmp_path / "out", plot=True)


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
    monkeypatch.setattr("spacy_mtl_bioner.experiments.evaluation.predict", None)
    done = command(converted)
    assert done.exit_code == 1 and "MTL174" in done.output and "gene" in done.output


def test_a_model_of_tags_has_no_entities_to_score(converted, tmp_path):
    trained(["pos"]).to_disk(tmp_path / "tags")
    paths = [tmp_path / "tags", converted / "corpus", tmp_path / "out"]
    done = CliRunner().invoke(app, ["evaluate", *map(str, paths), "--no-plot"])
    assert done.exit_code == 1 and "MTL174" in done.output and "spacy evaluate" in done.output
