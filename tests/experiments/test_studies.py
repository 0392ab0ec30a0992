"""The studies on made-up trainings: what they want, and that their figures follow from the records."""

import json
from itertools import combinations
from pathlib import Path

import pytest

from spacy_mtl_bioner.errors import MTLError
from spacy_mtl_bioner.experiments import queue, significance
from spacy_mtl_bioner.experiments.advice import read_study
from spacy_mtl_bioner.experiments.arms import Arm, by_seed
from spacy_mtl_bioner.experiments.converted import groups_of, labels_of, report_of, spans_corpora, tokens_of
from spacy_mtl_bioner.experiments.compare import Comparison
from spacy_mtl_bioner.experiments.queue import State, run_queue
from spacy_mtl_bioner.experiments.studies.pairs import Pairs
from spacy_mtl_bioner.experiments.studies.seeds import Seeds, correlation, interval
from spacy_mtl_bioner.experiments.studies.sizes import Sizes
from spacy_mtl_bioner.experiments.studies.together import Group, Together
from spacy_mtl_bioner.experiments.studies.types import Types
from spacy_mtl_bioner.experiments.studies.vector_tables import VectorTables
from spacy_mtl_bioner.experiments.study import write_study

from .conftest import CORPORA, FakeEngine, write_counts

NAMES = ("sample-disease", "sample-chemical", "sample-gene")


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(queue, "POLL", 0.0)


def f1(job):
    """More for more corpora, less for a share, by another amount for each partner and seed."""
    training = job["training"]
    share = min([variant["share"] for _, variant in training["variants"]], default=1.0)
    partners = sum(len(corpus) % 5 for corpus in training["corpora"][1:])
    return round(40 + partners + 10 * share + 0.1 * training["seed"], 2)


def finished(study, runs):
    """The state after a run, with counts of units in each folder."""
    state = run_queue(study, runs, FakeEngine(f1=f1))
    for training in study(state):
        write_counts(training, state)
    return state


def tables(study, state):
    folder = write_study(study, state)
    return {found["name"]: found for found in json.loads((folder / "report.json").read_text())["tables"]}


def test_pairs(systems, runs):
    alone, several = systems
    study = Pairs(several, alone, NAMES, seeds=(0, 1))
    assert len(study(State(runs))) == 2 * (3 + 6)
    state = finished(study, runs)
    found = tables(study, state)
    plus = {name: len(name) % 5 for name in NAMES}
    for main, base, *row in found["matrix"]["rows"]:
        assert base == 50.05
        assert row == [None if name == main else pytest.approx(50.05 + plus[name]) for name in NAMES]
    kept = json.loads((runs.out / "pairs" / "pairs.json").read_text())
    assert kept["single"] == dict.fromkeys(NAMES, 50.05)
    assert kept["scores"]["sample-disease"] == {name: 50.05 + plus[name] for name in NAMES[1:]}
    measured = read_study(runs.out / "pairs" / "pairs.json")
    assert measured.split == "devel" and measured.gains("sample-disease") == pytest.approx(
        {name: plus[name] - 1 for name in NAMES[1:]}
    )
    assert [row[1] for row in found["partners"]["rows"]] == [tokens_of(name, runs.setting) for name in NAMES]
    assert "Spearman" in found["partners"]["note"] and len(found["differences"]["rows"]) == 6
    assert (runs.out / "pairs" / "gains.png").exists() and (runs.out / "report.html").exists()


