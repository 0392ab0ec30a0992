"""Cross-sharing against equations 18 to 21 of Wang Xi et al. 2019, written out in float64."""

from typing import Dict, List

import numpy as np
import pytest
import torch
from spacy.lang.en import English
from thinc.api import Model

from spacy_mtl_bioner.layers.gated_interaction import GatedInteraction
from spacy_mtl_bioner.layers.torch_layer import run, shim_of
from spacy_mtl_bioner.models.sharing.cross_sharing import CrossSharing

from .parts import SENTENCES, SPECS, batch_of, doc_of, embedding, encoder, features_of, lexicon_of

DOC = doc_of(English().vocab, *SENTENCES)
NAMES = ("disease", "gene", "pos")


def blank() -> Model:
    return CrossSharing(encoder(), GatedInteraction())(embedding())


def grow(model: Model, corpora) -> Model:
    return model.initialize(X=lexicon_of(DOC), Y={name: SPECS[name] for name in corpora})


def cross_sharing(corpora) -> Model:
    torch.manual_seed(len(corpora))
    model = grow(blank(), corpora)
    for node in model.walk():
        if node.name == "gated_interaction" and shim_of(node).built:
            torch.nn.init.normal_(shim_of(node).module.linear.bias)
    return model


def part(model: Model, kind: str, corpus: int) -> Model:
    """The corpus' private encoder or gate: they stand behind embedding, shared encoder and the builder of gates."""
    return model.layers[3 + 2 * corpus + ["encoder", "gate"].index(kind)]


def written_out(model: Model, count: int) -> List[np.ndarray]:
    """[G_i ; S] of each corpus i, with P_i, S from the encoders and the gates' matrices."""
    batch = batch_of([DOC])
    embedded = run(model.layers[0], batch, False)
    shared = run(model.layers[1], (embedded, batch), False).detach().double().numpy()
    private = [run(part(model, "encoder", i), (embedded, batch), False).detach().double().numpy() for i in range(count)]
    found = []
    for i in range(count):
        linear = shim_of(part(model, "gate", i)).module.linear
        weight, total = linear.weight.detach().double().numpy(), linear.bias.detach().double().numpy()
        others = [j for j in range(count) if j != i]
        for place, j in enumerate(others):
            w_ji = weight[:, place * 6 : place * 6 + 6]
            total = total + np.einsum("btk,hk->bth", private[j], w_ji)
        gated = private[i] * (1.0 / (1.0 + np.exp(-total)))
        found.append(np.concatenate([gated, shared], axis=-1))
    return found


@pytest.mark.parametrize("count", [2, 3])
def test_equations_through_the_whole_part(count: int):
    model = cross_sharing(NAMES[:count])
    assert model.get_dim("nO") == 12
    found = features_of(model, [DOC], NAMES[:count])
    mask = batch_of([DOC]).mask_array
    for corpus, expected in zip(NAMES, written_out(model, count)):
        np.testing.assert_allclose(found[corpus].detach().numpy()[mask], expected[mask], rtol=1e-5, atol=1e-6)


def test_encoders_and_gates_are_of_their_own():
    model = cross_sharing(NAMES)
    modules = [shim_of(node).module for node in model.layers[1:2] + model.layers[3:]]
    assert len({id(module) for module in modules}) == 7
    weights = [m.ahead[0].weight_ih_l0 for m in modules if hasattr(m, "ahead")]
    assert len(weights) == 4 and not any(torch.equal(weights[0], other) for other in weights[1:])
    assert not shim_of(model.layers[2]).built


def test_some_corpora_as_all():
    model = cross_sharing(NAMES)
    whole = features_of(model, [DOC], NAMES)
    for wanted in (("gene",), ("pos", "disease")):
        found = features_of(model, [DOC], wanted)
        assert tuple(found) == wanted
        for corpus in wanted:
            assert torch.equal(found[corpus], whole[corpus])


def test_a_single_corpus_passes_no_gate():
    model = cross_sharing(NAMES[:1])
    batch = batch_of([DOC])
    embedded = run(model.layers[0], batch, False)
    own, shared = (run(layer, (embedded, batch), False) for layer in (part(model, "encoder", 0), model.layers[1]))
    assert torch.equal(features_of(model, [DOC], NAMES[:1])["disease"], torch.cat([own, shared], -1))


@pytest.mark.parametrize("before", [1, 2])
def test_a_new_corpus_leaves_the_old_ones_as_they_were(before: int):
    """To the rounding of a longer sum, exactly where a corpus was alone. What the gate hears anew has a gradient."""
    old = NAMES[:before]
    model = cross_sharing(old)
    expected = {corpus: value.clone() for corpus, value in features_of(model, [DOC], old).items()}
    grow(model, NAMES[: before + 1])
    found = features_of(model, [DOC], old)
    for corpus in old:
        torch.testing.assert_close(found[corpus], expected[corpus], rtol=0.0, atol=0.0 if before == 1 else 3e-7)
        gate = shim_of(part(model, "gate", old.index(corpus))).module
        found[corpus].sum().backward(retain_graph=True)
        assert bool((gate.linear.weight.grad[:, -6:].abs().sum(0) > 0).all())
    features_of(model, [DOC], NAMES[before : before + 1])


def test_weights_of_old_corpora_survive_growth_and_bytes():
    model, other = cross_sharing(NAMES[:1]), blank()
    grow(grow(model, NAMES[:2]), NAMES)
    other.initialize(Y={name: SPECS[name] for name in NAMES})
    data = model.to_bytes()
    assert other.from_bytes(data).to_bytes() == data
    ours, theirs = (features_of(one, [DOC], NAMES) for one in (model, other))
    for corpus in NAMES:
        assert torch.equal(ours[corpus], theirs[corpus])


def test_the_gradient_reaches_partners_and_the_shared_part():
    model = cross_sharing(NAMES[:2])
    batch = batch_of([DOC])
    run(model, (batch, ("disease",)), True)["disease"].sum().backward()
    touched: Dict[str, bool] = {}
    for name, node in (
        ("shared", model.layers[1]),
        ("own", part(model, "encoder", 0)),
        ("own gate", part(model, "gate", 0)),
        ("partner", part(model, "encoder", 1)),
        ("partner's gate", part(model, "gate", 1)),
    ):
        touched[name] = all(p.grad is not None for p in shim_of(node).module.parameters())
    assert touched == {"shared": True, "own": True, "own gate": True, "partner": True, "partner's gate": False}
