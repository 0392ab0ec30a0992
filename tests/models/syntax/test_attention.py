"""The attentions against plain loops in float64, their gradients, and what must not change them."""

import math

import numpy as np
import pytest
import torch
from spacy.lang.en import English
from spacy.tokens import Doc

from spacy_mtl_bioner.errors import MTLError
from spacy_mtl_bioner.layers.structure import initialize_with
from spacy_mtl_bioner.layers.torch_layer import run, shim_of
from spacy_mtl_bioner.models.syntax.base import weights_of
from spacy_mtl_bioner.models.syntax.combined import CombinedFeatureAttention
from spacy_mtl_bioner.models.syntax.constituents import ConstituentFeatures
from spacy_mtl_bioner.models.syntax.dependencies import DependencyFeatures
from spacy_mtl_bioner.models.syntax.key_value import KeyValueMemory
from spacy_mtl_bioner.models.syntax.pos import PosFeatures
from spacy_mtl_bioner.models.syntax.two_way import TwoWayAttention

from ..parts import batch_of, lexicon_of
from .annotated import annotated, example, random_doc

VOCAB = English().vocab
DOC = random_doc(VOCAB, [7, 1, 12, 3], seed=4)
SOURCES = {"pos": PosFeatures, "constituents": ConstituentFeatures, "dependencies": DependencyFeatures}
WIDTHS = {"combined": 10, "two_way": 15, "key_value": 8}
"""What comes out for five numbers a token and three a label."""


def attention(kind: str, source: str = "dependencies", docs=(DOC,), inputs: int = 5):
    torch.manual_seed(1)
    makers = {
        "combined": lambda features: CombinedFeatureAttention(features, label_width=3),
        "two_way": TwoWayAttention,
        "key_value": lambda features: KeyValueMemory(features, label_width=3),
    }
    return initialize_with(makers[kind](SOURCES[source]()), inputs, X=lexicon_of(*docs))


def module_of(model):
    return shim_of(model.layers[1]).module


def hidden_of(batch, padding: float = 0.0, dtype=torch.float64):
    """A vector a token, the same in any batch; padding holds garbage."""
    table = torch.randn(4000, 5, generator=torch.Generator().manual_seed(2), dtype=dtype)
    hidden = table[batch.positions]
    hidden[~batch.mask] = padding
    return hidden


def softmax(scores):
    shares = [math.exp(score - max(scores)) for score in scores]
    return [share / sum(shares) for share in shares]


def total(weights, vectors, width):
    return sum((weight * vector for weight, vector in zip(weights, vectors)), np.zeros(width))


def combined(h, words, kinds, module):
    weight = np.concatenate([module.words.weight.numpy(), module.kinds.weight.numpy()], axis=1)
    items = [weight @ np.concatenate([word, kind]) + module.words.bias.numpy() for word, kind in zip(words, kinds)]
    weights = softmax([float(h @ item) / math.sqrt(len(h)) for item in items])
    return np.concatenate([total(weights, items, 5), h])


def two_way(h, words, kinds, module):
    ways = [total(softmax([float(h @ vector) for vector in way]), way, 5) for way in (words, kinds)]
    return np.concatenate([*ways, h])


def key_value(h, words, kinds, module):
    return np.concatenate([total(softmax([float(h @ word) for word in words]), kinds, 3), h])


EQUATIONS = {"combined": combined, "two_way": two_way, "key_value": key_value}


@pytest.mark.parametrize("kind", WIDTHS)
@pytest.mark.parametrize("source", SOURCES)
def test_as_a_plain_loop(kind: str, source: str):
    model = attention(kind, source)
    module = module_of(model).double().requires_grad_(False)
    torch.nn.init.normal_(module.labels)
    batch = batch_of([DOC])
    hidden = hidden_of(batch)
    found = run(model, (hidden, batch), False)
    assert found.shape == (*batch.shape, WIDTHS[kind]) and model.get_dim("nO") == WIDTHS[kind]
    items = run(model.layers[0], batch, False)
    flat, rows = hidden.flatten(0, 1).numpy(), module.rows_of(items).numpy()
    assert rows.min() > 0
    for owner in np.flatnonzero(batch.mask_array).tolist():
        mine = np.flatnonzero(items.owners.numpy() == owner)
        words, kinds = flat[items.context.numpy()[mine]], module.labels.numpy()[rows[mine]]
        expected = EQUATIONS[kind](flat[owner], words, kinds, module)
        np.testing.assert_allclose(found.flatten(0, 1)[owner].numpy(), expected, rtol=1e-12, atol=1e-12)


def test_weights_of_features_in_bfloat16_are_exact():
    """Scores of tens, which bfloat16 has no decimals of."""
    torch.manual_seed(0)
    queries, keys = (3 * torch.randn(size, 32).bfloat16() for size in (1, 4))
    expected = torch.softmax(keys.double() @ queries.double()[0], dim=0)
    torch.testing.assert_close(weights_of(queries, keys, torch.zeros(4, dtype=torch.int64)), expected.float())


