"""The root of the model: one graph a batch, whatever corpora it mixes."""

import numpy as np
import pytest
import torch
from spacy.lang.en import English
from spacy.tokens import Doc
from spacy.util import registry
from thinc.api import Adam as StockAdam
from thinc.api import Config, Model

from spacy_mtl_bioner.errors import MTLError
from spacy_mtl_bioner.layers.gated_interaction import GatedInteraction
from spacy_mtl_bioner.layers.torch_layer import shim_of
from spacy_mtl_bioner.models.embed.concat import ConcatEmbed
from spacy_mtl_bioner.models.embed.upstream import Upstream
from spacy_mtl_bioner.models.heads import Heads, head_of
from spacy_mtl_bioner.models.multi_task_ner import Gold, MultiTaskNER, Wanted
from spacy_mtl_bioner.models.shared_heads import SharedHeads
from spacy_mtl_bioner.models.sharing.adversarial import Adversarial
from spacy_mtl_bioner.models.sharing.cross_sharing import CrossSharing
from spacy_mtl_bioner.models.sharing.fully_shared import FullyShared
from spacy_mtl_bioner.models.sharing.partly_shared import PartlyShared
from spacy_mtl_bioner.models.sharing.shared_private import SharedPrivate
from spacy_mtl_bioner.models.sharing.single_task import SingleTask

from .parts import SENTENCES, doc_of, encoder, gold_of, lexicon_of, network

VOCAB = English().vocab
DOCS = [
    doc_of(VOCAB, *SENTENCES),
    doc_of(VOCAB, *SENTENCES[1:], marked=False),
    doc_of(VOCAB, SENTENCES[2]),
    doc_of(VOCAB, *SENTENCES[::-1]),
]
SHARINGS = {
    "single": lambda: SingleTask(encoder()),
    "full": lambda: FullyShared(encoder()),
    "private": lambda: SharedPrivate(encoder()),
    "adversarial": lambda: Adversarial(encoder(), every_private=False),
    "part": lambda: PartlyShared(encoder(), ["char_cnn"]),
    "cross": lambda: CrossSharing(encoder(), GatedInteraction()),
}


class Vectors:
    """A tok2vec whose output is its only parameter: it counts calls and keeps what comes back."""

    def __init__(self, docs) -> None:
        random = np.random.RandomState(0)
        self.values = [random.normal(size=(len(doc), 4)).astype("float32") for doc in docs]
        self.gradients = []
        self.model = Model("vectors", self.forward, dims={"nO": 4})

    def forward(self, model, docs, is_train):
        return self.values, lambda gradient: self.gradients.append(gradient) or "returned"


@pytest.mark.parametrize("sharing", sorted(SHARINGS))
def test_a_mixed_batch_is_the_sum_of_its_corpora(sharing: str):
    model = network(SHARINGS[sharing](), DOCS)
    corpora = ["gene", "pos", "disease", "gene"]
    losses, backprop = model.begin_update(gold_of(DOCS, corpora))
    backprop()
    gradients = {key: param.grad.to_dense().clone() for key, param in parameters(model) if param.grad is not None}
    for _, param in parameters(model):
        param.grad = None
    expected, sentences = {}, 0
    for doc, corpus in zip(DOCS, corpora):
        single, backprop = model.begin_update(gold_of([doc], [corpus]))
        backprop()
        assert list(single.of) == [corpus]
        expected[corpus] = expected.get(corpus, 0.0) + single.of[corpus]
        sentences += single.sentences
    assert losses.of == pytest.approx(expected, rel=1e-5) and losses.sentences == sentences
    found = {key: param.grad.to_dense() for key, param in parameters(model) if param.grad is not None}
    assert found.keys() == gradients.keys()
    for key, gradient in gradients.items():
        torch.testing.assert_close(gradient, found[key], rtol=1e-4, atol=1e-5)


