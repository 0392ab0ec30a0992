"""A component that knows something learns more."""

import pytest
import spacy
import torch
from spacy.tokens import Doc
from spacy.training import Example

from spacy_mtl_bioner.errors import MTLError
from spacy_mtl_bioner.types import CorpusSpec

from .recognizer import (
    CORPORA,
    MODEL,
    TAGS,
    TEXTS,
    component,
    example,
    examples,
    knows,
    learn,
    pipeline,
    scores_of,
    spans_of,
    tag_example,
    trained,
)

SHARINGS = {
    "single": {"@architectures": "spacy_mtl_bioner.SingleTask.v1", "encoder": MODEL["sharing"]["encoder"]},
    "full": {"@architectures": "spacy_mtl_bioner.FullyShared.v1", "encoder": MODEL["sharing"]["encoder"]},
    "part": {
        "@architectures": "spacy_mtl_bioner.PartlyShared.v1",
        "encoder": MODEL["sharing"]["encoder"],
        "shared": ["char_cnn"],
    },
    "private": {"@architectures": "spacy_mtl_bioner.SharedPrivate.v1", "encoder": MODEL["sharing"]["encoder"]},
    "adversarial": {"@architectures": "spacy_mtl_bioner.Adversarial.v1", "encoder": MODEL["sharing"]["encoder"]},
    "cross": MODEL["sharing"],
}


def predictions(nlp, corpora):
    """Spans and scores of every text by these corpora."""
    docs = [Doc(nlp.vocab, words=text.split()) for text in TEXTS]
    for doc in docs:
        doc._.corpora = list(corpora)
    return [(spans_of(doc), scores_of(doc)) for doc in component(nlp).pipe(docs)]


def same(ours, theirs):
    assert [spans for spans, _ in ours] == [spans for spans, _ in theirs]
    for (_, scores), (_, others) in zip(ours, theirs, strict=True):
        assert scores.keys() == others.keys()
        for corpus, values in scores.items():
            assert values == pytest.approx(others[corpus], abs=1e-5)


def test_labels_one_by_one():
    nlp = pipeline()
    pipe = component(nlp)
    assert pipe.add_label("Gene", corpus="gene") == 1
    assert pipe.add_label("Protein") == 1 and pipe.add_label("Protein") == 0
    assert pipe.add_label("Disease", corpus="disease") == 1
    with pytest.raises(MTLError, match=r"MTL121.*'RNA'.*gene, disease"):
        pipe.add_label("RNA")
    assert pipe.label_data == {"gene": ["Gene", "Protein"], "disease": ["Disease"]}
    nlp.initialize(lambda: examples(nlp))
    assert pipe.corpora == ("gene", "disease"), "initialization keeps what was added, and adds what the examples have"


def test_as_with_any_other_component():
    """Labels and examples that name no corpus: one of a fresh component, or the only one of a trained one."""
    nlp = pipeline()
    assert component(nlp).add_label("Gene") == 1
    plain = [example(nlp.vocab, text, entities, None) for text, entities in CORPORA["gene"][3:4]]
    nlp.initialize(lambda: plain)
    assert component(nlp).label_data == {"default": ["Gene"]}
    nlp = trained(["gene"])
    plain = [example(nlp.vocab, text, entities, None) for text, entities in CORPORA["gene"]]
    named, unnamed = {}, {}
    nlp.update(plain, losses=unnamed)
    assert component(nlp).corpora == ("gene",)
    nlp = trained(["gene"])
    nlp.update(examples(nlp, ["gene"]), losses=named)
    assert unnamed == named and "mtl_ner/gene" in unnamed
    nlp = trained(["gene", "disease"])
    with pytest.raises(MTLError, match=r"MTL122.*'default'.*reference\._\.corpus"):
        nlp.update(plain)


def test_a_new_label_of_a_trained_corpus():
    """Old labels keep their weights, the new one is learned, and the result can be stored."""
    nlp = trained(["disease"])
    pipe = component(nlp)
    assert pipe.add_label("Symptom", corpus="disease") == 1
    data = examples(nlp, ["disease"])
    symptom = Doc(nlp.vocab, words="fever and asthma".split(), ents=["B-Symptom", "O", "B-Disease"])
    symptom._.corpus = "disease"
    learn(nlp, [*data, Example(Doc(nlp.vocab, words="fever and asthma".split()), symptom)], 30)
    other = pipeline().from_bytes(nlp.to_bytes())
    for one in (nlp, other):
        assert knows(one, ["disease"])
        found = [(e.text, e.label_) for e in one("fever and asthma").ents]
        assert found == [("fever", "Symptom"), ("asthma", "Disease")]


