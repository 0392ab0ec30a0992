"""Options of studies: lists, overrides, the queue that is printed."""

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from spacy_mtl_bioner.cli import app, studies
from spacy_mtl_bioner.cli.studies import shown_command
from spacy_mtl_bioner.cli.values import named_paths, names, numbers, sets, system_of
from spacy_mtl_bioner.errors import MTLError
from spacy_mtl_bioner.experiments import queue
from spacy_mtl_bioner.experiments.queue import State

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def corpora(tmp_path):
    """Empty files in the place of corpora: a queue is made without reading them."""
    for name in ("NCBI-disease", "BioNLP09", "BC5CDR"):
        for split in ("train", "devel", "test"):
            path = tmp_path / "corpus" / name / f"{split}.spacy"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(name.encode())
    return tmp_path / "corpus"


def run(tmp_path, corpora, *options):
    protocol = ["--protocol", str(ROOT / "configs" / "protocol.cfg")]
    command = ["compare", str(tmp_path / "out"), "--corpora-dir", str(corpora), *protocol, *options]
    return CliRunner().invoke(app, command)


SYSTEMS = f"STM={ROOT / 'configs' / 'single_task.cfg'},CS-MTM={ROOT / 'configs' / 'cross_sharing.cfg'}"

PARTNER = ("--partners", "BioNLP09")


def test_the_queue_is_printed_and_nothing_else_happens(tmp_path, corpora):
    options = ("--systems", SYSTEMS, "--main", "NCBI-disease", "--partners", "BioNLP09, BC5CDR", "--seeds", "0,1")
    done = run(tmp_path, corpora, *options, "--dry-run", "--protocol.patience", "4")
    assert done.exit_code == 0, done.output
    lines = [line.split(maxsplit=1) for line in done.output.splitlines()]
    assert lines[:-1] == [
        ["1", "STM NCBI-disease seed 0"],
        ["2", "CS-MTM NCBI-disease + BioNLP09 seed 0"],
        ["3", "CS-MTM NCBI-disease + BC5CDR seed 0"],
        ["4", "STM NCBI-disease seed 1"],
    ]
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "options, code",
    [
        (("--systems", "STM"), "MTL303"),
        (("--systems", SYSTEMS, "--seeds", "one"), "MTL303"),
        (("--systems", SYSTEMS, "--main", "NCBI-disease", *PARTNER, "--training.no.such", "1", "--dry-run"), "MTL302"),
        (("--systems", SYSTEMS, "--main", "NCBI-disease", *PARTNER, "--protocol.patienc", "4", "--dry-run"), "MTL302"),
        (("--systems", SYSTEMS, "--main", "NCBI-disease", "--dry-run"), "MTL303"),
        (("--systems", SYSTEMS, "--main", "nowhere", *PARTNER, "--report-only"), "MTL304"),
    ],
)
def test_coded_errors(tmp_path, corpora, options, code):
    done = run(tmp_path, corpora, *options)
    assert done.exit_code == 1 and f"[{code}]" in done.output


def test_a_slip_of_the_pen_is_no_setting(tmp_path, corpora):
    done = run(tmp_path, corpora, "--systems", SYSTEMS, "--job", "2")
    assert done.exit_code == 2 and "No such option '--job'" in done.output and "Traceback" not in done.output
    assert isinstance(done.exception, SystemExit)


def test_a_study_with_partners_needs_a_system_that_takes_them(tmp_path, corpora):
    command = ["sizes", str(tmp_path / "out"), "--corpora-dir", str(corpora), "--main", "NCBI-disease", *PARTNER]
    options = ["--protocol", str(ROOT / "configs" / "protocol.cfg"), "--system", SYSTEMS.partition(",")[0]]
    done = CliRunner().invoke(app, [*command, *options, "--dry-run"])
    assert done.exit_code == 1 and "[MTL303] --system" in done.output


