"""Other tokens, other processes, failures and spaCy's own ways to run a pipeline."""

import json
import subprocess
import sys
from typing import List

import pytest
import spacy
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import make_tempdir

from spacy_mtl_bioner.errors import MTLError
from spacy_mtl_bioner.pipeline.annotations import Predictions

from .recognizer import TEXTS, component, example, examples, learn, pipeline, scores_of, spans_of, tag_example, trained

CHILD = """
import json, multiprocessing, sys
import spacy
if __name__ == "__main__":
    multiprocessing.set_start_method(sys.argv[2])
    nlp = spacy.load(sys.argv[1])
    texts = json.load(sys.stdin)
    docs = nlp.pipe(texts, n_process=2, batch_size=4)
    spans = lambda doc: [[corpus, span.start, span.end] for corpus in doc.spans for span in doc.spans[corpus]]
    print(json.dumps([[doc.text, doc._.mtl, spans(doc)] for doc in docs]))
"""


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_two_processes_find_the_same(method: str):
    nlp, texts = trained(), TEXTS * 2
    with make_tempdir() as folder:
        nlp.to_disk(folder)
        (folder / "child.py").write_text(CHILD)
        command = [sys.executable, str(folder / "child.py"), str(folder), method]
        done = subprocess.run(command, input=json.dumps(texts), capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    for (text, mtl, spans), doc in zip(found, nlp.pipe(texts), strict=True):
        assert text == doc.text
        assert [entry[:3] for entry in mtl] == [entry[:3] for entry in doc._.mtl]
        assert spans == [[corpus, a, b] for corpus, group in spans_of(doc).items() for a, b, _ in group]
        for ours, theirs in zip(mtl, doc._.mtl):
            assert ours[3][0][2] == pytest.approx(theirs[3][0][2], abs=1e-5)


def failing(monkeypatch) -> None:
    """Let every batch fail that holds the word ``culprit``."""
    add = Predictions.add

    def broken(self, model, docs, members, selection, scores):
        if any("culprit" in docs[i].text for i in members):
            raise RuntimeError("broken document")
        return add(self, model, docs, members, selection, scores)

    monkeypatch.setattr(Predictions, "add", broken)


def test_a_bad_document_costs_only_itself(monkeypatch):
    nlp, failed = trained(), []
    failing(monkeypatch)
    nlp.set_error_handler(lambda name, proc, docs, error: failed.append((name, [doc.text for doc in docs], str(error))))
    texts = [*TEXTS[:3], "the culprit", *TEXTS[3:], "another culprit"]
    expected = [spans_of(doc) for doc in trained().pipe(TEXTS)]
    for batch_size in (1, 4, 100):
        failed.clear()
        docs = list(nlp.pipe(texts, batch_size=batch_size))
        assert [doc.text for doc in docs] == TEXTS and [spans_of(doc) for doc in docs] == expected
        message = "broken document"
        assert failed == [("mtl_ner", ["the culprit"], message), ("mtl_ner", ["another culprit"], message)]
    assert nlp("a culprit alone").ents == ()


def test_without_a_handler_the_error_is_raised(monkeypatch):
    nlp = trained()
    failing(monkeypatch)
    with pytest.raises(RuntimeError, match="broken document"):
        list(nlp.pipe([TEXTS[0], "culprit"]))
    with pytest.raises(RuntimeError, match="broken document"):
        nlp("culprit")


def test_a_document_that_asks_for_an_unknown_corpus_costs_only_itself():
    nlp, failed = trained(), []
    nlp.set_error_handler(lambda name, proc, docs, error: failed.append(str(error)))
    docs = [nlp.make_doc(text) for text in TEXTS[:3]]
    docs[1]._.corpora = ["chemical"]
    assert [doc.text for doc in nlp.pipe(docs)] == [TEXTS[0], TEXTS[2]]
    assert len(failed) == 1 and failed[0].startswith("[MTL100]")


def aligned(nlp, words: List[str], gold_words: List[str], ents: List[str], **settings) -> Example:
    reference = Doc(nlp.vocab, words=gold_words, ents=ents)
    reference._.corpus = "gene"
    return Example(Doc(nlp.vocab, words=words, **settings), reference)


def test_other_tokens_than_the_gold():
    """Split finer, glued, with white space between: the gold is learned on the tokens that are predicted."""
    nlp = pipeline()
    gold = ["IL-2", "receptor", "binds", "p53"]
    ents = ["B-Gene", "I-Gene", "O", "B-Protein"]
    data = [
        aligned(nlp, ["IL", "-", "2", "receptor", "binds", "p53"], gold, ents),
        aligned(nlp, ["IL-2", " ", "receptor", "binds", "p53"], gold, ents),
        aligned(nlp, gold, gold, ents),
    ]
    nlp.initialize(lambda: data)
    learn(nlp, data, 40)
    found = [[(e.text.replace(" ", ""), e.label_) for e in component(nlp)(eg.predicted.copy()).ents] for eg in data]
    assert found == [[("IL-2receptor", "Gene"), ("p53", "Protein")]] * 3
    assert nlp.evaluate([Example(nlp.make_doc("IL-2 receptor binds p53"), data[2].reference)])["ents_f"] == 1.0


def test_other_tokens_than_the_gold_tags():
    """A split word's parts have its tag, glued words the last one's; a reference that lacks tags teaches nothing."""
    nlp = pipeline()
    data = [tag_example(nlp.vocab, "the p53-dependent protein binds", ["DT", "JJ", "NN", "VB"])]
    for words in (["the", "p53", "-", "dependent", "protein", "binds"], ["the", "p53-dependent", "proteinbinds"]):
        data.append(Example(Doc(nlp.vocab, words=words), data[0].reference))
    nlp.initialize(lambda: data)
    learn(nlp, data, 40)
    expected = [["DT", "JJ", "NN", "VB"], ["DT", "JJ", "JJ", "JJ", "NN", "VB"], ["DT", "JJ", "VB"]]
    for one, tags in zip(data, expected):
        doc = one.predicted.copy()
        doc._.corpora = ["pos"]
        assert component(nlp)(doc).user_data["mtl_tags"]["pos"] == tags
    half = tag_example(nlp.vocab, "the protein", ["DT", ""])
    assert component(nlp).update([half]) == {"mtl_ner": 0.0}


def test_a_gold_entity_across_a_predicted_sentence_boundary():
    nlp = pipeline()
    words = "levels of E . coli RNA fell . No change".split()
    ents = ["O", "O", "B-Gene", "I-Gene", "I-Gene", "O", "O", "O", "O", "O"]
    starts = [i in (0, 4, 8) for i in range(len(words))]
    data = [aligned(nlp, words, words, ents, sent_starts=starts)]
    nlp.initialize(lambda: data)
    losses = learn(nlp, data, 30)
    assert losses[-1] < 0.1 * losses[0]
    doc = component(nlp)(Doc(nlp.vocab, words=words, sent_starts=[i in (0, 8) for i in range(len(words))]))
    assert [entity.text for entity in doc.ents] == ["E . coli"]
    split = component(nlp)(data[0].predicted.copy())
    assert all(not entity.start < 4 < entity.end for entity in split.ents), "prediction keeps to sentences"


def test_memory_zones():
    nlp = trained()
    expected = [spans_of(doc) for doc in nlp.pipe(TEXTS)]
    for _ in range(2):
        with nlp.memory_zone():
            assert [spans_of(doc) for doc in nlp.pipe([*TEXTS, "transientword p53"])][: len(TEXTS)] == expected
    assert "transientword" not in nlp.vocab.strings
    assert [spans_of(doc) for doc in nlp.pipe(TEXTS)] == expected


def test_disabled_components():
    nlp = trained()
    with nlp.select_pipes(disable=["mtl_ner"]):
        assert not nlp(TEXTS[0]).spans
    assert nlp(TEXTS[0]).spans
    nlp.remove_pipe("mtl_ner")
    assert not nlp(TEXTS[0]).spans


def test_evaluation_and_analysis():
    nlp = trained()
    scores = nlp.evaluate(examples(nlp))
    assert scores["mtl_macro_f"] == scores["mtl_micro_f"] == 1.0
    assert scores["mtl_disease_f"] == scores["mtl_gene_r"] == 1.0
    assigned = nlp.analyze_pipes()["summary"]["mtl_ner"]["assigns"]
    assert assigned == ["doc.ents", "doc.spans", "token.ent_iob", "token.ent_type"]


def test_two_components_in_a_pipeline():
    """Each keeps its own heads and weights; the second one's entities are those of the document."""
    nlp = trained()
    other = trained(["species"])
    other.rename_pipe("mtl_ner", "second")
    nlp.add_pipe("second", source=other)
    doc = nlp("asthma is common in mice")
    assert spans_of(doc) == {"disease": [(0, 1, "Disease")], "gene": [], "species": [(4, 5, "Species")]}
    assert [e.label_ for e in doc.ents] == ["Species"]
    with make_tempdir() as folder:
        nlp.to_disk(folder)
        assert spans_of(spacy.load(folder)("asthma is common in mice")) == spans_of(doc)
    assert scores_of(doc)["species"][0] > 0.5


def test_a_second_component_leaves_the_first_ones_entities():
    """With their sources; what it found itself in an earlier call goes."""
    nlp = trained(["disease"])
    other = trained(["species"], {"overwrite_ents": False})
    other.rename_pipe("mtl_ner", "second")
    nlp.add_pipe("second", source=other)
    for doc in (nlp("asthma is common in mice"), nlp(nlp("asthma is common in mice"))):
        assert [(e.text, e.label_, e._.mtl[0][0]) for e in doc.ents] == [
            ("asthma", "Disease", "disease"),
            ("mice", "Species", "species"),
        ]
    doc = nlp.get_pipe("second")(doc, corpora=[])
    assert [e.label_ for e in doc.ents] == ["Disease"] and len(doc._.mtl) == 1


def test_initialize_that_fails_leaves_a_trained_model():
    nlp = trained()
    before = spans_of(nlp("asthma is common in mice"))
    with pytest.raises(ValueError, match="E143"):
        nlp.initialize(lambda: [example(nlp.vocab, "no gold", None, "new")])
    assert spans_of(nlp("asthma is common in mice")) == before


@pytest.mark.parametrize("wrong", [2.0, "0.5", float("nan")])
def test_thresholds_that_are_set_later_are_checked(wrong):
    nlp = trained()
    with pytest.raises(MTLError, match="MTL105.*threshold"):
        nlp("asthma", component_cfg={"mtl_ner": {"threshold": wrong}})
    nlp.get_pipe("mtl_ner").cfg["thresholds"] = {"disease": wrong}
    with pytest.raises(MTLError, match="MTL105.*disease"):
        nlp("asthma")


def test_a_vote_that_nothing_can_win():
    unified = {"@misc": "spacy_mtl_bioner.MergeUnified.v1", "merge": {"@misc": "spacy_mtl_bioner.MergeByVote.v1"}}
    unified["merge"]["minimum"] = 3
    for merge in (unified, unified["merge"]):
        with pytest.raises(MTLError, match="MTL105.*minimum is 3; expected at most 2"):
            trained(settings={"merge": merge})("asthma")
