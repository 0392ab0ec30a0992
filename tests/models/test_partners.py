"""Likeness of corpora against sets, the choice of partners, and what a model keeps of it."""

import random

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from spacy.lang.en import English

from spacy_mtl_bioner.errors import MTLError
from spacy_mtl_bioner.layers.gated_interaction import GatedInteraction
from spacy_mtl_bioner.layers.structure import layers_of
from spacy_mtl_bioner.layers.torch_layer import shim_of
from spacy_mtl_bioner.models.sharing.cross_sharing import CrossSharing
from spacy_mtl_bioner.models.sharing.partners import SIZE, choose_partners, likeness, sketch
from spacy_mtl_bioner.types import CorpusSpec

from .parts import SENTENCES, doc_of, embedding, encoder, features_of, lexicon_of

DOC = doc_of(English().vocab, *SENTENCES)
WORDS = {
    "disease": "breast cancer asthma",
    "symptom": "asthma cough",
    "gene": "BRCA1 p53 MDM2 protein",
    "protein": "p53 MDM2 kinase",
    "pos": "the gene causes breast cancer",
}


def test_likeness_is_the_jaccard_similarity_of_small_sets():
    assert likeness(sketch([1, 2, 3]), sketch([2, 3, 4, 5])) == pytest.approx(2 / 5)
    assert likeness([], []) == 0.0 == likeness(sketch([1]), [])


@given(st.sets(st.integers(0, 2**64 - 1), max_size=50), st.sets(st.integers(0, 2**64 - 1), max_size=50))
def test_likeness_of_any_small_sets(one, other):
    expected = len(one & other) / len(one | other) if one | other else 0.0
    assert likeness(sketch(one), sketch(other)) == pytest.approx(expected)
    assert sketch([*sketch(one), *other]) == sketch(one | other)


def test_likeness_of_large_sets_is_close():
    numbers = random.Random(0)
    hashes = [numbers.getrandbits(64) for _ in range(9000)]
    one, other = sketch(hashes[:6000]), sketch(hashes[4000:])
    assert len(one) == SIZE and likeness(one, other) == pytest.approx(2000 / 9000, abs=0.04)


def test_the_most_alike_are_chosen_in_the_order_of_the_model():
    corpora = ["a", "b", "c", "d"]
    sketches = {"a": [1, 2, 3], "b": [9], "c": [2, 3, 4], "d": [1, 2]}
    assert choose_partners(corpora, sketches, {}, 1, {})["a"] == ["d"]
    assert choose_partners(corpora, sketches, {}, 2, {})["a"] == ["c", "d"]
    assert choose_partners(corpora, sketches, {}, None, {})["a"] == ["b", "c", "d"]
    assert choose_partners(corpora, sketches, {}, 0, {})["a"] == []
    assert choose_partners(corpora, sketches, {"a": ["d", "b"]}, 1, {})["a"] == ["d", "b"]
    assert choose_partners(corpora, {}, {}, 1, {})["c"] == ["a"], "what is unknown is alike: the first"


def test_those_that_were_there_stay_first():
    sketches = {"a": [1, 2, 3], "b": [9], "c": [2, 3, 4], "d": [1, 2]}
    found = choose_partners(["a", "b", "c", "d"], sketches, {"c": ["a"]}, 2, {"a": ["b"], "b": ["a", "c"], "c": ["d"]})
    assert found == {"a": ["b", "d"], "b": ["a", "c"], "c": ["d", "a"], "d": ["a", "c"]}


def lexicon(*corpora):
    found = lexicon_of(DOC)
    for corpus in corpora:
        found.add_words(corpus, doc_of(DOC.vocab, WORDS[corpus]))
    return found


def blank(**settings):
    return CrossSharing(encoder(), GatedInteraction(), **settings)(embedding())


def grow(model, corpora, new=None):
    """Initialize with the words of the new corpora."""
    specs = {corpus: CorpusSpec("spans", (corpus,)) for corpus in corpora}
    return model.initialize(X=lexicon(*(corpora if new is None else new)), Y=specs)


