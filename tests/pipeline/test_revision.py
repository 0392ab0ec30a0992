"""The components that revise, together: in a pipeline, in a config, in other processes, with thresholds."""

import json
import subprocess
import sys

import pytest
import spacy
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.tokens import Doc, DocBin, Span

from spacy_mtl_bioner.errors import MTLError
from spacy_mtl_bioner.pipeline.groups import read_groups
from spacy_mtl_bioner.pipeline.label_map import MergeUnified
from spacy_mtl_bioner.pipeline.merging import MergeByScore, MergeLongest

from .recognizer import CORPORA, MODEL, component, trained
from .tagged import NLP, check, documents, shown, snapshot, tagged

NAMES = ["mtl_brackets", "mtl_abbreviations", "mtl_consistency"]
UNIFIED = {
    "@misc": "spacy_mtl_bioner.MergeUnified.v1",
    "merge": {"@misc": "spacy_mtl_bioner.MergeLongest.v1"},
    "labels": {"gene": {"Gene": "Locus"}},
}
BY_SCORE = {"@misc": "spacy_mtl_bioner.MergeByScore.v1"}
TEXTS = ["breast cancer (BC) and BC", "BRCA1 mutations cause breast cancer (BC) in BC mice", "no change"]


@settings(max_examples=100, deadline=None)
@given(doc=documents(), names=st.permutations(NAMES))
def test_in_any_order_nothing_overlaps(doc, names):
    others, text = snapshot(doc)[3:], doc.text
    for name in names:
        doc = NLP.create_pipe(name)(doc)
        check(doc)
    assert snapshot(doc)[3:] == others and doc.text == text


@pytest.mark.parametrize("name", NAMES)
def test_documents_without_groups(name):
    pipe = NLP.create_pipe(name)
    for words in ([], ["APC", "("]):
        doc = Doc(NLP.vocab, words=words)
        if words:
            doc.spans["other"] = [doc[0:2]]
            doc.set_ents([doc.char_span(0, 3, "X")])
        before = snapshot(doc)
        assert snapshot(pipe(doc)) == before


@pytest.mark.parametrize("label", ["Disease", "Mine"])
def test_what_was_taken_away_does_not_come_back(label):
    """Where another component took entities off ``doc.ents`` before something is revised; groups keep them."""
    found = [("APC", "Gene", "A", 0.9), ("(polyposis", "Disease", "B", 0.8), ("mice", "Species", "C", 0.7)]
    doc = tagged("APC (polyposis coli) and mice", *found)
    doc.set_ents([ent if label == "Disease" else Span(doc, ent.start, ent.end, label) for ent in doc.ents[1:2]])
    doc = NLP.create_pipe("mtl_brackets")(doc)
    assert [ent.text for ent in doc.ents] == ["(polyposis coli)" if label == "Disease" else "(polyposis"]
    assert {corpus: shown(doc, corpus)[0][0] for corpus in "ABC"} == {"A": "APC", "B": "(polyposis coli)", "C": "mice"}


def test_a_second_recognizer_that_overwrites_stays_the_last_word():
    """A document in which something is revised gets no more back than another."""
    nlp = trained(["disease"])
    nlp.add_pipe("mtl_ner", name="genes", source=trained(["gene"]))
    nlp.add_pipe("mtl_brackets")
    text = "BRCA1 mutations cause breast cancer and asthma"
    doc = nlp(text)
    assert [ent.label_ for ent in doc.ents] == ["Gene"] and len(doc.spans["disease"]) == 2
    groups = read_groups(doc)
    revised = {**groups, "gene": [groups["gene"][0]._replace(score=0.5)]}
    pipe = nlp.get_pipe("mtl_brackets")
    pipe.revise = lambda doc, found: revised
    assert [ent.label_ for ent in pipe(doc).ents] == ["Gene"] and len(doc.spans["disease"]) == 2


def test_a_reviser_without_a_recognizer_says_how_it_merges(caplog):
    nlp = spacy.blank("en")
    nlp.add_pipe("mtl_brackets", config={"merge": {"@misc": "spacy_mtl_bioner.MergeLongest.v1"}})
    assert not caplog.messages
    assert isinstance(nlp.add_pipe("mtl_consistency").merge, MergeByScore)
    (message,) = caplog.messages
    assert message.startswith("[MTL115] mtl_consistency")