def test_a_corpus_counts_as_much_as_its_weight():
    gold, losses, norms = gold_of(DOCS[:2], ["gene", "pos"]), [], []
    for weights in ({}, {"pos": 0.5}, {"pos": 0.0}):
        model = network(FullyShared(encoder()), DOCS, loss_weights=weights)
        found, backprop = model.begin_update(gold)
        backprop()
        losses.append(found.of)
        heads = [shim_of(head_of(model.layers[2], name)).module for name in ("gene", "pos")]
        norms.append([head.emit.weight.grad.norm() for head in heads])
    assert [of["gene"] for of in losses] == [losses[0]["gene"]] * 3
    assert [of["pos"] for of in losses] == pytest.approx([losses[0]["pos"], losses[0]["pos"] / 2, 0.0])
    for (gene, pos), weight in zip(norms, (1.0, 0.5, 0.0)):
        torch.testing.assert_close(gene, norms[0][0])
        torch.testing.assert_close(pos, weight * norms[0][1])
    for wrong in ({"genes": 1.0}, {"gene": -1.0}):
        with pytest.raises(MTLError, match="MTL203.*'gene.*disease, gene, pos"):
            network(FullyShared(encoder()), DOCS, loss_weights=wrong)


def parameters(model):
    return [pair for node in model.walk() for shim in node.shims for pair in shim.named_parameters()]


def test_the_gradient_reaches_the_upstream_component_once():
    """Against the slope in a random direction, divided by the number of sentences."""
    upstream = Vectors(DOCS)
    model = network(SHARINGS["cross"](), DOCS, embed=None, tok2vec=upstream.model)
    gold = gold_of(DOCS, ["gene", "pos", "disease", "gene"])
    losses, backprop = model.begin_update(gold)
    assert backprop() == "returned" and len(upstream.gradients) == 1
    gradients = upstream.gradients[0]
    assert [g.shape for g in gradients] == [v.shape for v in upstream.values]
    start, random = upstream.values, np.random.RandomState(1)
    direction = [random.choice([-1.0, 1.0], size=value.shape).astype("float32") for value in start]
    slopes = []
    for sign in (1.0, -1.0):
        upstream.values = [value + sign * 0.01 * step for value, step in zip(start, direction)]
        slopes.append(sum(model.begin_update(gold)[0].of.values()))
    expected = (slopes[0] - slopes[1]) / 0.02 / losses.sentences
    assert sum(float((g * step).sum()) for g, step in zip(gradients, direction)) == pytest.approx(expected, rel=2e-3)


def test_documents_without_gold_are_heard_of_upstream_but_teach_nothing():
    upstream = Vectors(DOCS)
    model = network(SHARINGS["full"](), DOCS, embed=None, tok2vec=upstream.model)
    gold = gold_of(DOCS, ["gene", "pos", "disease", "gene"])
    corpora = ["gene", "", "disease", ""]
    losses, backprop = model.begin_update(Gold(DOCS, corpora, [s if c else [] for s, c in zip(gold.spans, corpora)]))
    backprop()
    assert set(losses.of) == {"gene", "disease"} and losses.sentences == 4 + 1
    assert [bool(g.any()) for g in upstream.gradients[0]] == [True, False, True, False]


def test_nothing_but_white_space():
    model = network(SHARINGS["full"](), DOCS)
    blank = [Doc(VOCAB, words=["\n", " "]), Doc(VOCAB)]
    losses, backprop = model.begin_update(Gold(blank, ["gene", "gene"], [[], []]))
    backprop()
    assert losses.of == {} and losses.sentences == 2 - 2
    found = model.predict(Wanted(blank, ("gene", "pos")))
    assert not len(found["gene"].starts) and found["gene"].tags is None