@pytest.mark.parametrize("sharing", sorted(SHARINGS))
@pytest.mark.parametrize("old", [("disease",), ("disease", "gene")])
def test_a_sourced_component_gains_a_corpus_and_keeps_what_it_knew(sharing, old):
    """Before training, every old entity and score is as it was; after a few steps on the new corpus, the entities are;
    once all are trained, all are known by heart."""
    config = {**MODEL, "sharing": SHARINGS[sharing]}
    source = pipeline(model=config)
    data = examples(source, old)
    source.initialize(lambda: data)
    learn(source, data, 40)
    assert knows(source, old)
    before = predictions(source, old)
    nlp = spacy.blank("en")
    nlp.add_pipe("mtl_ner", source=source)
    new = examples(nlp, ["species"])
    component(nlp).initialize(lambda: new, nlp=nlp, extend=True)
    assert component(nlp).corpora == (*old, "species")
    same(predictions(nlp, old), before)
    nlp.resume_training()
    losses = learn(nlp, new, 8, rate=0.002)
    assert losses[-1] < losses[0] and knows(nlp, old)
    learn(nlp, examples(nlp, [*old, "species"]), 30)
    assert knows(nlp, [*old, "species"])
    other = pipeline(model=config).from_bytes(nlp.to_bytes())
    assert knows(other, [*old, "species"])


@pytest.mark.parametrize("heads", [None, {"@architectures": "spacy_mtl_bioner.SharedHeads.v1"}], ids=["own", "one"])
@pytest.mark.parametrize("sharing", sorted(SHARINGS))
@pytest.mark.parametrize("first", [("gene",), ("species", "disease", "gene")])
def test_weights_go_into_a_pipeline_of_another_structure(sharing, heads, first):
    """Whatever a pipeline knew before, it is what was loaded; and nothing is drawn for that."""
    config = {**MODEL, "sharing": SHARINGS[sharing], "heads": heads}
    source, target = pipeline(model=config), pipeline(model=config)
    source.initialize(lambda: examples(source, ("disease", "gene")))
    target.initialize(lambda: examples(target, first))
    before = torch.get_rng_state()
    target.from_bytes(source.to_bytes())
    assert torch.equal(torch.get_rng_state(), before) and component(target).corpora == ("disease", "gene")
    assert component(target).model.to_bytes() == component(source).model.to_bytes()
    same(predictions(target, ("disease", "gene")), predictions(source, ("disease", "gene")))


def test_a_pipeline_of_ones_own_is_saved_with_its_tokenizer(tmp_path):
    """README's recipe: the tokenizer by config, so that vocabulary and saved pipeline are those of the new one."""
    source = trained(["gene"])
    own = spacy.blank("en", config={"nlp": {"tokenizer": {"@tokenizers": "spacy_mtl_bioner.BioTokenizer.v1"}}})
    own.add_pipe("mtl_ner", source=source)
    doc = own("BRCA1 mutations cause breast cancer")
    assert doc.vocab is own.vocab and spans_of(doc) == {"gene": [(0, 1, "Gene")]}
    own.to_disk(tmp_path)
    again = spacy.load(tmp_path)
    assert type(again.tokenizer) is type(own.tokenizer)
    assert again(doc.text).to_json(underscore=["mtl"]) == doc.to_json(underscore=["mtl"])


def test_weights_may_be_left_out():
    nlp = trained()
    data = component(nlp).to_bytes()
    component(nlp).from_bytes(data, exclude=["model"])
    assert knows(nlp, ("disease", "gene"))


def test_a_corpus_by_its_label():
    """``add_label`` with a new corpus is enough to go on training with it."""
    nlp = trained()
    before = predictions(nlp, ["disease", "gene"])
    component(nlp).add_label("Species", corpus="species")
    same(predictions(nlp, ["disease", "gene"]), before)
    learn(nlp, examples(nlp, ["disease", "gene", "species"]), 25)
    assert knows(nlp, ["disease", "gene", "species"])


