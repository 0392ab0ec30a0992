"""The component behind a tok2vec that it shares with others."""

import numpy as np
import pytest
import spacy
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import make_tempdir

from spacy_mtl_bioner.errors import MTLError
from spacy_mtl_bioner.training.optimizers import Adam

from .recognizer import MODEL, TEXTS, component, examples, scores_of, spans_of

LISTENER = {"@architectures": "spacy.Tok2VecListener.v1", "width": 16, "upstream": "*"}
TOK2VEC = {
    "@architectures": "spacy.HashEmbedCNN.v2",
    "width": 16,
    "depth": 1,
    "embed_size": 200,
    "window_size": 1,
    "maxout_pieces": 2,
    "subword_features": True,
    "pretrained_vectors": None,
}


def pipeline(slot=LISTENER):
    nlp = spacy.blank("en")
    if slot is LISTENER:
        nlp.add_pipe("tok2vec", config={"model": TOK2VEC})
    nlp.add_pipe("mtl_ner", config={"model": {**MODEL, "embed": None, "tok2vec": slot}})
    return nlp


def learned(slot=LISTENER, steps: int = 40):
    nlp = pipeline(slot)
    data = examples(nlp)
    nlp.initialize(lambda: data)
    optimizer = Adam(0.02)
    for _ in range(steps):
        for corpus in ("disease", "gene"):
            nlp.update([eg for eg in data if eg.reference._.corpus == corpus], sgd=optimizer)
    return nlp, optimizer


@pytest.mark.parametrize("slot", [LISTENER, TOK2VEC], ids=["listener", "inside"])
def test_it_learns_by_heart_and_comes_back(slot):
    nlp, optimizer = learned(slot)
    scores = nlp.evaluate(examples(nlp))
    assert scores["mtl_disease_f"] == scores["mtl_gene_f"] == 1.0
    docs = list(nlp.pipe(TEXTS))
    with make_tempdir() as folder:
        with nlp.use_params(optimizer.averages):
            averaged = [spans_of(doc) for doc in nlp.pipe(TEXTS)]
            nlp.to_disk(folder / "averaged")
        nlp.to_disk(folder / "raw")
        assert [spans_of(doc) for doc in spacy.load(folder / "averaged").pipe(TEXTS)] == averaged
        again = list(spacy.load(folder / "raw").pipe(TEXTS))
    assert [(spans_of(doc), scores_of(doc)) for doc in again] == [(spans_of(doc), scores_of(doc)) for doc in docs]


def test_replaced_listeners_make_no_difference():
    nlp, _ = learned(steps=15)
    before = [(spans_of(doc), scores_of(doc)) for doc in nlp.pipe(TEXTS)]
    nlp.replace_listeners("tok2vec", "mtl_ner", ["model.tok2vec"])
    nlp.remove_pipe("tok2vec")
    assert nlp.config["components"]["mtl_ner"]["model"]["tok2vec"]["@architectures"] == TOK2VEC["@architectures"]
    assert [(spans_of(doc), scores_of(doc)) for doc in nlp.pipe(TEXTS)] == before
    with make_tempdir() as folder:
        nlp.to_disk(folder)
        assert [(spans_of(doc), scores_of(doc)) for doc in spacy.load(folder).pipe(TEXTS)] == before
    nlp.update(examples(nlp), sgd=Adam(0.01))


def test_the_upstream_component_learns():
    nlp, _ = learned(steps=1)
    tok2vec = nlp.get_pipe("tok2vec").model
    before = tok2vec.to_bytes()
    losses = nlp.update(examples(nlp), sgd=Adam(0.01))
    assert tok2vec.to_bytes() != before and losses["tok2vec"] > 0


def test_documents_without_gold_or_words_in_the_batch():
    """A listener hears of every document; those without gold get a gradient of zero, the others that of their own."""
    nlp, _ = learned(steps=1)
    data = examples(nlp)
    unannotated = Example(Doc(nlp.vocab, words=["asthma", "again"]), Doc(nlp.vocab, words=["asthma", "again"]))
    empty = Example(Doc(nlp.vocab), Doc(nlp.vocab))
    listener = component(nlp).model.layers[3]
    returned = []
    for batch in ([*data], [empty, data[0], unannotated, *data[1:], empty]):
        nlp.get_pipe("tok2vec").update(batch)
        listener._backprop = lambda gradient: returned.append(gradient)
        component(nlp).update(batch)
    plain, mixed = returned
    assert [len(g) for g in mixed] == [0, len(plain[0]), 2, *map(len, plain[1:]), 0]
    assert not mixed[2].any()
    for ours, theirs in zip([mixed[1], *mixed[3:-1]], plain):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)


