"""The queue runs what a plan wants, once, in its order, and keeps what failed apart."""

import json
import shutil
import subprocess
import sys
import time
from dataclasses import replace

import pytest
from thinc.api import ConfigValidationError

from spacy_mtl_bioner.errors import MTLError
from spacy_mtl_bioner.experiments import queue
from spacy_mtl_bioner.experiments.child import check_inputs, say
from spacy_mtl_bioner.experiments.compare import Comparison
from spacy_mtl_bioner.experiments.folder import read_json, write_json
from spacy_mtl_bioner.experiments.queue import State, look, record_failure, run_queue
from spacy_mtl_bioner.experiments.training import Training, Variant

from .conftest import FakeEngine, FakeJob


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(queue, "POLL", 0.001)


@pytest.fixture
def plan(systems):
    """Seeds 0 to 3 of the single-task system."""
    alone, _ = systems
    trainings = [alone.train("sample-disease", (), seed) for seed in range(4)]
    return lambda state: trainings


def seeds(engine):
    return [seed for _, _, seed in engine.started]


def test_in_order_and_once(plan, runs):
    engine = FakeEngine()
    state = run_queue(plan, runs, engine)
    assert seeds(engine) == [0, 1, 2, 3]
    assert len(state.results) == 4 and not state.failures
    again = FakeEngine()
    assert run_queue(plan, runs, again).results == state.results
    assert not again.started


def test_as_many_at_a_time_as_there_are_slots(plan, runs):
    engine, most = FakeEngine(slots=3), []
    run_queue(plan, runs, engine, lambda wanted, state, running: most.append(len(running)))
    assert max(most) == 3 and len(engine.started) == 4


def test_a_failure_is_recorded_and_tried_again_by_the_next_run(plan, runs):
    engine = FakeEngine(failing=lambda job: job["training"]["seed"] == 1)
    state = run_queue(plan, runs, engine)
    assert seeds(engine) == [0, 1, 2, 3] and len(state.failures) == 1
    training, reason = next(iter(state.failures.items()))
    assert training.seed == 1 and reason == "exit code 1: ValueError: no luck"
    noted = json.loads((runs.folder(training) / "failure.json").read_text())
    assert noted == {"reason": "exit code 1: ValueError: no luck", "log": "step 1\nValueError: no luck\n"}
    seen = look(plan, runs)
    assert seen.failures == state.failures and all(seen.settled(found) for found in plan(seen)), "a report knows of it"
    second = FakeEngine()
    assert not run_queue(plan, runs, second).failures
    assert seeds(second) == [1]
    assert not (runs.folder(training) / "failure.json").exists() and not look(plan, runs).failures


def test_why_a_process_ended(tmp_path):
    assert record_failure(tmp_path, 3) == "exit code 3"
    (tmp_path / "train.log").write_text("  1   339  (all)  12.6\n")
    assert record_failure(tmp_path, -15) == "killed by signal 15", "what it had printed is no reason"
    assert record_failure(tmp_path, -9) == "killed by signal 9, often for want of memory"


def test_what_was_started_is_stopped_where_the_runner_is_interrupted(plan, runs):
    engine = FakeEngine(slots=2)

    def interrupt(wanted, state, running):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_queue(plan, runs, engine, interrupt)
    assert [job.stopped for job in engine.jobs] == [True, True]


def test_data_that_cannot_be_made_cost_their_training_alone(systems, runs, tmp_path):
    """A part of a damaged corpus: the others go on, and it is tried again by the next run."""
    folder = shutil.copytree(runs.setting.corpora_dir, tmp_path / "corpus")
    (folder / "sample-gene" / "train.spacy").write_bytes(b"no DocBin")
    runs = replace(runs, setting=replace(runs.setting, corpora_dir=folder))
    alone, _ = systems
    part = (("sample-gene", Variant(None, 0.5, 0)),)
    trainings = [alone.train("sample-gene", (), 0, part), alone.train("sample-disease", (), 0)]
    state = run_queue(lambda state: trainings, runs, FakeEngine(slots=2))
    assert list(state.results) == trainings[1:] and "MTL016" in state.failures[trainings[0]]
    assert "MTL016" in look(lambda state: trainings, runs).failures[trainings[0]]


