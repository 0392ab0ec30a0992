"""Partners by cheap statistics and by measured gains."""

import json
from collections import Counter

import numpy as np
import pytest
from scipy.stats import spearmanr
from spacy.tokens import Doc, Span
from spacy.vocab import Vocab
from typer.testing import CliRunner

from spacy_mtl_bioner.cli import app
from spacy_mtl_bioner.corpora.documents import write_docbin
from spacy_mtl_bioner.errors import MTLError
from spacy_mtl_bioner.experiments import advice
from spacy_mtl_bioner.experiments.advice import PairScores, Profile, advise, judge, profile, read_study, with_gains

CORPORA = {
    "main": [
        ("p53 binds MDM2 in mice", [(0, 1, "Protein"), (2, 3, "Protein")]),
        ("p53 and asthma", [(0, 1, "Protein")]),
    ],
    "alike": [("P53 binds MDM2", [(0, 1, "Protein"), (2, 3, "Protein")])],
    "against": [("p53 binds MDM2 in mice with asthma", [(6, 7, "Disease")])],
    "apart": [("patients improved " * 20, [(0, 1, "Patient")])],
}


def profile_of(name: str) -> Profile:
    found = Profile(name)
    for text, entities in CORPORA[name]:
        doc = Doc(Vocab(), words=text.split())
        doc.set_ents([Span(doc, *where) for where in entities])
        found.add(doc)
    return found


PROFILES = {name: profile_of(name) for name in CORPORA}
MAIN = PROFILES["main"]


def test_profile():
    assert MAIN.tokens == 8 and MAIN.words["p53"] == 2 and MAIN.categories == {"Gene"}
    assert MAIN.entities == Counter({"p53": 2, "mdm2": 1}) and MAIN.entity_words == Counter({"p53": 2, "mdm2": 1})
    assert PROFILES["apart"].categories == {"Patient"}  # a label that no catalogue knows is its own


def test_measures():
    alike, against, apart = (PROFILES[name] for name in ("alike", "against", "apart"))
    assert advice.words(MAIN, alike) == 3 / 7 and advice.words(MAIN, apart) == 0
    assert advice.entity_words(MAIN, alike) == 1 and advice.entity_words(MAIN, against) == 0
    assert advice.mentions(MAIN, alike) == advice.mentions(alike, MAIN) == 1 and advice.mentions(MAIN, against) == 0
    assert advice.categories(MAIN, alike) == 1 and advice.categories(MAIN, against) == 0
    assert advice.smallness(MAIN, apart) == 8 / 40
    assert advice.agreement(MAIN, alike) == pytest.approx(1) and advice.agreement(MAIN, apart) == 0
    assert advice.agreement(MAIN, against) < 0


def test_words_are_those_of_one_tokenizer():
    """Corpora split words differently."""
    whole, parts = Profile("whole"), Profile("parts")
    for found, words in ((whole, ["IL-2", "binds"]), (parts, ["IL", "-", "2", "binds"])):
        doc = Doc(Vocab(), words=words)
        doc.set_ents([Span(doc, 0, len(words) - 1, "Protein")])
        found.add(doc)
    assert (whole.words, whole.entities) == (parts.words, parts.entities) and advice.mentions(whole, parts) == 1


def test_agreement_is_numpys_weighted_correlation():
    generator, names = np.random.default_rng(0), [str(i) for i in range(30)]
    pair = []
    for name in "ab":
        words = {word: int(generator.integers(1, 9)) for word in names}
        inside = {word: int(generator.integers(0, count + 1)) for word, count in words.items()}
        pair.append(Profile(name, Counter(words), Counter(inside)))
    shares = [[one.entity_words[word] / one.words[word] for word in names] for one in pair]
    covariance = np.cov(*shares, fweights=[pair[0].words[word] for word in names])
    expected = covariance[0, 1] / (covariance[0, 0] * covariance[1, 1]) ** 0.5
    assert advice.agreement(*pair) == pytest.approx(expected)


def test_ranking():
    found = advise("main", PROFILES)
    assert [one.partner for one in found] == ["alike", "against", "apart"] and [one.rank for one in found] == [1, 2, 3]
    sized = advise("main", PROFILES, proportional=True)
    assert [one.partner for one in sized] == ["alike", "against", "apart"]
    small = {**PROFILES, "apart": Profile("apart", Counter(x=1))}
    assert [one.partner for one in advise("main", small, proportional=True)][0] in ("alike", "apart")
    assert advise("main", small)[-1].partner == "apart"


def test_measured_gains_come_first():
    found = with_gains(advise("main", PROFILES), {"apart": 1.25, "alike": -2.0})
    assert [(one.partner, one.gain) for one in found] == [("apart", 1.25), ("alike", -2.0), ("against", None)]


def test_gains_and_correlations():
    scores = {"main": {"alike": 81.0, "against": 80.0, "apart": 78.5}, "few": {"alike": 1.0, "apart": 2.0}}
    study = PairScores(scores, {"main": 80.0})
    assert study.gains("main") == {"alike": 1.0, "against": 0.0, "apart": -1.5}
    assert study.gains("few") == {"alike": -0.5, "apart": 0.5} and study.gains("none") == {}
    foretold = {"alike": 2.0, "against": 5.0, "apart": 1.0, "more": 0.0}
    expected = spearmanr([81.0, 80.0, 78.5], [2.0, 5.0, 1.0]).statistic
    assert judge(study, lambda main: foretold) == {"main": pytest.approx(expected)}
    assert judge(study, lambda main: dict.fromkeys(foretold, 1.0)) == {}


BROKEN = ["", "[]", "{}", '{"scores": {"a": 1}}', '{"scores": {"a": {"b": "x"}}}', '{"scores": {}}']


