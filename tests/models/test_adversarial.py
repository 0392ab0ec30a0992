"""The adversarial and the difference loss inside a model: values, whom they move, what they do in training."""

from typing import List

import numpy as np
import pytest
import torch
from spacy.lang.en import English
from spacy.util import fix_random_seed
from thinc.api import Model

from spacy_mtl_bioner.errors import MTLError
from spacy_mtl_bioner.layers.structure import layers_of, train_by, training_settings
from spacy_mtl_bioner.layers.torch_layer import run, shim_of
from spacy_mtl_bioner.models.sharing.adversarial import Adversarial
from spacy_mtl_bioner.models.sharing.shared_private import SharedPrivate
from spacy_mtl_bioner.training.optimizers import Adam, RMSprop

from .parts import SENTENCES, SPECS, batch_of, doc_of, embedding, encoder, features_of, gold_of
from .parts import lexicon_of, network, parameters

VOCAB = English().vocab
DOC = doc_of(VOCAB, *SENTENCES)
NAMES = ("disease", "gene", "pos")


def grow(model: Model, corpora) -> Model:
    return model.initialize(X=lexicon_of(DOC), Y={name: SPECS[name] for name in corpora})


def adversarial(corpora, **settings) -> Model:
    torch.manual_seed(len(corpora))
    return grow(Adversarial(encoder(), **settings)(embedding()), corpora)


def halves(model: Model) -> dict:
    """Private and shared features of each corpus, f64[B,T,6]."""
    found = features_of(model, [DOC], model.layers[0].attrs["corpora"])
    return {corpus: np.split(value.detach().double().numpy(), 2, axis=-1) for corpus, value in found.items()}


@pytest.mark.parametrize("last_token", [True, False])
@pytest.mark.parametrize("squared", [True, False])
@pytest.mark.parametrize("every_private", [True, False])
def test_losses_written_out(last_token: bool, squared: bool, every_private: bool):
    switches = {"last_token": last_token, "squared": squared, "every_private": every_private}
    model = adversarial(NAMES, adversarial_weight=0.3, difference_weight=0.2, **switches)
    batch = batch_of([DOC])
    features = run(model, (batch, ("gene",)), True)
    assert list(features) == ["gene"] and set(batch.losses) == {"adversarial", "difference"}
    linear = shim_of(model.layers[1]).module.linear
    weight, bias = (p.detach().double().numpy() for p in (linear.weight, linear.bias))
    found = halves(model)
    guess, difference = [], []
    for row, length in enumerate(batch.lengths.tolist()):
        shared = found["gene"][1][row, :length]
        logits = weight @ (shared[-1] if last_token else shared.mean(0)) + bias
        guess.append(np.log(np.exp(logits).sum()) - logits[NAMES.index("gene")])
        for corpus in NAMES if every_private else ["gene"]:
            norm = np.linalg.norm(shared.T @ found[corpus][0][row, :length])
            difference.append(norm**2 if squared else norm)
    assert batch.losses["adversarial"].item() == pytest.approx(0.3 * np.mean(guess), rel=1e-5)
    assert batch.losses["difference"].item() == pytest.approx(0.2 * sum(difference) / len(batch.lengths), rel=1e-5)


def test_prediction_is_that_of_its_shared_and_private_encoders():
    model, batch = adversarial(NAMES), batch_of([DOC])
    calls: List[object] = []
    shim_of(model.layers[1]).module.register_forward_hook(lambda *_: calls.append(_))
    found = run(model, (batch, NAMES[:2]), False)
    expected = run(model.layers[0], (batch, NAMES[:2]), False)
    assert all(torch.equal(found[corpus], expected[corpus]) for corpus in NAMES[:2]) and set(found) == set(NAMES[:2])
    assert not calls and not batch.losses


@pytest.mark.parametrize("every_private", [True, False])
def test_whom_the_losses_move(every_private: bool):
    """The difference loss alone reaches the private encoders of other corpora, where it sums over all."""
    model, batch = adversarial(NAMES, every_private=every_private), batch_of([DOC])
    run(model, (batch, ("gene",)), True)
    sum(batch.losses.values()).backward()
    for corpus in NAMES:
        moved = all(p.grad is not None for p in parameters(layers_of(model.layers[0], corpus)))
        assert moved == (every_private or corpus == "gene")
    assert all(p.grad is not None for p in parameters(model.layers[1:]))


def test_the_encoder_gets_the_reversed_gradient():
    """``reversal`` scales what goes back into the shared encoder, not what the classifier learns."""
    grads = {}
    for reversal in (1.0, 0.5, 0.0):
        model, batch = adversarial(NAMES, reversal=reversal, difference_weight=0.0), batch_of([DOC])
        run(model, (batch, ("gene",)), True)
        batch.losses["adversarial"].backward()
        shared, classifier = parameters(model.layers[0].layers[1:2]), parameters(model.layers[1:])
        grads[reversal] = [p.grad for p in shared], [p.grad for p in classifier]
    for whole, half, none in zip(*(grads[reversal][0] for reversal in (1.0, 0.5, 0.0))):
        torch.testing.assert_close(0.5 * whole, half)
        assert not none.any()
    assert sum(bool(whole.any()) for whole in grads[1.0][0]) > len(grads[1.0][0]) // 2
    for others in (0.5, 0.0):
        torch.testing.assert_close(grads[1.0][1], grads[others][1])


