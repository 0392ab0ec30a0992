"""The command: options, exit codes, what is printed."""

import json
import sys

import pytest
from typer.testing import CliRunner

from spacy_mtl_bioner.annotate.work import Worker
from spacy_mtl_bioner.cli import app

from ..annotate.conftest import lines, model, pipeline, poisoned, read_lines, write_lines  # noqa: F401


def run(*arguments):
    return CliRunner().invoke(app, ["annotate", *map(str, arguments)])


def test_a_job_with_options(model, tmp_path):  # noqa: F811
    source = write_lines(tmp_path / "in.jsonl", [{"pmid": 5, "body": "BRCA1 mutations cause asthma"}])
    options = ["--processes", 0, "--text", "body", "--id", "pmid", "--corpora", "disease, gene", "--labels", "Gene"]
    more = ["--thresholds", "gene=0.1", "--merge", "priority", "--priority", "gene,disease", "--label-map", "default"]
    done = run(model, source, tmp_path / "out.jsonl", *options, *more)
    assert done.exit_code == 0, done.output
    (record,) = read_lines(tmp_path / "out.jsonl")
    assert record["id"] == "5" and [(e["label"], e["unified"]) for e in record["entities"]] == [("Gene", "Gene")]
    assert "1 documents" in done.output and "Gene" in done.output and "documents/s" in done.output
    assert json.loads((tmp_path / "out.jsonl.summary.json").read_text())["entities"] == {"Gene": 1}
    again = run(model, source, tmp_path / "out.jsonl", *options, *more, "--resume")
    assert again.exit_code == 0 and "complete already" in again.output


def test_failures_have_an_exit_code_of_their_own(poisoned, tmp_path):  # noqa: F811
    path, code = poisoned
    source = write_lines(tmp_path / "in.jsonl", lines(3, d1="POISON"))
    done = run(path, source, tmp_path / "out.pubtator", "--processes", 0, "--code", code)
    assert done.exit_code == 3
    assert "1 document(s) failed" in done.output and "errors.jsonl" in done.output
    assert len(read_lines(tmp_path / "out.pubtator.errors.jsonl")) == 1
    assert run(path, source, tmp_path / "out.pubtator", "--processes", 0, "--code", code, "--resume").exit_code == 3


@pytest.mark.parametrize(
    "arguments, exit_code, message",
    [
        (["--corpora", "nope"], 1, "MTL100"),
        (["--to", "nope"], 1, "MTL358"),
        (["--resume", "--overwrite"], 2, "--resume"),
        (["--resume", "--engine", "ray"], 2, "--resume"),
        (["--engine", "nope"], 2, "--engine"),
        (["--gpus", "1"], 2, "--device"),
        (["--thresholds", "gene"], 2, "--thresholds"),
        (["--threshold", "7"], 1, "MTL359"),
        (["--merge", "vote", "--minimum", "9"], 1, "MTL359"),
    ],
)
def test_what_is_wrong_is_said(model, tmp_path, arguments, exit_code, message):  # noqa: F811
    source = write_lines(tmp_path / "in.jsonl", lines(1))
    done = run(model, source, tmp_path / "out.jsonl", "--processes", 0, *arguments)
    assert done.exit_code == exit_code and message in done.output
    assert not (tmp_path / "out.jsonl").exists()


def test_a_model_or_input_that_is_not_there(model, tmp_path):  # noqa: F811
    source = write_lines(tmp_path / "in.jsonl", lines(1))
    assert "MTL365" in run(tmp_path / "nope", source, tmp_path / "out.jsonl").output
    assert "MTL361" in run(model, tmp_path / "nope", tmp_path / "out.jsonl").output


def test_what_is_odd_is_told_at_the_end(model, tmp_path):  # noqa: F811
    source = tmp_path / "in"
    source.mkdir()
    (source / "a.csv").write_text("pmid,title,abstract\n1,asthma,BRCA1 mutations\n1,p53,again\n")
    for name in ("b.csv", "notes.md", "more.md", "README"):
        (source / name).write_bytes(b"")
    options = ["--processes", 0, "--text", "title,abstract", "--id", "pmid"]
    done = run(model, source, tmp_path / "out.tsv", *options)
    assert done.exit_code == 3 and "1 document(s) failed" in done.output
    assert "repeated id: 1, failed: 1" in done.output
    assert "files passed over, for their endings: 2 of .md, 1 of (none)" in done.output
    summary = json.loads((tmp_path / "out.tsv.summary.json").read_text())
    assert summary["passed over"] == {".md": 2, "(none)": 1} and summary["problems"] == {"repeated id": 1}
    header, *rows = (tmp_path / "out.tsv").read_text().splitlines()
    assert header.split("\t")[0] == "document" and {row.split("\t")[0] for row in rows} == {"1"}
    (error,) = read_lines(tmp_path / "out.tsv.errors.jsonl")
    assert (error["id"], error["code"]) == ("b", "MTL362") and "an empty file" in error["message"]


def test_help_shows_examples():
    said = run("--help").output
    examples = ("zcat articles.jsonl.gz | mtl-bioner annotate", "--resume", "--engine ray", "Exit code", "entities.tsv")
    for example in (*examples, '"labels"'):
        assert example in said


def test_an_interruption_says_how_to_go_on(model, tmp_path, monkeypatch):  # noqa: F811
    source = write_lines(tmp_path / "in.jsonl", lines(3))
    annotate, calls = Worker.__call__, []

    def interrupted(self, *arguments, **settings):
        calls.append(arguments)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return annotate(self, *arguments, **settings)

    monkeypatch.setattr(Worker, "__call__", interrupted)
    arguments = [model, source, tmp_path / "out.jsonl", "--processes", 0, "--chunk", 1]
    done = run(*arguments)
    assert done.exit_code == 1 and "[MTL366] stopped. 2 chunk(s) are safe" in done.output
    assert not (tmp_path / "out.jsonl").exists()
    done = run(*arguments, "--resume")
    assert done.exit_code == 0 and len(read_lines(tmp_path / "out.jsonl")) == 3 and len(calls) == 4


def test_ray_that_is_missing_is_named_with_its_extra(model, tmp_path, monkeypatch):  # noqa: F811
    monkeypatch.setitem(sys.modules, "ray", None)
    source = write_lines(tmp_path / "in.jsonl", lines(1))
    done = run(model, source, tmp_path / "out.jsonl", "--engine", "ray")
    assert done.exit_code == 1 and "MTL363" in done.output and "spacy_mtl_bioner[ray]" in done.output