@pytest.mark.parametrize("text", BROKEN)
def test_what_is_no_study(tmp_path, text):
    path = tmp_path / "pairs.json"
    path.write_text(text)
    with pytest.raises(MTLError, match="MTL342.*pairs.json"):
        read_study(path)


def test_the_published_pairs():
    """15 x 14 of them; their best partner of Ex-PTM, and gains whose mean is 0."""
    study = advice.published_study()
    assert len(study.scores) == 15 and {len(row) for row in study.scores.values()} == {14} and not study.single
    assert "linnaeus" in study.scores["Ex-PTM"]  # the catalogue's name
    gains = study.gains("Ex-PTM")
    assert max(gains, key=gains.get) == "BioNLP11EPI" and study.scores["Ex-PTM"]["BioNLP11EPI"] == 73.58
    assert sum(gains.values()) == pytest.approx(0, abs=1e-6)
    sizes = {name: float(-len(name)) for name in gains}
    assert set(judge(study, lambda main: sizes)) == set(study.scores)


def test_without_scipy(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "scipy", None)
    with pytest.raises(MTLError, match="MTL343.*studies"):
        advise("main", PROFILES)


@pytest.fixture
def folder(tmp_path):
    for name, sentences in CORPORA.items():
        docs = []
        for text, entities in sentences:
            doc = Doc(Vocab(), words=text.split())
            doc.set_ents([Span(doc, *where) for where in entities])
            docs.append(doc)
        write_docbin(docs, tmp_path / name / "train.spacy")
    tags = Doc(Vocab(), words=["mice", "improved"], tags=["NN", "VB"])
    write_docbin([tags], tmp_path / "pos" / "train.spacy", "tags")
    return tmp_path


def run(*arguments):
    return CliRunner().invoke(app, ["suggest-partners", *map(str, arguments)])


def test_command(folder):
    assert profile("main", folder / "main" / "train.spacy") == MAIN
    done = run("main", "--corpora-dir", folder, "--out", folder / "advice.json")
    assert done.exit_code == 0, done.output
    found = json.loads((folder / "advice.json").read_text())
    assert [one["partner"] for one in found["partners"]] == ["alike", "against", "apart"]
    assert "gain," not in done.output and "Spearman" not in done.output
    assert "left out, for they have no entities: pos" in done.output


def test_command_with_a_study(folder):
    study, out = folder / "pairs.json", folder / "advice.json"
    scores = {"main": {"alike": 81.0, "against": 80.0, "apart": 78.5}, "elsewhere": {"a": 1, "b": 2, "c": 3}}
    study.write_text(json.dumps({"scores": scores, "single": {"main": 80.0}}))
    done = run("main", "--corpora-dir", folder, "--study", study, "--out", out)
    assert done.exit_code == 0 and "+1.00" in done.output and "-1.50" in done.output, done.output
    found = json.loads(out.read_text())
    assert found["spearman"]["ranking"] == {"main": pytest.approx(1.0)}
    assert [one["gain"] for one in found["partners"]] == [1.0, 0.0, -1.5] and found["gain_over"] == "the corpus alone"
    study.write_text(json.dumps({"scores": scores}))
    done = run("main", "--corpora-dir", folder, "--study", study, "--out", out)
    assert "gain," not in done.output.split("Spearman")[0] and "beside the mean" in done.output, "all may have gained"
    assert json.loads(out.read_text())["gain_over"] == "the mean of the partners"
    assert run("--corpora-dir", folder, "--study", study).exit_code == 0
    assert run("--corpora-dir", folder, "--study", study, "--published").exit_code == 2


def test_partners_are_chosen_on_devel(folder):
    """Where the study tells it: on test another one is best."""
    study, out = folder / "pairs.json", folder / "advice.json"
    devel = {"scores": {"main": {"alike": 70.0, "against": 75.0, "apart": 71.0}}, "single": {"main": 72.0}}
    test = {"scores": {"main": {"alike": 81.0, "against": 80.0, "apart": 78.5}}, "single": {"main": 80.0}}
    study.write_text(json.dumps({**test, "devel": devel}))
    done = run("main", "--corpora-dir", folder, "--study", study, "--out", out)
    found = json.loads(out.read_text())
    assert [(one["partner"], one["gain"]) for one in found["partners"]] == [
        ("against", 3),
        ("apart", -1),
        ("alike", -2),
    ]
    assert found["gain_on"] == "devel" and "gain, devel" in done.output
    study.write_text(json.dumps(test))
    assert "gain, test" in run("main", "--corpora-dir", folder, "--study", study).output


def test_command_says_what_is_missing(folder):
    assert run("--corpora-dir", folder).exit_code == 2
    assert "MTL100" in run("nowhere", "--corpora-dir", folder).output
    assert "MTL100" in run("pos", "--corpora-dir", folder).output
    done = run("main", "--corpora-dir", folder, "--partners", "alike")
    assert done.exit_code == 0 and "against" not in done.output


def test_categories_of_corpora_that_no_catalogue_of_ours_has(tmp_path):
    """As ``convert`` was told; a label that has a unified one is known by that."""
    vocab = Vocab()
    for name, labels in (("a", {"Disease": "Disease"}), ("b", {"Illness": "Disease"}), ("c", {"Thing": "Gene"})):
        doc = Doc(vocab, words=["asthma", "is", "bad"])
        doc.set_ents([Span(doc, 0, 1, next(iter(labels)))])
        write_docbin([doc], tmp_path / name / "train.spacy")
        report = {"kind": "spans", "labels": labels, "splits": {}}
        (tmp_path / name / "report.json").write_text(json.dumps(report))
    a, b, c = (profile(name, tmp_path / name / "train.spacy") for name in "abc")
    assert advice.categories(a, b) == 1 and advice.categories(a, c) == 0