def test_failures_are_told_before_the_report(tmp_path, corpora, monkeypatch):
    def train(study, runs, engine, jobs):
        state = State(runs)
        state.failures = dict.fromkeys(study(state), "exit code 1: ValueError: no luck")
        return state

    def report(study, state, plain, block):
        raise RuntimeError("the report fails too")

    monkeypatch.setattr(studies, "_train", train)
    options = ("--systems", SYSTEMS.partition(",")[0], "--main", "NCBI-disease")
    done = run(tmp_path, corpora, *options)
    assert done.exit_code == 1 and "[MTL307] 1 of 1 trainings failed" in done.output
    monkeypatch.setattr(studies, "_report", report)
    done = run(tmp_path, corpora, *options)
    assert isinstance(done.exception, RuntimeError)
    assert "FAILED STM NCBI-disease seed 0: exit code 1: ValueError: no luck" in done.output


def test_missing_libraries_are_told_at_once(tmp_path, corpora, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    done = run(tmp_path, corpora, "--systems", SYSTEMS, "--dry-run")
    assert done.exit_code == 1 and "[MTL308]" in done.output and "spacy_mtl_bioner[studies]" in done.output


def test_lists():
    assert names(" a, b,a,,") == ("a", "b") and names("") == ()
    assert sets("a+b, c+") == (("a", "b"), ("c",))
    assert numbers("--seeds", "3, 1, 03") == (3, 1)
    assert named_paths("--systems", "a=x/y.cfg") == (("a", Path("x/y.cfg")),)
    for wrong in ("", "1,-2", "x"):
        with pytest.raises(MTLError, match="MTL303"):
            numbers("--seeds", wrong)


def test_names_are_given_once(tmp_path, reported):
    for option, text in (("--tables", "a=x,b=y,a=z"), ("--systems", "a=x.cfg,a=y.cfg")):
        with pytest.raises(MTLError, match=f"MTL303.*{option}"):
            named_paths(option, text)
    assert system_of("--system", "a=x.cfg") == ("a", Path("x.cfg"))
    with pytest.raises(MTLError, match="MTL303.*--baseline.*one NAME=CONFIG"):
        system_of("--baseline", "a=x.cfg,b=y.cfg")


def test_ray_gives_each_training_a_gpu_of_its_own(tmp_path, corpora, monkeypatch):
    asked = []

    def remote(**resources):
        asked.append(resources)
        return lambda function: function

    ray = SimpleNamespace(is_initialized=lambda: True, remote=remote)
    monkeypatch.setitem(sys.modules, "ray", ray)
    used = []
    monkeypatch.setattr(queue, "run_queue", lambda study, runs, *rest: used.append(runs.gpu_id) or State(runs))
    options = ("--systems", SYSTEMS.partition(",")[0], "--main", "NCBI-disease", "--plain", "--engine", "ray")
    for gpu in ("-1", "0", "3"):
        assert run(tmp_path, corpora, *options, "--gpu-id", gpu).exit_code == 0
    assert [found["num_gpus"] for found in asked] == [0, 1, 1] and used == [-1, 0, 0]


def test_a_recorded_command_names_no_place():
    shown = shown_command(["compare", str(Path.cwd() / "out"), "--systems", "a=x.cfg", "--main", "one two"])
    assert shown == "mtl-bioner compare out --systems a=x.cfg --main 'one two'"
    shown = shown_command(["compare", "--systems", "a=/home/me/x.cfg,b=/home/me/y.cfg", "--vectors=/home/me/v", "a/b"])
    assert shown == "mtl-bioner compare --systems a=x.cfg,b=y.cfg --vectors=v a/b"


@pytest.fixture
def reported(corpora):
    """The same corpora with the reports of ``convert``."""
    for name, labels in (("NCBI-disease", ["Disease"]), ("BioNLP09", ["Protein"]), ("BC5CDR", ["Chemical", "Disease"])):
        report = {"kind": "spans", "labels": {label: label for label in labels}, "splits": {"train": {"tokens": 1}}}
        (corpora / name / "report.json").write_text(json.dumps(report))
    return corpora


BALANCED = ("--protocol.max_steps", "20000", "--protocol.schedule", '{"@misc":"spacy_mtl_bioner.Balanced.v1"}')
ONE = ("--system", f"FS-MTM={ROOT / 'configs' / 'fully_shared.cfg'}")


@pytest.mark.parametrize(
    "name, options, expected",
    [
        (
            "pairs",
            (*ONE, "--corpora", "NCBI-disease,BC5CDR", *BALANCED),
            ["NCBI-disease", "BC5CDR", "BC5CDR + NCBI-disease"],
        ),
        (
            "pairs",
            (*ONE, "--once"),
            ["BC5CDR", "BioNLP09", "NCBI-disease", "BC5CDR + BioNLP09", "BC5CDR + NCBI-disease"],
        ),
        ("groups", ONE, ["BC5CDR (Disease) + NCBI-disease (Disease)", "BC5CDR (Disease)"]),
        ("all", ONE, ["BC5CDR + BioNLP09 + NCBI-disease", "BC5CDR", "BioNLP09"]),
        ("sizes", (*ONE, "--main", "BC5CDR", "--partners", "BioNLP09", "--shares", "100,12.5"), ["BC5CDR + BioNLP09"]),
        ("types", (*ONE, "--main", "BioNLP09", "--partners", "BC5CDR"), ["BioNLP09", "BioNLP09 + BC5CDR"]),
        ("seeds", ("--systems", SYSTEMS, "--main", "BC5CDR", "--partners", "BioNLP09"), ["BC5CDR"]),
        (
            "vector-tables",
            ("--systems", SYSTEMS, "--main", "BC5CDR", "--tables", "a=VECTORS,b=VECTORS", "--partners", "BioNLP09"),
            ["BC5CDR", "BC5CDR + BioNLP09"],
        ),
    ],
)
def test_every_study_prints_its_queue(tmp_path, reported, name, options, expected):
    (tmp_path / "vocab").mkdir()
    (tmp_path / "vocab" / "vectors").touch()
    options = [option.replace("VECTORS", str(tmp_path)) for option in options]
    protocol = ("--protocol", str(ROOT / "configs" / "protocol.cfg"))
    command = [name, str(tmp_path / "out"), "--corpora-dir", str(reported), *protocol, *options, "--dry-run"]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    titles = [line.split(maxsplit=2)[2].rpartition(" seed ")[0] for line in done.output.splitlines()[:-1]]
    assert titles[: len(expected)] == expected


@pytest.mark.parametrize(
    "name, options, code",
    [
        ("groups", (*ONE, "--categories", "Cell"), "MTL311"),
        ("sizes", (*ONE, "--main", "BC5CDR", "--partners", "BioNLP09", "--shares", "0"), "MTL303"),
        ("types", (*ONE, "--main", "BC5CDR", "--partners", "none"), "MTL310"),
    ],
)
def test_coded_errors_of_studies(tmp_path, reported, name, options, code):
    done = CliRunner().invoke(app, [name, str(tmp_path / "out"), "--corpora-dir", str(reported), *options, "--dry-run"])
    assert done.exit_code == 1 and f"[{code}]" in done.output


def test_nothing_to_train_is_told(tmp_path):
    (tmp_path / "empty").mkdir()
    protocol = ("--protocol", str(ROOT / "configs" / "protocol.cfg"))
    command = ["all", str(tmp_path / "out"), "--corpora-dir", str(tmp_path / "empty"), *ONE, *protocol]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 1 and "MTL303" in done.output


def test_a_missing_report_is_told_before_pairs_are_trained(tmp_path, reported):
    (reported / "BioNLP09" / "report.json").unlink()
    protocol = ("--protocol", str(ROOT / "configs" / "protocol.cfg"))
    options = (*ONE, "--corpora", "BC5CDR,BioNLP09", *protocol, "--dry-run")
    done = CliRunner().invoke(app, ["pairs", str(tmp_path / "out"), "--corpora-dir", str(reported), *options])
    assert done.exit_code == 1 and "[MTL310]" in done.output and "BioNLP09" in done.output


def test_a_report_of_nothing_leaves_what_is_there(tmp_path, corpora):
    """Of trainings with other options, say: nothing is known by these."""
    kept = tmp_path / "out" / "compare" / "report.txt"
    kept.parent.mkdir(parents=True)
    kept.write_text("good")
    done = run(tmp_path, corpora, "--systems", SYSTEMS.partition(",")[0], "--main", "NCBI-disease", "--report-only")
    assert done.exit_code == 1 and "[MTL315]" in done.output and "none of the 1" in done.output
    assert kept.read_text() == "good"
