"""A comparison from end to end: with made-up trainings in its parts, with real ones that are killed on the way."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from spacy_mtl_bioner.errors import MTLError
from spacy_mtl_bioner.experiments import queue
from spacy_mtl_bioner.experiments.compare import Comparison
from spacy_mtl_bioner.experiments.folder import COUNTS, write_json
from spacy_mtl_bioner.experiments.queue import State, look, run_queue
from spacy_mtl_bioner.experiments.study import write_records, write_study

from .conftest import ROOT, FakeEngine, write_counts

MAINS = ("sample-disease", "sample-gene")
PARTNERS = (("sample-chemical",), ("sample-gene",), ("sample-chemical", "sample-species"))


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(queue, "POLL", 0.001)


@pytest.fixture
def study(systems):
    return Comparison(systems, MAINS, PARTNERS, seeds=(0, 1, 2))


def titles(trainings):
    return [training.title() for training in trainings]


def test_the_first_seed_of_everything_comes_first(study, runs):
    assert titles(study(State(runs))) == [
        "alone sample-disease seed 0",
        "several sample-disease + sample-chemical seed 0",
        "alone sample-gene seed 0",
        "several sample-gene + sample-chemical seed 0",
        "several sample-disease + sample-gene seed 0",
        "several sample-gene + sample-chemical + sample-species seed 0",
        "several sample-disease + sample-chemical + sample-species seed 0",
        *(f"alone {main} seed {seed}" for seed in (1, 2) for main in MAINS),
    ]


def test_partners_are_chosen_on_devel_for_each_main_corpus(study, runs):
    def f1(job):
        best = {"sample-disease": "sample-gene", "sample-gene": "sample-species"}[job["training"]["main"]]
        return 60.0 if best in job["training"]["corpora"][1:] else 50.0

    state = run_queue(study, runs, FakeEngine(f1=f1))
    several = study.systems[1]
    assert study.chosen(several, "sample-disease", state) == ("sample-gene",)
    assert study.chosen(several, "sample-gene", state) == ("sample-chemical", "sample-species")
    later = [t for t in study(state) if t.seed > 0]
    assert {(t.system, t.corpora) for t in later} == {
        ("alone", ("sample-disease",)),
        ("alone", ("sample-gene",)),
        ("several", ("sample-disease", "sample-gene")),
        ("several", ("sample-gene", "sample-chemical", "sample-species")),
    }
    assert all(state.result(training) for training in study(state))


def test_no_choice_before_all_candidates_are_settled(study, runs):
    several, state = study.systems[1], State(runs)
    trials = study.trials(several, "sample-disease")
    for number, training in enumerate(trials):
        assert study.chosen(several, "sample-disease", state) is None
        state.results[training] = {"records": [{"devel_f1": number}]}
    assert study.chosen(several, "sample-disease", state) == study.candidates(several, "sample-disease")[-1]


def test_a_system_that_needs_a_partner_is_not_left_out_in_silence(systems):
    alone, several = systems
    for partners in ((), (("sample-gene",),)):
        with pytest.raises(MTLError, match="MTL303.*--partners.*beside sample-.*several"):
            Comparison(systems, MAINS, partners)
    assert Comparison((alone,), MAINS)
    assert Comparison(systems, MAINS, together=MAINS), "it is trained on all of them at once"
    assert Comparison((several,), MAINS, (MAINS,))


def test_joint_trainings(systems, runs):
    study = Comparison(systems, together=("sample-disease", "sample-gene"), seeds=(0, 1))
    assert titles(study(State(runs))) == [f"several sample-disease + sample-gene seed {seed}" for seed in (0, 1)]
    state = run_queue(study, runs, FakeEngine())
    rows = study.report(state).tables[0].rows
    assert [row[:2] for row in rows] == [[corpus, "several, jointly"] for corpus in ("sample-disease", "sample-gene")]


def test_joint_trainings_are_no_pairs(systems, runs):
    """Each kind has rows, points and tests of its own, though its corpora are the same."""
    both = ("sample-disease", "sample-gene")
    study = Comparison(systems, both[:1], (both[1:],), (0, 1, 2), both)
    engine = FakeEngine(f1=lambda job: (80.0 if job["training"]["main"] else 60.0) + job["training"]["seed"])
    state = run_queue(study, runs, engine)
    for training in study(state):
        write_counts(training, state, units=30)
    results, differences, _ = study.report(state).tables
    assert [(row[0], row[1], row[6]) for row in results.rows] == [
        ("sample-disease", "alone", 81.0),
        ("sample-disease", "several", 81.0),
        ("sample-disease", "several, jointly", 61.0),
        ("sample-gene", "several, jointly", 61.0),
    ]
    assert [tuple(row[:3]) for row in differences.rows] == [
        ("sample-disease", "alone", "several"),
        ("sample-disease", "alone", "several, jointly"),
    ]
    alike = Comparison((systems[1], systems[1]._replace(name="other")), seeds=(0,), together=both)
    state = run_queue(alike, runs, engine)
    for training in alike(state):
        write_counts(training, state, units=30)
    rows = alike.report(state).tables[1].rows
    assert [tuple(row[:3]) for row in rows] == [(corpus, "several, jointly", "other, jointly") for corpus in both]


def test_a_failed_first_seed_leaves_the_others(systems, runs):
    study = Comparison(systems[:1], MAINS[:1], seeds=(0, 1, 2))
    state = run_queue(study, runs, FakeEngine(failing=lambda job: job["training"]["seed"] == 0))
    results, cost = study.report(state).tables
    assert [row[3] for row in results.rows] == ["1, 2"] and len(cost.rows) == 1


def test_a_report_later_has_what_the_run_had(study, runs):
    """Where a candidate failed, the choice is among the others, today as tomorrow."""
    failing = FakeEngine(failing=lambda job: "sample-species" in job["training"]["corpora"])
    state = run_queue(study, runs, failing)
    later = look(study, runs)
    assert state.failures and later.failures == state.failures
    assert [table.rows for table in study.report(later).tables] == [table.rows for table in study.report(state).tables]


def test_nothing_to_train_is_told(systems):
    for settings in ({}, {"together": MAINS}):
        with pytest.raises(MTLError, match="MTL303.*--main"):
            Comparison(systems[:1], **settings)


def test_the_report(study, runs):
    """Every table and figure of finished trainings, tests among them."""
    engine = FakeEngine(f1=lambda job: 50.0 + job["training"]["seed"] + len(job["training"]["corpora"]))
    state = run_queue(study, runs, engine)
    for training in study(state):
        write_counts(training, state, units=30)
    write_records(study, state)
    quick = (runs.out / "compare" / "records.json").read_bytes()
    folder = write_study(study, state)
    assert (folder / "records.json").read_bytes() == quick
    assert {"results.csv", "other_partners.csv", "differences.csv", "systems.png"} <= set(os.listdir(folder))
    differences = json.loads((folder / "report.json").read_text())["tables"][2]
    assert [row[:4] for row in differences["rows"]] == [[main, "alone", "several", 3] for main in MAINS]
    assert "30 documents of sample-gene" in differences["note"]
    assert [row[4] for row in differences["rows"]] == pytest.approx([2.0, 2.0], abs=0.02), "a point a partner"
    assert (runs.out / "report.html").stat().st_size > 10_000
    write_json(
        runs.folder(study(state)[0]) / COUNTS, {study(state)[0].main: {"unit": "document", "counts": [[0, 0, 1]]}}
    )
    broken = write_study(study, state)
    tables = json.loads((broken / "report.json").read_text())["tables"]
    assert [row[0] for row in tables[2]["rows"]] == [MAINS[1]], "counts that do not make up the figures are not used"
    plain = write_study(study, state, plain=True)
    assert len(json.loads((plain / "report.json").read_text())["tables"]) == 3


def test_sentences_stand_for_documents_in_blocks(study, runs):
    """Where documents are not known; the note says what was done, or that something can be."""
    state = run_queue(study, runs, FakeEngine(f1=lambda job: 50.0 + len(job["training"]["corpora"])))
    for training in study(state):
        write_counts(training, state, units=30, unit="sentence")

    def note(**settings):
        folder = write_study(study, state, **settings)
        return json.loads((folder / "report.json").read_text())["tables"][2]["note"]

    assert "30 sentences of sample-gene" in note() and "--block" in note()
    assert "8 4-sentence blocks of sample-gene" in note(block=4) and "--block" not in note(block=4)
    for training in study(state):
        write_counts(training, state, units=30)
    assert "30 documents of sample-gene" in note(block=4)


@pytest.fixture
def command(corpora, systems, tmp_path):
    """A real comparison of four trainings, two at a time."""
    alone, several = systems
    return [
        *(sys.executable, "-m", "spacy_mtl_bioner", "compare", str(tmp_path / "out"), "--corpora-dir", str(corpora)),
        *("--systems", f"a={alone.config},s={several.config}", "--main", "sample-disease,sample-gene"),
        *("--partners", "sample-chemical", "--protocol", str(ROOT / "configs" / "protocol.cfg"), "--jobs", "2"),
        *("--protocol.max_passes", "2", "--plain"),
    ]


def finished(out):
    return {path: path.stat().st_mtime_ns for path in out.glob("trainings/*/result.json")}


@pytest.mark.slow
def test_killed_and_resumed(command, tmp_path):
    """SIGKILL of all its processes: what had finished stays, the rest is done by the same command, nothing twice."""
    out = tmp_path / "out"
    first = subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not finished(out):
        assert first.poll() is None
        time.sleep(0.05)
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    kept = finished(out)
    assert 0 < len(kept) < 4
    again = subprocess.run(command, capture_output=True, text=True)
    assert again.returncode == 0, again.stderr
    assert len(finished(out)) == len(list(out.glob("trainings/*"))) == 4
    assert kept.items() <= finished(out).items()
    everything = finished(out)
    third = subprocess.run(command, capture_output=True, text=True)
    assert third.returncode == 0 and finished(out) == everything
    assert len(json.loads((out / "compare" / "records.json").read_text())) == 4


@pytest.mark.slow
def test_a_failing_training_is_told_by_the_exit_code(command, tmp_path):
    broken = [*command, "--components.mtl_ner.model.precision", "int3"]
    done = subprocess.run(broken, capture_output=True, text=True)
    assert done.returncode == 1
    assert "[MTL307] 4 of 4 trainings failed" in done.stderr and "MTL133" in done.stderr
    failures = list((tmp_path / "out").glob("trainings/*/failure.json"))
    assert len(failures) == 4 and "MTL133" in json.loads(failures[0].read_text())["log"]


@pytest.mark.slow
def test_on_ray(systems, runs, monkeypatch):
    ray = pytest.importorskip("ray")
    from spacy_mtl_bioner.experiments.ray_engine import RayTasks

    monkeypatch.setattr(queue, "POLL", 0.2)
    alone, _ = systems
    trainings = [alone.train("sample-disease", (), seed) for seed in (0, 1)]
    broken = [alone.train("sample-gene", (), 0)]
    ray.init(num_cpus=2, object_store_memory=200 * 2**20, include_dashboard=False, logging_level="ERROR")
    engine = RayTasks(jobs=2)
    try:
        state = run_queue(lambda state: trainings, runs, engine)
        (runs.prepare(broken[0]) / "job.json").write_text("{}")
        job = engine.start(runs.folder(broken[0]))
        while job.poll() is None:
            time.sleep(0.2)
        assert job.poll() == 1 and "KeyError" in (runs.folder(broken[0]) / "train.log").read_text()
    finally:
        engine.ray.shutdown()
    assert len(state.results) == 2 and not state.failures