def test_selection_keeps_vectors_with_their_documents():
    """Documents that ask for other corpora go through the model in groups; the vectors go with them."""
    nlp, _ = learned(steps=15)
    expected = [spans_of(doc) for doc in nlp.pipe(TEXTS)]
    docs = [nlp.make_doc(text) for text in TEXTS]
    for i, doc in enumerate(docs):
        doc._.corpora = [["disease"], ["gene"], None][i % 3]
    for i, (doc, spans) in enumerate(zip(nlp.pipe(docs), expected)):
        wanted = [["disease"], ["gene"], ["disease", "gene"]][i % 3]
        assert spans_of(doc) == {corpus: spans[corpus] for corpus in wanted}


def test_a_batch_without_gold_holds_up_no_other_listener():
    """The tok2vec learns in the backward pass of its last listener, which here has nothing to learn."""
    nlp = spacy.blank("en")
    nlp.add_pipe("tok2vec", config={"model": TOK2VEC})
    nlp.add_pipe("tagger", config={"model": {"@architectures": "spacy.Tagger.v2", "tok2vec": LISTENER}})
    nlp.add_pipe("mtl_ner", config={"model": {**MODEL, "embed": None, "tok2vec": LISTENER}})
    words = [text.split() for text in TEXTS[:3]]
    tagged = [Doc(nlp.vocab, words=found, tags=["A", "B"] + ["C"] * (len(found) - 2)) for found in words]
    data = [*examples(nlp), *(Example(nlp.make_doc(doc.text), doc) for doc in tagged)]
    for doc in tagged:
        doc._.corpus = "disease"
    nlp.initialize(lambda: data)
    before = nlp.get_pipe("tok2vec").model.to_bytes()
    for _ in range(4):  # the tagger's output layer starts at 0, and hands nothing down at first
        losses = nlp.update(data[-3:], sgd=Adam(0.02))
        assert losses["mtl_ner"] == 0.0 and losses["tagger"] > 0
    assert nlp.get_pipe("tok2vec").model.to_bytes() != before


@pytest.mark.filterwarnings("ignore:.*MTL125")
def test_a_step_that_is_left_out_is_left_out_upstream_too():
    nlp = pipeline(TOK2VEC)
    data = examples(nlp)
    nlp.initialize(lambda: data)
    for node in component(nlp).model.walk():
        for shim in node.shims:
            for (_, name), parameter in shim.named_parameters():
                if name.endswith("emit.weight"):
                    parameter.data[1, 0] = float("inf")
    nlp.update(data, sgd=Adam(0.02))
    nodes = component(nlp).model.walk()
    arrays = [node.get_param(name) for node in nodes for name in node.param_names if node.has_param(name)]
    assert arrays and all(np.isfinite(array).all() for array in arrays)


def test_a_tok2vec_that_nothing_reads_is_refused():
    """The component's own default embedding would be used, and the tok2vec computed for nothing."""
    nlp = spacy.blank("en")
    nlp.add_pipe("tok2vec", config={"model": TOK2VEC})
    with pytest.raises(MTLError, match="MTL135.*embed = null"):
        model = {"@architectures": "spacy_mtl_bioner.MultiTaskNER.v1", "tok2vec": LISTENER}
        nlp.add_pipe("mtl_ner", config={"model": model})


@pytest.mark.parametrize("slot", [LISTENER, TOK2VEC], ids=["listener", "inside"])
def test_nothing_to_learn_from_and_nothing_to_tag(slot):
    nlp = pipeline(slot)
    data = examples(nlp)
    nlp.initialize(lambda: data)
    empty = [Example(Doc(nlp.vocab), Doc(nlp.vocab))]
    for batch in ([], empty) if slot is TOK2VEC else ([],):
        assert component(nlp).update(batch, sgd=Adam(0.02)) == {"mtl_ner": 0.0}
    assert [spans_of(doc) for doc in nlp.pipe(["", "asthma", ""])][0] == spans_of(nlp(""))
