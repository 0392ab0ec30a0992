"""One real training: what it leaves behind, and that its figures are those of its config."""

import json
import subprocess

import pytest
import spacy
from spacy.tokens import Doc
from spacy.util import load_config

from spacy_mtl_bioner.corpora.documents import write_docbin

from spacy_mtl_bioner.errors import MTLError
from spacy_mtl_bioner.experiments import child, scoring
from spacy_mtl_bioner.experiments.engines import LocalProcesses
from spacy_mtl_bioner.experiments.folder import claim
from spacy_mtl_bioner.experiments.launch import Runs, command_of, environment
from spacy_mtl_bioner.experiments.protocol import compose
from spacy_mtl_bioner.experiments.statistics import f1

FAST = (("training.optimizer.learn_rate", 0.05), ("protocol.max_passes", 5))


@pytest.fixture(scope="module")
def done(systems, setting, tmp_path_factory):
    """The folder of a finished joint training of two corpora."""
    _, several = systems
    fast = type(setting)(setting.corpora_dir, setting.protocol, FAST)
    runs = Runs(tmp_path_factory.mktemp("out"), fast, "mtl-bioner compare", keep_models=True)
    folder = runs.prepare(several.train(None, ("sample-disease", "sample-gene"), 0))
    job = LocalProcesses().start(folder)
    assert job.process.wait() == 0, (folder / "train.log").read_text()
    return folder


@pytest.fixture(scope="module")
def result(done):
    return json.loads((done / "result.json").read_text())


def test_a_record_a_corpus(done, result):
    assert [record["corpus"] for record in result["records"]] == ["sample-disease", "sample-gene"]
    for record, other in zip(result["records"], ["sample-gene", "sample-disease"]):
        assert {"system": "several", "seed": 0, "main": None, "partners": [other]}.items() <= record.items()
        assert record["command"] == "mtl-bioner compare" and record["protocol"] == child.PROTOCOL
        assert record["config_hash"] == done.name.rpartition("-")[2] == result["key"]
        assert 0 < record["parameters_without_words"] < record["parameters"]
        assert "1 thread of" in record["machine"] and record["versions"]["torch"]
        assert record["f1"] > 5, "five passes at this learning rate find something"


def test_the_figures_are_those_of_the_kept_model(done, result):
    nlp = spacy.load(done / "model-best")
    config = load_config(done / "config.cfg", interpolate=False)
    from spacy_mtl_bioner.training.reader import create_multi_corpus

    corpora = json.loads((done / "job.json").read_text())["paths"]["corpora"]
    for record in result["records"]:
        paths = {record["corpus"]: f"{corpora}/{record['corpus']}/test.spacy"}
        scores = nlp.evaluate(list(create_multi_corpus(paths)(nlp)))
        for name, short in (("precision", "p"), ("recall", "r"), ("f1", "f")):
            assert record[name] == round(100 * scores[f"mtl_{record['corpus']}_{short}"], 2)
    assert "protocol" not in config and config["training"]["max_steps"] > 0


def test_the_counts_make_up_the_figures(done, result):
    counts = json.loads((done / "counts.json").read_text())
    for record in result["records"]:
        kept = counts[record["corpus"]]
        assert record["unit"] == kept["unit"] == "sentence" and len(kept["counts"]) == record["units"] > 20
        assert f1(*map(sum, zip(*kept["counts"]))) == pytest.approx(record["f1"], abs=0.005)


def test_the_curve(result):
    curve = result["curve"]
    assert [point["pass"] for point in curve] == pytest.approx(list(range(6)), abs=0.05)
    best = max(reversed(curve), key=lambda point: point["score"])
    records = result["records"]
    assert best["score"] == pytest.approx(sum(r["devel_f1"] for r in records) / 200, abs=1e-4)
    assert all(r["best_pass"] == best["pass"] and r["steps"] == curve[-1]["step"] for r in records)


def test_a_loss_that_is_no_number_is_none_in_the_curve(tmp_path):
    log = tmp_path / "log.jsonl"
    log.write_text('{"step": 6, "seconds": 1, "words": 2, "score": 0.5, "losses": {"mtl_ner": null}}\n')
    (point,) = child.learning_curve(log, 0, 3.0)
    assert point == {"pass": 2.0, "step": 6, "seconds": 1, "words": 2, "score": 0.5, "loss": None}