def test_a_model_pairs_corpora_by_their_words():
    model = grow(blank(max_partners=1), WORDS)
    partners = {"disease": ["pos"], "symptom": ["disease"], "gene": ["protein"], "protein": ["gene"]}
    partners["pos"] = ["disease"]
    assert model.attrs["partners"] == partners
    modules = [shim_of(layers_of(model, corpus)[1]).module.linear for corpus in WORDS]
    assert {linear.in_features for linear in modules} == {6}


def test_prediction_runs_only_what_it_needs():
    model, calls = grow(blank(max_partners=1), WORDS), []
    shim_of(model.layers[1]).module.register_forward_hook(lambda *_: calls.append("shared"))
    for corpus in WORDS:
        module = shim_of(layers_of(model, corpus)[0]).module
        module.register_forward_hook(lambda *_, corpus=corpus: calls.append(corpus))
    for wanted, expected in (
        (["gene"], ["gene", "protein", "shared"]),
        (["gene", "protein"], ["gene", "protein", "shared"]),
        (["symptom"], ["disease", "shared", "symptom"]),
        (list(WORDS), sorted([*WORDS, "shared"])),
    ):
        calls.clear()
        assert set(features_of(model, [DOC], wanted)) == set(wanted)
        assert sorted(calls) == expected


def test_partners_survive_bytes():
    """Whatever the loading model would choose, or its config gives."""
    model, other = grow(blank(max_partners=1), WORDS), blank(max_partners=3)
    other.initialize(Y={corpus: CorpusSpec("spans", (corpus,)) for corpus in WORDS})
    data = model.to_bytes()
    assert other.from_bytes(data).to_bytes() == data
    assert other.attrs["partners"] == model.attrs["partners"] and other.attrs["sketches"] == model.attrs["sketches"]
    ours, theirs = (features_of(one, [DOC], tuple(WORDS)) for one in (model, other))
    assert all(torch.equal(ours[corpus], theirs[corpus]) for corpus in WORDS)


def test_growth_after_loading():
    """Old corpora keep their partners, and gain what is alike up to the limit; nothing that was learned changes."""
    old = ["disease", "symptom", "gene"]
    model, other = grow(blank(max_partners=2), old), blank(max_partners=2)
    other.initialize(Y={corpus: CorpusSpec("spans", (corpus,)) for corpus in old})
    other.from_bytes(model.to_bytes())
    expected = features_of(model, [DOC], old)
    grow(other, [*old, "protein"], new=["protein"])
    assert other.attrs["partners"]["disease"] == ["symptom", "gene"]
    assert other.attrs["partners"]["protein"][-1] == "gene"
    found = features_of(other, [DOC], old)
    assert all(torch.equal(found[corpus], expected[corpus]) for corpus in old)
    alone = grow(blank(max_partners=1), ["disease", "gene"])
    before = features_of(alone, [DOC], ["gene"])["gene"]
    grow(alone, ["disease", "gene", "protein"], new=["protein"])
    assert alone.attrs["partners"] == {"disease": ["gene"], "gene": ["disease"], "protein": ["gene"]}
    assert torch.equal(features_of(alone, [DOC], ["gene"])["gene"], before)


def test_a_fresh_start_forgets_old_partners():
    from spacy_mtl_bioner.layers.structure import clear, reset

    model = grow(blank(max_partners=1), ["disease", "gene"])
    reset(model)
    clear(model)
    grow(model, ["gene", "disease", "protein"])
    assert model.attrs["partners"]["gene"] == ["protein"]
    assert set(model.attrs["sketches"]) == set(model.attrs["partners"])


def test_given_partners():
    model = grow(blank(max_partners=1, partners={"disease": ["gene", "pos"]}), WORDS)
    assert model.attrs["partners"]["disease"] == ["gene", "pos"] and model.attrs["partners"]["gene"] == ["protein"]
    assert shim_of(layers_of(model, "disease")[1]).module.linear.in_features == 12
    for wrong in ({"disease": ["genes"]}, {"diseases": ["gene"]}, {"disease": ["disease"]}):
        with pytest.raises(MTLError, match="MTL201.*'disease.*given as: .*disease, symptom, gene, protein, pos"):
            grow(blank(partners=wrong), WORDS)
    with pytest.raises(MTLError, match="MTL200.*CrossSharing: max_partners is -1"):
        CrossSharing(encoder(), GatedInteraction(), max_partners=-1)