def test_sentences_are_joined_where_a_gold_entity_crosses_their_border():
    """The loss is that of the document with that border taken away, and finite."""
    model = network(SHARINGS["full"](), DOCS)
    spans = [(4, 8, "Gene")]
    crossed = model.begin_update(Gold([DOCS[0]], ["gene"], [spans]))[0]
    words = [token.text for token in DOCS[0]]
    starts = [token.is_sent_start and not 4 < token.i < 8 for token in DOCS[0]]
    joined = model.begin_update(Gold([Doc(VOCAB, words=words, sent_starts=starts)], ["gene"], [spans]))[0]
    assert np.isfinite(crossed.of["gene"]) and crossed.of == joined.of
    assert crossed.sentences == joined.sentences == 4 - 2
    blank = [Doc(VOCAB, words=[word] * len(word)) for word in ("", "\n")]
    among = model.begin_update(Gold([DOCS[0], *blank * 2], ["gene"] * 5, [spans, [], [], [], []]))[0]
    assert among.of == joined.of


@pytest.mark.parametrize("span", [(1, 3), (1, 4), (2, 4), (2, 3), (1, 2)])
def test_white_space_in_and_around_gold_entities(span):
    """``p53 binds MDM2`` with white space after the first word: the same as without, whatever edge the span has."""
    model = network(SHARINGS["full"](), DOCS)
    spaced = Doc(VOCAB, words=["the", "p53", " ", "binds", "MDM2"])
    plain = Doc(VOCAB, words=["the", "p53", "binds", "MDM2"])
    moved = {(1, 3): (1, 2), (1, 4): (1, 3), (2, 4): (2, 3), (2, 3): None, (1, 2): (1, 2)}[span]
    found = model.begin_update(Gold([spaced], ["gene"], [[(*span, "Gene")]]))[0]
    expected = model.begin_update(Gold([plain], ["gene"], [[(*moved, "Gene")] if moved else []]))[0]
    assert found.of == expected.of and np.isfinite(found.of["gene"])


def flat(found):
    return list(zip(found.starts.tolist(), found.ends.tolist(), found.labels.tolist()))


@pytest.mark.parametrize("sharing", sorted(SHARINGS))
def test_alone_in_a_batch_in_any_order_and_any_batch_size(sharing: str):
    model = network(SHARINGS[sharing](), DOCS, batch_tokens=10_000)
    for corpus in ("disease", "gene"):
        torch.nn.init.normal_(shim_of(head_of(model.layers[2], corpus)).module.emit.weight, std=3.0)
    wanted = ("gene", "pos", "disease")
    whole = model.predict(Wanted(DOCS, wanted))
    assert len(whole["gene"].starts) > 5
    model.attrs["runtime"].batch_tokens = 1
    singly = model.predict(Wanted(DOCS, wanted))
    for order in ([0, 1, 2, 3], [3, 1, 0, 2]):
        parts = {i: model.predict(Wanted([DOCS[i]], wanted)) for i in order}
        offset = 0
        for i, doc in enumerate(DOCS):
            for corpus in ("gene", "disease"):
                inside = (whole[corpus].starts >= offset) & (whole[corpus].starts < offset + len(doc))
                expected = [(a + offset, b + offset, label) for a, b, label in flat(parts[i][corpus])]
                assert [span for span, own in zip(flat(whole[corpus]), inside) if own] == expected
                np.testing.assert_allclose(whole[corpus].scores[inside], parts[i][corpus].scores, atol=1e-5)
            assert parts[i]["pos"].tags.tolist() == whole["pos"].tags[offset : offset + len(doc)].tolist()
            offset += len(doc)
    for corpus in ("gene", "disease"):
        assert flat(singly[corpus]) == flat(whole[corpus])


@pytest.mark.parametrize("heads", [Heads, SharedHeads()])
def test_documents_alone_are_tagged_by_all_corpora(heads):
    model = network(SHARINGS["full"](), DOCS, heads=heads)
    found, expected = model.predict(DOCS), model.predict(Wanted(DOCS, ("disease", "gene", "pos")))
    assert list(found) == list(expected) == ["disease", "gene", "pos"]
    assert flat(found["gene"]) == flat(expected["gene"]) and len(found["gene"].starts)
    assert found["pos"].tags.tolist() == expected["pos"].tags.tolist()


def test_without_scores():
    found = network(SHARINGS["full"](), DOCS).predict(Wanted(DOCS, ("gene",), False))
    assert found["gene"].scores is None