def test_gains_are_of_the_seeds_that_both_have(systems, runs):
    """A later seed of one side alone, which scores more by far, is no gain; nor in what suggest-partners reads."""
    alone, several = systems
    study = Pairs(several, alone, NAMES[:2], seeds=(0, 1))

    def score(job):
        return f1(job) + (20 if job["training"]["seed"] and job["training"]["system"] == several.name else 0)

    def failing(job):
        return job["training"]["seed"] == 1 and not job["training"]["corpora"][1:]

    engine = FakeEngine(f1=score, failing=failing)
    state = run_queue(study, runs, engine)
    gains = {main: len(other) % 5 for main, other in (NAMES[:2], NAMES[1::-1])}
    found = tables(study, state)
    assert {row[0]: row[3] for row in found["published"]["rows"]} == pytest.approx(gains)
    for main, gain in read_study(runs.out / "pairs" / "pairs.json").paired.items():
        assert list(gain.values()) == pytest.approx([gains[main] - 1]), "on devel, a point more a corpus"
    made = (Group("all", tuple((name, None) for name in NAMES[:2])),)
    joint = Together("all", "All", several, alone, made, seeds=(0, 1))
    rows = tables(joint, run_queue(joint, runs, engine))["results"]["rows"]
    assert all(row[2] == 2 and row[-1] == pytest.approx(row[3] - 10.05 - row[-2]) for row in rows)


def test_equal_gains_share_a_rank(systems, runs):
    """In whatever order the corpora stand."""
    for names in (NAMES, NAMES[::-1]):
        study = Pairs(systems[1], systems[0], names)
        state = run_queue(study, runs, FakeEngine())
        assert [row[2] for row in tables(study, state)["partners"]["rows"]] == [1.5] * 3


def test_pairs_trained_once_score_both_corpora(systems, runs):
    alone, several = systems
    study = Pairs(several, alone, NAMES, once=True)
    joint = [training for training in study(State(runs)) if training.main is None]
    assert {frozenset(training.corpora) for training in joint} == set(map(frozenset, combinations(NAMES, 2)))
    assert len(joint) == 3 and all(training.scored == training.corpora for training in joint)
    found = tables(study, finished(study, runs))
    for main, _, *row in found["matrix"]["rows"]:
        for other, cell in zip(NAMES, row):
            last = max(main, other)  # the made-up F1 is that of the training
            assert cell == (None if other == main else pytest.approx(50 + len(last) % 5))
    assert len(found["differences"]["rows"]) == 6


def test_pairs_are_tested_once(systems, runs, monkeypatch):
    alone, several = systems
    study = Pairs(several, alone, NAMES[:2])
    state, tested = finished(study, runs), []
    real = significance.over_units
    monkeypatch.setattr(significance, "over_units", lambda *counts: tested.append(1) or real(*counts[:2], resamples=9))
    assert len(tables(study, state)["differences"]["rows"]) == len(tested) == 2


@pytest.mark.parametrize("units", [7, 20])
def test_other_units_are_not_paired(systems, runs, units):
    alone, several = systems
    study = Pairs(several, alone, NAMES[:2])
    state = finished(study, runs)
    write_counts(study.alone(NAMES[0]).trainings[0], state, units)
    with pytest.warns(UserWarning, match=f"MTL312.*{NAMES[0]}"):
        rows = tables(study, state)["differences"]["rows"]
    assert [row[0] for row in rows] == [NAMES[1]]


class Accuracies(FakeEngine):
    """Results as of corpora of kind ``tags``, with an accuracy more for each corpus more."""

    def result(self, job):
        result = super().result(job)
        for record in result["records"]:
            figures = [record.pop(name) for name in ("precision", "recall", "f1", "devel_f1")]
            record["accuracy"] = record["devel_accuracy"] = figures[0] + len(job["training"]["corpora"])
        return result


def test_corpora_of_tags_have_no_f1(systems, runs, tmp_path):
    alone, several = systems
    partners = (("sample-gene",), ("sample-gene", "sample-species"))
    studies = [
        Comparison(systems, ("sample-disease",), partners, seeds=(0, 1)),
        VectorTables((alone,), NAMES[:1], (("a", tmp_path / "a"), ("b", tmp_path / "b"))),
    ]
    for study in studies:
        state = run_queue(study, runs, Accuracies())
        assert "differences" not in tables(study, state)
    assert studies[0].chosen(several, "sample-disease", state) == partners[1]


