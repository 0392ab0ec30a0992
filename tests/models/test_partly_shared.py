"""Scopes of sharing: which parts are of one's own, how often they run, growth and storage."""

import pytest
import torch
from spacy.lang.en import English

from spacy_mtl_bioner.errors import MTLError
from spacy_mtl_bioner.layers.torch_layer import run, shim_of
from spacy_mtl_bioner.models.embed.char_cnn import CharCNN
from spacy_mtl_bioner.models.lexicon import Lexicon
from spacy_mtl_bioner.models.sharing.fully_shared import FullyShared
from spacy_mtl_bioner.models.sharing.partly_shared import PartlyShared

from .parts import SENTENCES, SPECS, batch_of, doc_of, embedding, encoder, features_of, lexicon_of, parameters

DOC = doc_of(English().vocab, *SENTENCES)
NAMES = ("disease", "gene", "pos")
SCOPES = {
    "MTM-C": (["char_cnn"], False),
    "MTM-W": (["word_vectors"], True),
    "MTM-CW": (["word_vectors", "char_cnn"], True),
    "none": ([], False),
    "embedding": (["char_cnn", "word_vectors"], False),
}


def blank(scope: str, **settings):
    shared, shared_encoder = SCOPES[scope]
    return PartlyShared(encoder(**settings), shared, shared_encoder)(embedding())


def grow(model, corpora, lexicon=None):
    return model.initialize(X=lexicon or lexicon_of(DOC), Y={name: SPECS[name] for name in corpora})


def made(scope: str, corpora=NAMES):
    torch.manual_seed(0)
    return grow(blank(scope), corpora)


def nodes(model):
    """{name: modules of that name that have weights}."""
    found: dict = {}
    for node in model.walk():
        for shim in node.shims:
            if shim.built:
                found.setdefault(node.name, []).append(shim.module)
    return found


@pytest.mark.parametrize("scope", SCOPES)
def test_how_many_there_are_of_each_part(scope: str):
    shared, shared_encoder = SCOPES[scope]
    found = {name: len(modules) for name, modules in nodes(made(scope)).items()}
    assert found == {
        "word_vectors": 1 if "word_vectors" in shared else 3,
        "char_cnn": 1 if "char_cnn" in shared else 3,
        "bilstm": 1 if shared_encoder else 3,
    }


@pytest.mark.parametrize("scope, runs", [("MTM-C", (2, 1, 2)), ("MTM-W", (1, 2, 2)), ("MTM-CW", (1, 1, 1))])
def test_how_often_they_run_for_two_corpora(scope: str, runs: tuple):
    model, calls = made(scope), []
    for name, modules in nodes(model).items():
        for module in modules:
            module.register_forward_hook(lambda *_, name=name: calls.append(name))
    found = features_of(model, [DOC], NAMES[:2])
    assert tuple(calls.count(name) for name in ("word_vectors", "char_cnn", "bilstm")) == runs
    assert (found["disease"] is found["gene"]) == (scope == "MTM-CW")


@pytest.mark.parametrize("scope", SCOPES)
def test_features_through_the_parts_by_hand(scope: str):
    model, batch = made(scope), batch_of([DOC])
    found, built = features_of(model, [DOC], NAMES), nodes(model)
    for i, corpus in enumerate(NAMES):
        words, chars, bilstm = (built[name][i % len(built[name])] for name in ("word_vectors", "char_cnn", "bilstm"))
        expected = bilstm.eval()(torch.cat([words(batch), chars(batch)], -1), batch)
        assert torch.equal(found[corpus], expected)


def test_all_shared_is_fully_shared():
    """The same weights give the same features."""
    model, other = made("MTM-CW"), grow(FullyShared(encoder())(embedding()), NAMES)
    for name, (module,) in nodes(model).items():
        nodes(other)[name][0].load_state_dict(module.state_dict())
    ours, theirs = (features_of(one, [DOC], NAMES) for one in (model, other))
    assert all(torch.equal(ours[corpus], theirs[corpus]) for corpus in NAMES)


def test_what_is_private_gets_no_gradient_of_others():
    model = made("MTM-C")
    run(model, (batch_of([DOC]), ("gene",)), True)["gene"].sum().backward()
    touched = {name: [all(p.grad is not None for p in m.parameters()) for m in ms] for name, ms in nodes(model).items()}
    expected = {"word_vectors": [False, True, False], "char_cnn": [True], "bilstm": [False, True, False]}
    assert touched == expected


@pytest.mark.parametrize("scope", SCOPES)
def test_a_new_corpus_leaves_the_old_ones_as_they_were(scope: str):
    model = made(scope, NAMES[:2])
    expected = features_of(model, [DOC], NAMES[:2])
    grow(model, NAMES)
    found = features_of(model, [DOC], NAMES)
    assert all(torch.equal(found[corpus], expected[corpus]) for corpus in NAMES[:2])
    assert torch.equal(found["pos"], found["gene"]) == (scope == "MTM-CW")


@pytest.mark.parametrize("scope", ["MTM-C", "none"])
def test_a_corpus_without_documents_starts_from_the_embedding_of_the_first(scope: str):
    model = made(scope, NAMES[:1])
    grow(model, NAMES[:2], Lexicon(DOC.vocab))
    first, second = nodes(model)["word_vectors"]
    assert first is not second and torch.equal(first.weight, second.weight)
    one, other = nodes(model)["bilstm"]
    assert not torch.equal(one.project.weight, other.project.weight)
    run(model, (batch_of([DOC]), ("gene",)), True)["gene"].sum().backward()
    assert all(p.grad is None for p in first.parameters())


@pytest.mark.parametrize("scope", SCOPES)
def test_from_bytes(scope: str):
    model, other = made(scope), blank(scope)
    other.initialize(Y={name: SPECS[name] for name in NAMES})
    data = model.to_bytes()
    assert other.from_bytes(data).to_bytes() == data
    ours, theirs = (features_of(one, [DOC], NAMES) for one in (model, other))
    assert all(torch.equal(ours[corpus], theirs[corpus]) for corpus in NAMES)


def test_an_embedding_of_one_part():
    model = grow(PartlyShared(encoder(), ["char_cnn"])(CharCNN(width=4, filters=5, min_count=1)), NAMES)
    assert {name: len(modules) for name, modules in nodes(model).items()} == {"char_cnn": 1, "bilstm": 3}
    assert len(parameters(model.layers[:1])) == 3 and not shim_of(model.layers[1]).built


def test_an_unknown_name():
    with pytest.raises(MTLError, match="MTL202.*'words'.*they are: word_vectors, char_cnn"):
        PartlyShared(encoder(), ["words"])(embedding())