def test_without_weights_it_is_shared_private():
    """The same numbers, step by step."""
    docs = [doc_of(VOCAB, sentence) for sentence in SENTENCES]
    gold = gold_of(docs, ["disease", "gene", "gene", "disease"])
    losses = {}
    for name, part in (
        ("SharedPrivate", SharedPrivate(encoder(dropout=0.3))),
        ("Adversarial", Adversarial(encoder(dropout=0.3), adversarial_weight=0.0, difference_weight=0.0)),
    ):
        fix_random_seed(0)
        model, optimizer, steps = network(part, docs, NAMES[:2]), Adam(0.01), []
        for _ in range(5):
            found, backprop = model.begin_update(gold)
            backprop()
            model.finish_update(optimizer)
            assert not found.auxiliary
            steps.append(found.of)
        losses[name] = steps
    assert losses["SharedPrivate"] == losses["Adversarial"] and losses["Adversarial"][0] != losses["Adversarial"][1]


def test_a_single_corpus_has_nothing_to_guess():
    model, batch = adversarial(NAMES[:1]), batch_of([DOC])
    run(model, (batch, NAMES[:1]), True)
    assert set(batch.losses) == {"difference"}


def test_the_classifier_grows_as_corpora_join():
    model = adversarial(NAMES[:2])
    old, expected = shim_of(model.layers[1]).module.linear, features_of(model, [DOC], NAMES[:2])
    grow(model, NAMES)
    new = shim_of(model.layers[1]).module.linear
    assert torch.equal(new.weight[:2], old.weight) and new.weight.shape == (3, 6)
    found, batch = features_of(model, [DOC], NAMES), batch_of([DOC])
    assert all(torch.equal(found[corpus], expected[corpus]) for corpus in NAMES[:2])
    run(model, (batch, ("pos",)), True)
    assert batch.losses["adversarial"].item() > 0


def test_from_bytes():
    model, other = adversarial(NAMES, squared=False), Adversarial(encoder(), squared=False)(embedding())
    data = model.to_bytes()
    other.initialize(Y={name: SPECS[name] for name in NAMES})
    assert other.from_bytes(data).to_bytes() == data
    batches = []
    for one in (model, other):
        batches.append(batch_of([DOC]))
        run(one, (batches[-1], ("gene",)), True)
    assert {name: loss.item() for name, loss in batches[0].losses.items()} == {
        name: loss.item() for name, loss in batches[1].losses.items()
    }


@pytest.mark.parametrize("setting", ["adversarial_weight", "difference_weight", "reversal"])
def test_weights_are_not_negative(setting: str):
    with pytest.raises(MTLError, match=rf"MTL200.*{setting} is -0.1"):
        Adversarial(encoder(), **{setting: -0.1})


WORDS = {
    "disease": ("asthma", "breast", "cancer", "of", "mice", "improved"),
    "gene": ("BRCA1", "binds", "p53", "and", "MDM2", "protein"),
}


def separable(corpus: str, count: int) -> list:
    """Sentences of words that the other corpus does not have."""
    random = np.random.default_rng(len(corpus))
    return [doc_of(VOCAB, " ".join(random.choice(WORDS[corpus], random.integers(2, 6)))) for _ in range(count)]


@pytest.mark.parametrize("reversal, lowest, highest", [(0.0, 0.75, 1.0), (1.0, 0.35, 0.65)])
def test_corpora_are_told_apart_unless_the_gradient_is_reversed(reversal: float, lowest: float, highest: float):
    """The classifier's accuracy in the last third of some short trainings, on corpora that share no word."""
    docs = {corpus: separable(corpus, 16) for corpus in WORDS}
    gold = gold_of(sum(docs.values(), []), [corpus for corpus in docs for _ in range(16)])
    right = []
    for seed in range(4):
        fix_random_seed(seed)
        small = encoder(width=16, output=24)
        part = Adversarial(small, adversarial_weight=1.0, difference_weight=0.0, reversal=reversal)
        model, optimizer = network(part, gold.docs, tuple(WORDS), seed), RMSprop(0.01)
        for step in range(120):
            _, backprop = model.begin_update(gold)
            backprop(1 / 32)
            model.finish_update(optimizer)
            if step >= 80 and step % 4 == 0:
                right.append(accuracy(model.layers[0], docs))
    assert lowest <= np.mean(right) <= highest


def accuracy(sharing: Model, docs: dict) -> float:
    """How many sentences the classifier gives to their corpus."""
    right = []
    for target, corpus in enumerate(docs):
        batch = batch_of(docs[corpus])
        shared = run(sharing, (batch, (corpus,)), False)[corpus].chunk(2, -1)[1]
        last = shared[torch.arange(len(shared)), batch.length_tensor - 1]
        right.append((run(sharing.layers[1], last, False).argmax(-1) == target).float().mean().item())
    return float(np.mean(right))


def test_the_next_training_has_weights_of_its_own():
    """Whatever those were with which the model was trained: none before, or none now."""
    for before, now in ((0.3, 0.0), (0.0, 0.3)):
        model = adversarial(NAMES, adversarial_weight=before, difference_weight=before)
        data, other = model.to_bytes(), adversarial(NAMES, adversarial_weight=now, difference_weight=now)
        settings = training_settings(other)
        other.from_bytes(data)
        train_by(other, settings)
        batch = batch_of([DOC])
        run(other, (batch, ("gene",)), True)
        assert set(batch.losses) == ({"adversarial", "difference"} if now else set())