def test_pairs_that_are_not_finished_leave_gaps(systems, runs):
    alone, several = systems
    study = Pairs(several, alone, NAMES)
    state = State(runs)
    found = tables(study, state)
    assert all(cell is None for row in found["matrix"]["rows"] for cell in row[1:])
    assert all(row[2] is None for row in found["partners"]["rows"])


@pytest.mark.parametrize(
    "make",
    [
        lambda alone, several: Comparison((alone, several), NAMES[:1], (NAMES[1:],), seeds=(0, 1)),
        lambda alone, several: Comparison((several,), together=NAMES),
        lambda alone, several: Pairs(several, alone, NAMES),
        lambda alone, several: Seeds(Comparison((alone,), NAMES)),
        lambda alone, several: Sizes(several, alone, NAMES[:1], (NAMES[1:],)),
        lambda alone, several: Together("all", "All", several, alone, (Group("all", tuple((c, None) for c in NAMES)),)),
        lambda alone, several: Types(several, alone, NAMES[:1], NAMES[1:]),
        lambda alone, several: VectorTables((alone,), NAMES[:1], (("a", Path("a")), ("b", Path("b")))),
    ],
)
def test_a_report_before_anything_has_finished(systems, runs, make):
    study = make(*systems)
    folder = write_study(study, State(runs))
    assert json.loads((folder / "records.json").read_text()) == []
    assert (folder / "report.txt").exists() and (runs.out / "report.html").exists()


def test_groups_and_all(systems, runs):
    alone, several = systems
    groups = groups_of(CORPORA, runs.setting)
    assert groups["Disease"] == {"sample-disease": ("Disease",), "sample-chemical": ("Disease",)}
    made = tuple(Group(name, tuple(of.items())) for name, of in groups.items())
    study = Together("groups", "Groups", several, alone, made)
    first = study(State(runs))[0]
    assert first.main is None and len(first.variants) == len(first.corpora) > 1
    rows = tables(study, finished(study, runs))["results"]["rows"]
    assert {tuple(row[:2]) for row in rows} >= {("sample-disease", "Disease"), ("sample-chemical", "Disease")}
    assert all(row[6].startswith("alone, ") and row[8] == round(row[3] - row[7], 2) for row in rows)
    whole = Together("all", "All", several, alone, (Group("all together", tuple((c, None) for c in NAMES)),))
    assert not any(training.variants for training in whole(State(runs)))
    assert len(whole(State(runs))) == 1 + len(NAMES)


def test_sizes(systems, runs):
    alone, several = systems
    partners = (("sample-gene",), ("sample-chemical",))
    study = Sizes(several, alone, ("sample-disease",), partners, (1.0, 0.5), seeds=(0, 1))
    open_ = study(State(runs))
    assert {training.system for training in open_ if training.variants} == {"alone"}, "no partner is chosen yet"
    state = finished(study, runs)
    best = max(partners, key=lambda names: len(names[0]) % 5)[0]
    halves = [training for training in study(state) if training.variants and training.system == "several"]
    assert {training.corpora for training in halves} == {("sample-disease", best)}
    assert [dict(training.variants)["sample-disease"].seed for training in halves] == [0, 1]
    found = tables(study, state)
    shown = {(row[1], row[2]): row[4] for row in found["results"]["rows"]}
    gain = len(best) % 5
    assert shown == {
        ("100%", "alone"): 50.05,
        ("50%", "alone"): 45.05,
        ("100%", f"with {best}"): 50.05 + gain,
        ("50%", f"with {best}"): 45.05 + gain,
    }
    assert len(found["differences"]["rows"]) == 2
    assert (runs.out / "sizes" / "sizes_sample-disease.png").exists()


def test_types(systems, runs):
    alone, several = systems
    study = Types(several, alone, ("sample-gene",), ("sample-chemical", "sample-gene", "sample-species"))
    labels = labels_of("sample-chemical", runs.setting)
    assert len(labels) > 1
    rows = tables(study, finished(study, runs))["results"]["rows"]
    parts = [f"with sample-chemical ({label})" for label in labels]
    species = labels_of("sample-species", runs.setting)
    more = [f"with sample-species ({label})" for label in species] if len(species) > 1 else []
    assert [row[1] for row in rows] == ["with sample-chemical", *parts, "with sample-species", *more]