def test_scores_stay_above_the_threshold():
    """What is added has the score of what it is taken from, so that a threshold of the recognizer holds to the end."""
    doc = tagged("Wilson disease (WD). WD, (WD, wild WD", ("Wilson disease", "X", "A", 0.9), ("(WD,", "X", "A", 0.8, 0))
    for name in NAMES:
        doc = NLP.create_pipe(name)(doc)
    scores = [entity.score for entity in read_groups(doc)["A"]]
    assert len(scores) == 5 and min(scores) == 0.8


def test_what_others_found_stays():
    """Entities of a component after the recognizer, and identifiers of its own, whether or not something is revised."""
    for text, left in (("aspirin ( of a catheter", "aspirin ("), ("aspirin of a catheter", "aspirin")):
        doc = tagged(text, (left, "Chemical", "A", 0.9), ("of", "X", "A", 0.5))
        linked = [Span(doc, e.start, e.end, e.label_, kb_id="K1") for e in doc.ents]
        at = text.index("catheter")
        device = doc.char_span(at, at + len("catheter"), "Device", kb_id="D1")
        device.id_ = "ruled"
        doc.set_ents([*linked, device])
        doc = NLP.create_pipe("mtl_brackets")(doc)
        found = [(e.text, e.label_, e.kb_id_, e.id_) for e in doc.ents]
        assert found[0][:2] == ("aspirin", "Chemical")
        assert found[1:] == [("of", "X", "K1", ""), ("catheter", "Device", "D1", "ruled")]
    doc = tagged("aspirin ( 5 mg", ("aspirin (", "Chemical", "A", 0.9))
    doc.set_ents([*doc.ents, doc.char_span(10, 11, "Number")])
    assert [e.text for e in NLP.create_pipe("mtl_brackets")(doc).ents] == ["aspirin", "5"]


def test_merge_policies():
    """That of ``mtl_ner``, unless one is given; by score where there is no ``mtl_ner``."""
    nlp = trained()
    before = component(nlp).merge
    component(nlp).merge = MergeLongest()
    try:
        assert nlp.create_pipe("mtl_brackets").merge == MergeLongest()
        given = {"merge": {"@misc": "spacy_mtl_bioner.MergeByScore.v1"}}
        assert nlp.create_pipe("mtl_brackets", config=given).merge == MergeByScore()
    finally:
        component(nlp).merge = before
    assert spacy.blank("en").create_pipe("mtl_brackets").merge == MergeByScore()


def test_the_policy_of_the_recognizer_before_it():
    """Not that of a chunker further ahead."""
    nlp = spacy.blank("en")
    for name, merge in (("chunker", "MergeByScore"), ("mtl_ner", "MergeLongest")):
        nlp.add_pipe("mtl_ner", name, config={"model": MODEL, "merge": {"@misc": f"spacy_mtl_bioner.{merge}.v1"}})
    assert nlp.add_pipe("mtl_brackets").merge == MergeLongest()


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """A pipeline on the disk that unifies labels and revises, all by its config."""
    folder = tmp_path_factory.mktemp("revision") / "model"
    trained().to_disk(folder)
    nlp = spacy.load(folder, config={"components": {"mtl_ner": {"merge": UNIFIED}}})
    for name in NAMES:
        nlp.add_pipe(name, config={} if name == "mtl_brackets" else {"minimum_score": 0.0})
    nlp.to_disk(folder)
    return folder


def test_from_disk_and_switched_off(path):
    nlp = spacy.load(path)
    assert nlp.pipe_names[-3:] == NAMES
    merge = MergeUnified(MergeLongest(), {"gene": {"Gene": "Locus"}})
    assert all(nlp.get_pipe(name).merge == merge for name in ["mtl_ner", *NAMES])
    assert nlp.config["components"]["mtl_consistency"]["minimum_share"] == 0.25
    assert not nlp.analyze_pipes()["problems"]["mtl_brackets"]
    assert [entity[0] for entity in shown(nlp(TEXTS[0]), "disease")] == ["breast cancer", "BC", "BC"]
    with nlp.select_pipes(disable=NAMES):
        assert [entity[0] for entity in shown(nlp(TEXTS[0]), "disease")] == ["breast cancer"]


def plainly(doc):
    entities = [[e.start_char, e.end_char, e.label_] for e in doc.ents]
    return json.loads(json.dumps([doc._.mtl, doc._.mtl_found, entities]))


