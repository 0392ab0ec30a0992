"""Shared and private encoders: what a corpus reads, what moves, growth."""

import pytest
import torch
from spacy.lang.en import English

from spacy_mtl_bioner.layers.structure import layers_of
from spacy_mtl_bioner.layers.torch_layer import run, shim_of
from spacy_mtl_bioner.models.sharing.shared_private import SharedPrivate

from .parts import SENTENCES, SPECS, batch_of, doc_of, embedding, encoder, features_of, lexicon_of, parameters

DOC = doc_of(English().vocab, *SENTENCES)
NAMES = ("disease", "gene", "pos")


def grow(model, corpora):
    return model.initialize(X=lexicon_of(DOC), Y={name: SPECS[name] for name in corpora})


def shared_private(corpora):
    torch.manual_seed(len(corpora))
    return grow(SharedPrivate(encoder())(embedding()), corpora)


def test_features_are_the_private_ones_then_the_shared_ones():
    model, batch = shared_private(NAMES), batch_of([DOC])
    embedded = run(model.layers[0], batch, False)
    found = features_of(model, [DOC], NAMES)
    for i, corpus in enumerate(NAMES):
        private, shared = (run(model.layers[at], (embedded, batch), False) for at in (2 + i, 1))
        assert torch.equal(found[corpus], torch.cat([private, shared], -1))
        assert layers_of(model, corpus) == [model.layers[2 + i]]
    assert model.get_dim("nO") == 12 == found["pos"].shape[-1]


def test_only_what_is_wanted_runs(monkeypatch):
    model, calls = shared_private(NAMES), []
    for name, node in zip(("shared", *NAMES), model.layers[1:]):
        module = shim_of(node).module
        module.register_forward_hook(lambda *_, name=name: calls.append(name))
    features_of(model, [DOC], ["gene"])
    assert calls == ["shared", "gene"]


def test_private_parts_of_other_corpora_get_no_gradient():
    model = shared_private(NAMES)
    run(model, (batch_of([DOC]), ("gene",)), True)["gene"].sum().backward()
    touched = [all(p.grad is not None for p in parameters([node])) for node in model.layers]
    none = [all(p.grad is None for p in parameters([node])) for node in model.layers]
    assert touched == [True, True, False, True, False] and none == [False, False, True, False, True]


@pytest.mark.parametrize("before", [1, 2])
def test_a_new_corpus_leaves_the_old_ones_as_they_were(before: int):
    model = shared_private(NAMES[:before])
    expected = features_of(model, [DOC], NAMES[:before])
    grow(model, NAMES)
    found = features_of(model, [DOC], NAMES)
    assert all(torch.equal(found[corpus], expected[corpus]) for corpus in NAMES[:before])
    assert not torch.equal(found["pos"], found["gene"])


def test_from_bytes():
    model, other = shared_private(NAMES), SharedPrivate(encoder())(embedding())
    data = model.to_bytes()
    other.initialize(Y={name: SPECS[name] for name in NAMES})
    assert other.from_bytes(data).to_bytes() == data
    ours, theirs = (features_of(one, [DOC], NAMES) for one in (model, other))
    assert all(torch.equal(ours[corpus], theirs[corpus]) for corpus in NAMES)