def test_vector_tables(systems, runs, tmp_path):
    folders = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "table").write_text(name)
        folders.append((name, tmp_path / name))
    study = VectorTables(systems, ("sample-disease",), tuple(folders), ("sample-gene",))
    wanted = study(State(runs))
    assert len({runs.folder(training) for training in wanted}) == len(wanted) == 4
    shown = [training.title().partition(" (")[2] for training in wanted]
    assert shown == ["vectors one)", "vectors one)", "vectors two)", "vectors two)"]
    with pytest.raises(MTLError, match="MTL303.*--tables.*at least two"):
        VectorTables(systems, ("sample-disease",), tuple(folders[:1]))
    rows = tables(study, finished(study, runs))["results"]["rows"]
    assert [row[1] for row in rows] == ["alone, two", "several, two"] and [row[6] for row in rows][0] == "alone, one"


def test_a_table_for_systems_that_take_partners_needs_one(systems):
    given = (("a", Path("a")), ("b", Path("b")))
    with pytest.raises(MTLError, match="MTL303.*--partners.*a partner of sample-disease for several"):
        VectorTables(systems, NAMES[:1], given, NAMES[:1])
    assert VectorTables(systems, NAMES[:1], given, NAMES[1:])


def test_seeds(systems, runs):
    study = Seeds(Comparison(systems[:1], ("sample-disease",), seeds=(0, 1, 2, 3)))
    found = tables(study, finished(study, runs))
    row = found["spread"]["rows"][0]
    assert row[:6] == ["sample-disease", "alone", "-", 4, 50.15, 0.13] and row[6] < 50.15 < row[7] and row[8] == 1
    assert (runs.out / "seeds" / "results.csv").exists()


def test_the_interval_by_hand():
    """Of 1, 2, 3: the mean 2, a standard error of 1 / sqrt(3), and t = 4.3027 with two degrees of freedom."""
    half = 4.3027 / 3**0.5
    assert interval([1.0, 2.0, 3.0]) == pytest.approx([2 - half, 2 + half], abs=0.006)
    assert correlation([1, 2, 3], [3, 2, 1]) == -1
    assert correlation([1, 2], [1, 2]) is None and correlation([1, 1, 1], [1, 2, 3]) is None


def test_first_seeds_first(systems):
    alone, several = systems
    arms = [Arm("a", system.name, tuple(system.train("a", (), seed) for seed in (0, 1))) for system in (alone, several)]
    assert [(t.system, t.seed) for t in by_seed([*arms, arms[0]])] == [
        ("alone", 0), ("several", 0), ("alone", 1), ("several", 1),
    ]  # fmt: skip


def test_what_is_converted(setting, tmp_path):
    assert set(spans_corpora(setting.corpora_dir)) == set(CORPORA)
    with pytest.raises(MTLError, match="MTL310"):
        report_of("none", setting)
    assert groups_of(("sample-disease",), setting) == {}
    assert spans_corpora(Path(tmp_path)) == ()


def test_reports_of_others_are_none(tmp_path):
    for name, report in (("a", [1]), ("b", {"kind": "spans"}), ("c", {"kind": "spans", "labels": {}, "splits": {}})):
        (tmp_path / name).mkdir()
        (tmp_path / name / "report.json").write_text(json.dumps(report))
    assert spans_corpora(tmp_path) == ("c",)


def test_names_are_no_formulas(systems, runs):
    alone, _ = systems
    study = Comparison((alone._replace(name=r"A$\b$"),), NAMES[:1])
    write_study(study, run_queue(study, runs, FakeEngine(f1=f1)))
    assert (runs.out / "compare" / "systems.png").exists()


def test_joint_trainings_need_a_system_for_several(systems):
    with pytest.raises(MTLError, match="MTL303.*--together"):
        Comparison(systems[:1], NAMES[:1], together=NAMES)