def test_a_plan_is_not_asked_while_nothing_happens(plan, runs, monkeypatch):
    monkeypatch.setattr(queue, "POLL", 0.01)
    engine, asked = FakeEngine(), []
    engine.start = lambda folder: FakeJob(0, 30, lambda: write_json(folder / "result.json", {"records": []}))
    run_queue(lambda state: asked.append(1) or plan(state)[:1], runs, engine)
    assert 3 <= len(asked) <= 8  # of 30 looks at the job


CLAIM = """
import sys, time, pathlib
from spacy_mtl_bioner.experiments.folder import claim
lock = claim(pathlib.Path(sys.argv[1]))
print("claimed", flush=True)
time.sleep(60)
"""


def test_a_training_that_another_runner_has_is_left_to_it(plan, runs):
    """... until that runner is killed: its claim dies with it, and the training is taken over."""
    first = plan(None)[0]
    folder = runs.prepare(first)
    other = subprocess.Popen([sys.executable, "-c", CLAIM, str(folder)], stdout=subprocess.PIPE)
    try:
        assert other.stdout.readline() == b"claimed\n"
        engine = FakeEngine()

        def kill_in_the_end(wanted, state, running):
            if len(state.results) == 3:
                other.kill()
                other.wait()

        run_queue(plan, runs, engine, kill_in_the_end)
    finally:
        other.kill()
        other.communicate()
    assert seeds(engine) == [1, 2, 3, 0]


def test_the_plan_may_choose_by_results(systems, runs):
    alone, several = systems
    study = Comparison((alone, several), ("sample-disease",), (("sample-gene",), ("sample-chemical",)), seeds=(0, 1))
    better = FakeEngine(f1=lambda job: 60.0 if "sample-chemical" in job["training"]["corpora"] else 50.0)
    run_queue(study, runs, better)
    assert better.started == [
        ("alone", "sample-disease", 0),
        ("several", "sample-disease+sample-gene", 0),
        ("several", "sample-disease+sample-chemical", 0),
        ("alone", "sample-disease", 1),
        ("several", "sample-disease+sample-chemical", 1),
    ]


def test_a_failed_candidate_does_not_block_the_choice(systems, runs):
    _, several = systems
    study = Comparison((several,), ("sample-disease",), (("sample-gene",), ("sample-chemical",)), seeds=(0, 1))
    engine = FakeEngine(failing=lambda job: "sample-gene" in job["training"]["corpora"])
    state = run_queue(study, runs, engine)
    assert len(state.failures) == 1
    assert engine.started[-1] == ("several", "sample-disease+sample-chemical", 1)


def test_waiting_is_no_busy_loop(plan, runs, monkeypatch):
    naps = []
    monkeypatch.setattr(time, "sleep", naps.append)
    run_queue(plan, runs, FakeEngine())
    assert naps and set(naps) == {queue.POLL}


def test_state_of_unknown_trainings(runs, systems):
    alone, _ = systems
    state = State(runs)
    training: Training = alone.train("sample-disease", (), 7)
    assert state.result(training) is None and not state.settled(training)


def test_inputs_that_changed_meanwhile_are_no_result(systems, runs, tmp_path):
    """A key is taken once; what was measured on other data must not stand under it."""
    folder = shutil.copytree(runs.setting.corpora_dir, tmp_path / "corpus")
    runs = replace(runs, setting=replace(runs.setting, corpora_dir=folder))
    training = systems[0].train("sample-disease", (), 0)
    job = read_json(runs.prepare(training) / "job.json")
    check_inputs(job)
    shutil.copy(folder / "sample-gene" / "test.spacy", folder / "sample-disease" / "test.spacy")
    with pytest.raises(MTLError, match="MTL314.*test.spacy"):
        check_inputs(job)
    state = run_queue(lambda state: [training], runs, FakeEngine())
    assert not state.results and "MTL314" in state.failures[training]


def test_a_reason_is_a_line(tmp_path):
    error = ConfigValidationError(config={"a": 1}, errors=[{"loc": ("training", "dropout"), "msg": "no number"}])
    assert say(error) == "the config is not valid: training.dropout: no number"
    (tmp_path / "train.log").write_text("x" * 5_000)
    assert len(record_failure(tmp_path, 1)) < 500