def test_a_finished_training_is_left_as_it_is(done):
    before = (done / "result.json").stat().st_mtime_ns, (done / "train.log").read_bytes()
    assert child.main(done) == 0
    assert ((done / "result.json").stat().st_mtime_ns, (done / "train.log").read_bytes()) == before


def test_a_claimed_training_is_left_to_its_process(done):
    command = command_of(done)
    with claim(done):
        assert subprocess.run(command, env=environment(1), capture_output=True).returncode == child.BUSY


def test_a_training_runs_the_package_that_started_it(done, tmp_path, monkeypatch):
    """Not one that lies in the folder where the command was called, nor a file there that is named as a module."""
    (tmp_path / "spacy_mtl_bioner").mkdir()
    for name in ("spacy_mtl_bioner/__init__.py", "json.py"):
        (tmp_path / name).write_text("raise SystemExit('not this one')\n")
    monkeypatch.chdir(tmp_path)
    ended = subprocess.run(command_of(done), env=environment(1), capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr


def test_variables_of_the_devel_reader_hold_for_test_too(done, monkeypatch):
    seen = []
    monkeypatch.setattr(scoring, "evaluate", lambda *given: seen.append(given[3]) or ({}, []))
    monkeypatch.setattr(scoring, "count_units", lambda *given: ("sentence", []))
    job = json.loads((done / "job.json").read_text())
    optimizer = {"@optimizers": "Adam.v1", "learn_rate": 0.1}
    job["training"]["overrides"] = [["paths.vectors", "/some/where/glove"], ["training.optimizer", optimizer]]
    config = load_config(done / "config.cfg", {f"paths.{k}": v for k, v in job["paths"].items()}, interpolate=False)
    config["corpora"]["train"]["gold_tokens"] = False
    config["corpora"]["dev"]["gold_tokens"] = "${corpora.train.gold_tokens}"
    records, _ = child.score(None, config, job)
    assert len(seen) == 4 and all(settings["gold_tokens"] is False for settings in seen)
    assert records[0]["overrides"] == {"paths.vectors": "glove", "training.optimizer": "Adam.v1"}


def test_weights_are_removed_unless_wanted(tmp_path):
    for keep, left in ((True, ["model-best"]), (False, [])):
        for name in ("model-best", "model-last"):
            (tmp_path / name).mkdir(exist_ok=True)
        child.clean(tmp_path, keep)
        assert [path.name for path in tmp_path.iterdir()] == left


def test_a_corpus_of_tags_is_chosen_by_its_accuracy(systems, setting, tmp_path):
    """Devel tags that training never shows: the best epoch is the first, by accuracy, where F1 would know none."""
    vocab = spacy.blank("en").vocab
    for split, tags in (("train", "XY"), ("devel", "YX"), ("test", "YX")):
        docs = [Doc(vocab, words=["mice", "improved"], tags=list(tags), sent_starts=[True, False]) for _ in range(8)]
        write_docbin(docs, tmp_path / "corpus" / "pos" / f"{split}.spacy", "tags")
    corpora = type(setting)(tmp_path / "corpus", setting.protocol, FAST)
    alone, _ = systems
    runs = Runs(tmp_path / "out", corpora, "mtl-bioner compare")
    folder = runs.prepare(alone.train("pos", (), 0))
    assert LocalProcesses().start(folder).process.wait() == 0, (folder / "train.log").read_text()
    result = json.loads((folder / "result.json").read_text())
    scores = [point["score"] for point in result["curve"]]
    assert scores[0] > scores[-1] == 0 and result["records"][0]["best_pass"] == result["curve"][0]["pass"]
    assert result["records"][0]["devel_accuracy"] == 100 * scores[0]


def test_passes_need_a_batcher_of_corpora(systems, setting):
    config = compose(systems[0].train("sample-gene", (), 0), setting).config.copy()
    config["training"]["batcher"] = {"@batchers": "spacy.batch_by_sequence.v1", "size": 4}
    config["paths"].update(corpora=str(setting.corpora_dir), log="log.jsonl")
    with pytest.raises(MTLError, match="MTL305"):
        child._batches(config)