@pytest.mark.parametrize("kind", WIDTHS)
def test_gradients(kind: str):
    doc = random_doc(VOCAB, [4, 1, 3], seed=8)
    model = attention(kind, docs=[doc])
    module, batch = module_of(model).double(), batch_of([doc])
    hidden = hidden_of(batch).requires_grad_(True)
    params = dict(module.named_parameters())
    items = run(model.layers[0], batch, True)

    def output(hidden, *values):
        return torch.func.functional_call(module, dict(zip(params, values)), (hidden, items))

    assert torch.autograd.gradcheck(output, (hidden, *params.values()))


@pytest.mark.parametrize("kind", WIDTHS)
def test_a_sentence_alone_as_in_any_batch_and_late_in_a_document(kind: str):
    long = random_doc(VOCAB, [5] * 300 + [9], seed=6)
    model = attention(kind, "constituents", docs=[DOC, long])
    whole = batch_of([DOC, long])
    everything = run(model, (hidden_of(whole, 7.0, torch.float32), whole), False)
    for row in (0, 1, 3, 200, 304):
        alone = batch_of([DOC, long], [row])
        found = run(model, (hidden_of(alone, -3.0, torch.float32), alone), False)
        torch.testing.assert_close(found[0], everything[row, : alone.shape[1]], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", WIDTHS)
def test_no_items_give_zeros_before_the_token_itself(kind: str):
    doc = annotated(VOCAB, ["alone", "."], ["NN", "."], [0, 1], ["ROOT", "ROOT"], ["O", "O"])
    model, batch = attention(kind, "dependencies", docs=[DOC]), batch_of([doc])
    hidden = hidden_of(batch, dtype=torch.float32)
    found = run(model, (hidden, batch), False)
    assert not found[..., :-5].any() and torch.equal(found[..., -5:], hidden)


def test_large_vectors_stay_finite():
    model, batch = attention("two_way"), batch_of([DOC])
    assert bool(torch.isfinite(run(model, (1e3 * hidden_of(batch, dtype=torch.float32), batch), False)).all())


def test_unknown_labels_bring_nothing():
    """Their row starts at zero, so that a memory of such labels alone answers with zeros."""
    model, batch = attention("key_value", "pos"), batch_of([example(VOCAB)])
    items = run(model.layers[0], batch, False)
    assert not module_of(model).rows_of(items).any() and len(items.labels) == 25
    found = run(model, (hidden_of(batch, dtype=torch.float32), batch), False)
    assert not found[..., :3].any()


@pytest.mark.parametrize("kind", WIDTHS)
def test_to_and_from_bytes(kind: str):
    model, other = attention(kind), attention(kind)
    module_of(other).requires_grad_(False).labels.add_(1.0)
    blank = {"combined": CombinedFeatureAttention, "two_way": TwoWayAttention, "key_value": KeyValueMemory}[kind]
    fresh = blank(DependencyFeatures())
    for loaded in (other, fresh):
        loaded.from_bytes(model.to_bytes())
        assert loaded.to_bytes() == model.to_bytes() and loaded.get_dim("nO") == WIDTHS[kind]
        batch = batch_of([DOC])
        x = hidden_of(batch, dtype=torch.float32), batch
        assert torch.equal(run(loaded, x, False), run(model, x, False))


def test_labels_of_the_training_documents_or_of_the_config():
    assert shim_of(attention("two_way", "constituents").layers[1]).arguments["labels"] == ["NP", "VP"]
    assert shim_of(attention("two_way", "pos").layers[1]).arguments["labels"] == [f"T{i}" for i in range(5)]
    bare = Doc(VOCAB, words=["no", "syntax"])
    for source, what in (("pos", "TAG"), ("constituents", "CHUNK"), ("dependencies", "DEP")):
        with pytest.raises(MTLError, match=f"MTL451.*annotate-syntax.*{what}"):
            attention("two_way", source, docs=[bare])
    given = initialize_with(TwoWayAttention(PosFeatures(labels=["NN", "JJ"])), 5, X=lexicon_of(bare))
    batch = batch_of([example(VOCAB)])
    assert module_of(given).rows_of(run(given.layers[0], batch, False)).unique().tolist() == [0, 1, 2]


def test_initialization_keeps_what_is_there():
    """Corpora that join later (with other labels) change nothing of what was learned."""
    model = attention("combined", "pos")
    before = model.to_bytes()
    initialize_with(model, 5, X=lexicon_of(DOC, example(VOCAB)))
    assert model.to_bytes() == before


def test_before_weights():
    with pytest.raises(MTLError, match="MTL130"):
        batch = batch_of([DOC])
        run(CombinedFeatureAttention(PosFeatures()), (hidden_of(batch), batch), False)


def test_lower_precision_gives_about_the_same():
    model, batch = attention("combined"), batch_of([DOC])
    hidden = hidden_of(batch, dtype=torch.float32)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        low = run(model, (hidden, batch), True)
    torch.testing.assert_close(low.float(), run(model, (hidden, batch), True), rtol=0.05, atol=0.05)