def test_a_head_of_another_corpus_does_not_move():
    """Training one corpus leaves what belongs to the other alone where nothing is shared."""
    nlp = pipeline(model={**MODEL, "sharing": SHARINGS["single"]})
    data = examples(nlp)
    nlp.initialize(lambda: data)
    learn(nlp, data, 5)
    before = predictions(nlp, ["gene"])
    learn(nlp, examples(nlp, ["disease"]), 20)
    assert predictions(nlp, ["gene"]) == before


def test_a_corpus_keeps_its_kind():
    nlp = trained()
    before = component(nlp).model.to_bytes()
    tagged = [tag_example(nlp.vocab, text, tags, "disease") for text, tags in TAGS]
    with pytest.raises(MTLError, match="MTL103.*'disease'.*'spans'.*'tags'"):
        component(nlp).initialize(lambda: tagged, nlp=nlp, extend=True)
    assert component(nlp).model.to_bytes() == before and knows(nlp, ["disease", "gene"])
    component(nlp).initialize(lambda: tagged, nlp=nlp)
    assert component(nlp).heads["disease"].kind == "tags"


def test_labels_added_before_initialization_are_kept():
    nlp = pipeline()
    for label, corpus in (("Cell", "cells"), ("Disease", "disease"), ("Rare", "disease")):
        component(nlp).add_label(label, corpus=corpus)
    data = examples(nlp)
    nlp.initialize(lambda: data)
    found = component(nlp).head_labels
    assert found["cells"] == ("Cell",) and found["disease"] == ("Disease", "Rare") and "Gene" in found["gene"]
    nlp.initialize(lambda: data)
    assert set(component(nlp).head_labels) == {"disease", "gene"}  # the weights are new, and so are the labels
    alone = pipeline()
    component(alone).add_label("Cell", corpus="cells")
    alone.initialize()
    assert component(alone).head_labels == {"cells": ("Cell",)}


@pytest.mark.parametrize(
    "labels, code",
    [
        ({"gene": "Gene"}, "MTL126"),
        ({"gene": None}, "MTL126"),
        ({"gene": {"labels": ["Gene"]}}, "MTL126"),
        ({"gene": {"kind": "span", "labels": ["Gene"]}}, "MTL126"),
        ({"gene": ["Gene", 1]}, "MTL126"),
        ({"gene": {"kind": "tags", "labels": []}}, "MTL126"),
        ({"pos": ["DT", "NN", "VB"]}, "MTL127.*'pos'.*'spans'.*'tags'"),
        ({"gene": {"kind": "tags", "labels": ["Gene"]}}, "MTL127.*'gene'"),
    ],
)
def test_labels_of_another_form_or_kind_are_refused(labels, code):
    nlp = pipeline()
    data = [*examples(nlp), *(tag_example(nlp.vocab, *row) for row in TAGS)]
    with pytest.raises(MTLError, match=code):
        component(nlp).initialize(lambda: data, nlp=nlp, labels=labels)


@pytest.mark.parametrize("labels", [None, {"gene": ["Gene", "Protein"], "pos": {"kind": "tags", "labels": ["DT"]}}])
def test_examples_without_any_gold_do_not_change_a_kind(labels):
    """Documents that say "no entity", and nothing of tags, speak against no kind."""
    nlp = pipeline()
    nlp.initialize(lambda: examples(nlp, ("gene", "pos")))
    data = [*examples(nlp, ("gene",)), example(nlp.vocab, "no change", [], "pos")]
    component(nlp).initialize(lambda: data, nlp=nlp, labels=labels, extend=True)
    assert component(nlp).heads["pos"] == CorpusSpec("tags", ("DT", "NN", "VB"))


def test_labels_choose_between_two_kinds_of_gold():
    nlp = pipeline()
    doc = Doc(nlp.vocab, words=["mice", "improved"], tags=["NN", "VB"], ents=["B-Species", "O"])
    doc._.corpus = "both"
    data = [Example(nlp.make_doc(doc.text), doc)]
    for labels in ({"both": {"kind": "tags", "labels": ["NN", "VB"]}}, {"both": ["Species"]}):
        component(nlp).initialize(lambda: data, nlp=nlp, labels=labels)
        assert component(nlp).label_data == labels