CHILD = """
import json, multiprocessing, sys
import spacy
if __name__ == "__main__":
    multiprocessing.set_start_method(sys.argv[2])
    nlp = spacy.load(sys.argv[1])
    ents = lambda doc: [[e.start_char, e.end_char, e.label_] for e in doc.ents]
    docs = nlp.pipe(json.load(sys.stdin), n_process=2, batch_size=2)
    print(json.dumps([[doc._.mtl, doc._.mtl_found, ents(doc)] for doc in docs]))
"""


@pytest.mark.parametrize("method", ["fork", pytest.param("spawn", marks=pytest.mark.slow)])
def test_processes_json_and_docbin_keep_it_all(path, method, tmp_path):
    nlp = spacy.load(path)
    texts = TEXTS + [text for found in CORPORA.values() for text, _ in found]
    docs = list(nlp.pipe(texts))
    here = [plainly(doc) for doc in docs]
    sources = [source for mtl, _, _ in here for entry in mtl for source in entry[3]]
    assert ["gene", "Gene", "Locus"] in [[corpus, label, unified] for corpus, label, _, unified in sources]
    assert all(isinstance(score, float) for _, _, score, _ in sources)
    packed = DocBin(store_user_data=True, docs=docs).to_bytes()
    assert [plainly(doc) for doc in DocBin().from_bytes(packed).get_docs(nlp.vocab)] == here
    data = json.loads(json.dumps([doc.to_json(underscore=["mtl", "mtl_found"]) for doc in docs]))
    assert [plainly(Doc(nlp.vocab).from_json(item)) for item in data] == here
    (tmp_path / "child.py").write_text(CHILD)
    command = [sys.executable, str(tmp_path / "child.py"), str(path), method]
    done = subprocess.run(command, input=json.dumps(texts), capture_output=True, text=True, timeout=500)
    assert done.returncode == 0, done.stderr
    there = json.loads(done.stdout.splitlines()[-1])
    assert [entry[2] for entry in there] == [entry[2] for entry in here]
    assert rounded(there) == rounded(here)


def rounded(data):
    """Scores to four decimals: what else is in a batch moves their last bits."""
    return json.loads(json.dumps(data), parse_float=lambda number: round(float(number), 4))


@pytest.mark.parametrize("name, setting", [("mtl_abbreviations", 0.7), ("mtl_consistency", 0.8)])
def test_entities_without_scores_are_said_to_have_none(name, setting, caplog):
    """Once: else a component that was asked for would do nothing, and nobody would know."""
    pipe = NLP.create_pipe(name, config={"merge": BY_SCORE})
    for _ in range(2):
        pipe(tagged("Wilson disease (WD) and WD", ("Wilson disease", "X", "A", None)))
    assert [record.message.split()[0] for record in caplog.records] == ["[MTL108]"]
    assert f"minimum_score is {setting}" in caplog.text
    caplog.clear()
    NLP.create_pipe(name, config={"minimum_score": 0.0, "merge": BY_SCORE})(tagged("a WD", ("WD", "X", "A", None)))
    found = ("WD", "X", "A", None, 0), ("WD", "X", "A", 0.9, 1)
    NLP.create_pipe(name, config={"merge": BY_SCORE})(tagged("a WD and WD", *found))
    assert not caplog.records


@pytest.mark.parametrize(
    "name, settings",
    [
        ("mtl_consistency", {"minimum_score": 80}),
        ("mtl_consistency", {"minimum_share": 25}),
        ("mtl_abbreviations", {"minimum_score": 70}),
        ("mtl_brackets", {"grow": -3}),
    ],
)
def test_settings_that_could_have_no_effect_are_refused(name, settings):
    with pytest.raises(MTLError, match=f"MTL105.*{name}: {next(iter(settings))} is "):
        NLP.create_pipe(name, config=settings)


@pytest.mark.parametrize("store", [True, False])
def test_documents_from_a_docbin(store):
    """By default a DocBin keeps what each corpus found, and not what was merged."""
    doc = tagged("aspirin ( of a catheter", ("aspirin (", "Chemical", "A", 0.9))
    doc.set_ents([*doc.ents, doc.char_span(15, 23, "Device")])
    (read,) = DocBin(docs=[doc], store_user_data=store).get_docs(NLP.vocab)
    assert (read._.mtl is None) is not store
    read = NLP.create_pipe("mtl_brackets")(read)
    assert [(e.text, e.label_) for e in read.ents] == [("aspirin", "Chemical"), ("catheter", "Device")]
    assert [entry[:3] for entry in read._.mtl] == [[0, 7, "Chemical"]]
