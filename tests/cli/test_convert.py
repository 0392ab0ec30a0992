"""The command: what it prints and where it stops."""

import json
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from spacy_mtl_bioner.cli import app
from spacy_mtl_bioner.corpora.catalogue import load_catalogue

MINE = {"corpora": {"mine": {"folder": "mine", "labels": {"X": "Gene"}, "license": "none", "citation": "none"}}}


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run a command in a folder with a corpus ``data/mine`` and its catalogue; returns exit code and output."""
    (tmp_path / "data" / "mine").mkdir(parents=True)
    for split in ("train", "devel", "test"):
        (tmp_path / "data" / "mine" / f"{split}.tsv").write_text("a\tB-X\nb\tI-X\nc\tO\n\n" * 10)
    (tmp_path / "mine.json").write_text(json.dumps(MINE))
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        result = CliRunner().invoke(app, [str(argument) for argument in arguments])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.exit_code, result.output

    return run


def test_converts_what_is_in_the_folder(run, tmp_path):
    code, output = run("convert", "data", "corpus", "--catalogue", "mine.json")
    assert code == 0
    header, _, train = [line.split() for line in output.split("\n") if line.strip()][:3]
    assert header == ["mine", "documents", "sentences", "tokens", "X"]
    assert train == ["train", "-", "10", "30", "10"]
    found = sorted(path.name for path in (tmp_path / "corpus" / "mine").iterdir())
    assert found == ["devel.spacy", "report.json", "test.spacy", "train.spacy"]


def test_options_reach_the_conversion(run, tmp_path):
    arguments = "--share 0.5 --seed 2 --merge-devel --retokenize --labels X".split()
    code, output = run("convert", "data", "corpus", "--catalogue", "mine.json", *arguments)
    report = json.loads((tmp_path / "corpus" / "mine" / "report.json").read_text())
    assert code == 0 and "devel (in train)" in output
    assert report["options"] == {
        "scheme": None,
        "labels": ["X"],
        "share": 0.5,
        "seed": 2,
        "merge_devel": True,
        "align": {},
        "retokenize": True,
    }
    assert report["splits"]["train"]["sentences"] == 10


def test_align_by_split(run, tmp_path):
    (tmp_path / "a.PubTator").write_text("".join(f"{i}|t|a b\n{i}|a|c\n\n" for i in range(10)))
    (tmp_path / "data" / "mine" / "test.tsv").write_text("a\tB-X\nb\tI-X\nc\tO\n\n")
    code, output = run("convert", "data", "c", "--catalogue", "mine.json", "--align", "test=a.PubTator")
    assert code == 0 and [line.split()[1] for line in output.split("\n") if line.startswith("test")] == ["1"]


def test_errors_are_one_line(run, tmp_path):
    (tmp_path / "data" / "mine" / "devel.tsv").write_text("a\tO\nb\tI-X\n")
    code, output = run("convert", "data", "corpus", "--catalogue", "mine.json")
    [line] = [line for line in output.split("\n") if line.startswith("Error")]
    assert code == 1 and "[MTL006]" in line and "devel.tsv:2:" in line and "Traceback" not in output


def test_skipping_says_what_was_left_out(run, tmp_path):
    with (tmp_path / "data" / "mine" / "devel.tsv").open("a") as file:
        file.write("b\tI-X\n\nc\n")
    code, output = run("convert", "data", "corpus", "--catalogue", "mine.json", "--on-error", "skip")
    assert code == 0 and "mine: left out 2 (MTL004: 1, MTL006: 1)" in output


def test_unknown_corpus(run):
    code, output = run("convert", "data", "corpus", "--corpora", "mine")
    assert code == 1 and "[MTL010] unknown corpus 'mine'" in output


def test_no_known_folder(run):
    code, output = run("convert", "data", "corpus")
    assert code == 1 and "[MTL023] data: none of the catalogue's " in output
    assert "Add yours with --catalogue FILE.json" in output


@pytest.mark.parametrize("arguments", [[], ["data"], ["data", "corpus", "--on-error", "hide"]])
def test_usage_errors(run, arguments):
    assert run("convert", *arguments)[0] == 2


def test_catalogue_is_listed(run):
    code, output = run("convert", "--list", "--catalogue", "mine.json")
    assert code == 0 and all(name in output for name in ("NCBI-disease", "GENIA-pos", "mine"))
    assert all(label in output for entry in load_catalogue(None).values() for label in entry.labels)


def test_help_is_light():
    """``python -m spacy_mtl_bioner --help`` loads nothing heavy."""
    program = (
        "import runpy, sys\n"
        "sys.argv = ['mtl-bioner', 'convert', '--help']\n"
        "try:\n    runpy.run_module('spacy_mtl_bioner', run_name='__main__')\n"
        "except SystemExit:\n    pass\n"
        "print(sorted({'spacy', 'torch', 'thinc', 'numpy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "Examples:" in done.stdout and done.stdout.strip().endswith("[]")