def test_white_space_gets_no_tag_and_no_entity_starts_there():
    model = network(SHARINGS["full"](), DOCS)
    torch.nn.init.normal_(shim_of(head_of(model.layers[2], "gene")).module.emit.weight, std=3.0)
    spaced = Doc(VOCAB, words=["\n", "the", " ", "p53", "binds", "  ", "\n", "MDM2", " "])
    plain = Doc(VOCAB, words=["the", "p53", "binds", "MDM2"])
    place = [1, 3, 4, 7]
    wanted = ("gene", "pos")
    found, expected = model.predict(Wanted([spaced], wanted)), model.predict(Wanted([plain], wanted))
    tags = np.full(9, -1)
    tags[place] = expected["pos"].tags
    assert found["pos"].tags.tolist() == tags.tolist()
    assert flat(found["gene"]) == [(place[a], place[b - 1] + 1, label) for a, b, label in flat(expected["gene"])]


HASH_EMBED = """
[model]
@architectures = "spacy.HashEmbedCNN.v2"
width = 8
depth = 1
embed_size = 64
window_size = 1
maxout_pieces = 2
subword_features = true
pretrained_vectors = {vectors}
"""


def tok2vec(vectors: str) -> Model:
    return registry.resolve(Config().from_str(HASH_EMBED.format(vectors=vectors)))["model"]


@pytest.mark.parametrize("vectors", ["null", "true"])
def test_a_spacy_tok2vec_inside_learns_and_survives_growth(vectors: str):
    """Sized from sample documents (static vectors need them), stepped by any optimizer, kept when a corpus is added."""
    vocab = English().vocab
    for word in ("cancer", "gene"):
        vocab.set_vector(word, np.ones(3, dtype="float32"))
    docs = [doc_of(vocab, *SENTENCES), doc_of(vocab, SENTENCES[0])]
    inner = tok2vec(vectors)
    model = network(SHARINGS["full"](), docs, corpora=("gene",), embed=None, tok2vec=inner)
    optimizer, gold = StockAdam(0.01), gold_of(docs, ["gene", "gene"])
    start = inner.to_bytes()
    values = []
    for _ in range(15):
        losses, backprop = model.begin_update(gold)
        backprop(1.0)
        model.finish_update(optimizer)
        values.append(losses.of["gene"])
    assert inner.to_bytes() != start and values[-1] < 0.5 * values[0]
    before = model.predict(Wanted(docs, ("gene",)))["gene"]
    specs = {name: shim_of(head_of(model.layers[2], "gene")).module.tagset.spec for name in ("gene", "other")}
    model.initialize(X=lexicon_of(*docs), Y=specs)
    after = model.predict(Wanted(docs, ("gene",)))["gene"]
    assert flat(after) == flat(before) and np.array_equal(after.scores, before.scores)


def test_precision_is_a_setting_of_the_run():
    with pytest.raises(MTLError, match="MTL133.*float16.*bfloat16"):
        MultiTaskNER(SHARINGS["full"](), Model("none", lambda *_: None), Upstream(), precision="float16")
    for embed in (None, Upstream(), ConcatEmbed(Upstream())):
        with pytest.raises(MTLError, match="MTL134"):
            MultiTaskNER(SHARINGS["full"](), Model("none", lambda *_: None), embed)
    low = network(SHARINGS["full"](), DOCS, precision="bfloat16")
    full = network(SHARINGS["full"](), DOCS)
    gold = gold_of(DOCS, ["gene"] * 4)
    low.from_bytes(full.to_bytes())
    assert low.attrs["runtime"].autocast is torch.bfloat16
    found, expected = low.begin_update(gold)[0].of["gene"], full.begin_update(gold)[0].of["gene"]
    assert found != expected and found == pytest.approx(expected, rel=2e-2)


def test_batches_hold_tokens():
    for batch_tokens in (0, -5):
        with pytest.raises(MTLError, match="MTL200.*batch_tokens"):
            MultiTaskNER(SHARINGS["full"](), Model("none", lambda *_: None), ConcatEmbed(), batch_tokens=batch_tokens)
