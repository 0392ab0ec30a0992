"""Marks around the sentences of each corpus, for encoders of both kinds."""

from itertools import product

import pytest
import torch
from spacy.lang.en import English

from spacy_mtl_bioner.layers.structure import reset
from spacy_mtl_bioner.layers.torch_layer import run, shim_of
from spacy_mtl_bioner.models.decoder.crf import CRF
from spacy_mtl_bioner.models.embed.tagged_transformer import TaggedTransformer
from spacy_mtl_bioner.models.multi_task_ner import MultiTaskNER, Wanted
from spacy_mtl_bioner.models.shared_heads import SharedHeads
from spacy_mtl_bioner.models.sharing.fully_shared import FullyShared
from spacy_mtl_bioner.models.sharing.tag_pair import Pair, TagPair, marks_of
from spacy_mtl_bioner.types import CorpusSpec

from .encoders import tiny_bert
from .parts import SENTENCES, SPECS, batch_of, doc_of, embedding, encoder, features_of, gold_of, lexicon_of, network

DOC = doc_of(English().vocab, *SENTENCES)
NAMES = ("disease", "gene", "pos")
TWINS = {"one": CorpusSpec("spans", ("Gene", "Disease")), "two": CorpusSpec("spans", ("Gene", "Disease"))}


@pytest.fixture(scope="module")
def bert(tmp_path_factory):
    return tiny_bert(tmp_path_factory.mktemp("encoders") / "bert")


@pytest.fixture(params=["words", "transformer"])
def embed(request, bert):
    return embedding() if request.param == "words" else TaggedTransformer(str(bert), window=24, overlap=6)


def part(embed, corpora=NAMES, **options):
    torch.manual_seed(0)
    specs = {**SPECS, **TWINS}
    model = TagPair(encoder(), **options)(embed)
    model.initialize(X=lexicon_of(DOC), Y={name: specs[name] for name in corpora})
    if not shim_of(model.layers[2]).built:  # the marks of a transformer start alike
        torch.nn.init.normal_(shim_of(embed).module.marks)
    return model


def test_the_names_of_marks():
    spec = CorpusSpec("spans", ("Gene", "Protein"))
    assert marks_of("g", spec, True, False, True) == Pair(("<g>",), ("</g>",))
    assert marks_of("g", spec, True, False, False) == Pair(("<g>",), ())
    assert marks_of("g", spec, False, True, True) == Pair(("<Gene>", "<Protein>"), ("</Protein>", "</Gene>"))
    assert marks_of("g", spec, True, True, True).before == ("<g>", "<Gene>", "<Protein>")
    assert marks_of("g", spec, False, False, True) == Pair((), ())
    assert marks_of("pos", CorpusSpec("tags", ("NN",)), True, True, True) == Pair(("<pos>",), ("</pos>",))


@pytest.mark.parametrize("corpus, label, end", list(product([True, False], repeat=3)))
def test_all_at_once_is_one_by_one(embed, corpus, label, end):
    model = part(embed, corpus=corpus, label=label, end=end)
    together = features_of(model, [DOC], NAMES)
    mask = batch_of([DOC]).mask
    for name in NAMES:
        alone = features_of(model, [DOC], [name])[name]
        assert alone.shape == (len(SENTENCES), 11, 6)
        torch.testing.assert_close(together[name][mask], alone[mask], rtol=1e-4, atol=1e-5)
    differ = not torch.allclose(together["disease"][mask], together["gene"][mask], atol=1e-4)
    assert differ == (corpus or label)


def test_without_marks_corpora_are_mixed_in_one_pass(embed):
    """DM: the features of a fully shared model with the same weights, one tensor for all."""
    model = part(embed, corpus=False, label=False)
    features = features_of(model, [DOC], NAMES)
    assert features["disease"] is features["gene"] is features["pos"]
    plain = FullyShared(model.layers[1])(model.layers[0])
    mask = batch_of([DOC]).mask
    torch.testing.assert_close(features_of(plain, [DOC], NAMES)["gene"][mask], features["gene"][mask])


def test_corpora_with_the_same_marks_share_a_pass(embed):
    model = part(embed, ("one", "disease", "two"), corpus=False, label=True)
    features = features_of(model, [DOC], ("one", "disease", "two"))
    assert features["one"] is features["two"] is not features["disease"]


def test_marks_are_vectors_at_the_ends_of_the_sentence():
    """By hand: the encoder reads a mark, the words, a mark; what it says of the marks is left out."""
    model = part(embedding())
    embed, bilstm, table = model.layers
    module, batch = shim_of(table).module, batch_of([DOC])
    assert module.names == ["<disease>", "</disease>", "<gene>", "</gene>", "<pos>", "</pos>"]
    found = run(model, (batch, NAMES), False)
    embedded = run(embed, batch, False)
    for i, length in enumerate(batch.lengths):
        for at, name in enumerate(NAMES):
            ends = module.weight[2 * at : 2 * at + 2]
            x = torch.cat([ends[:1], embedded[i, :length], ends[1:]])[None]
            lone = batch_of([doc_of(DOC.vocab, " ".join(["x"] * (int(length) + 2)))])
            expected = run(bilstm, (x, lone), False)[0, 1:-1]
            torch.testing.assert_close(found[name][i, :length], expected, rtol=1e-4, atol=1e-5)


def test_a_sentence_alone_and_in_a_batch(embed):
    model = part(embed)
    together = features_of(model, [DOC], NAMES)
    for i, sentence in enumerate(SENTENCES):
        alone = features_of(model, [doc_of(DOC.vocab, sentence)], NAMES)
        for name in NAMES:
            length = len(sentence.split())
            torch.testing.assert_close(together[name][i, :length], alone[name][0], rtol=1e-4, atol=1e-5)


def test_who_joins_gets_marks_and_disturbs_nobody(embed):
    model = part(embed, NAMES[:1])
    before, mask = features_of(model, [DOC], NAMES[:1])["disease"], batch_of([DOC]).mask
    model.initialize(X=lexicon_of(DOC), Y={name: SPECS[name] for name in ("gene", "disease")})
    after = features_of(model, [DOC], ("disease", "gene"))
    torch.testing.assert_close(after["disease"][mask], before[mask])
    assert not torch.allclose(after["gene"][mask], after["disease"][mask], atol=1e-4)
    again = TagPair(encoder())(embedding() if shim_of(model.layers[2]).built else TaggedTransformer("nowhere"))
    reset(again)
    again.initialize(X=None, Y={name: SPECS[name] for name in ("disease", "gene")})
    again.from_bytes(model.to_bytes())
    for name, features in features_of(again, [DOC], ("disease", "gene")).items():
        torch.testing.assert_close(features[mask], after[name][mask])


def test_only_the_marks_of_the_corpus_at_hand_learn(embed):
    model = network(TagPair(encoder()), [DOC], NAMES[:2], embed=embed, heads=SharedHeads())
    losses, backprop = model.begin_update(gold_of([DOC], ["gene"]))
    backprop(1.0)
    sharing = model.layers[0]
    table = sharing.layers[2] if shim_of(sharing.layers[2]).built else sharing.layers[0]
    marks = getattr(shim_of(table).module, "marks", None)
    gradient = (shim_of(table).module.weight if marks is None else marks).grad
    assert gradient.coalesce().indices()[0].tolist() == [2, 3]  # sparse: the others' momentum and decay rest too
    assert (gradient.to_dense().abs().sum(1) > 0).tolist() == [False, False, True, True]
    assert set(losses.of) == {"gene"}


def test_prediction_of_several_corpora_is_that_of_each(embed):
    model = network(TagPair(encoder()), [DOC], NAMES, embed=embed, heads=SharedHeads(), batch_tokens=20)
    noise = torch.Generator().manual_seed(0)
    for layer in model.layers[2].layers:
        weight = shim_of(layer).module.emit.weight
        with torch.no_grad():
            weight.copy_(torch.randn(weight.shape, generator=noise) * 3)
    together = model.predict(Wanted([DOC], NAMES))
    assert len(together["gene"].starts) > 1
    for name in NAMES:
        alone = model.predict(Wanted([DOC], (name,)))[name]
        for field in ("starts", "ends", "labels", "tags"):
            one, other = getattr(together[name], field), getattr(alone, field)
            assert (one is None and other is None) or one.tolist() == other.tolist()


def test_the_whole_model_comes_back(embed):
    make = lambda part: MultiTaskNER(TagPair(encoder()), CRF(), embed=part, heads=SharedHeads())  # noqa: E731
    torch.manual_seed(0)
    model = make(embed).initialize(X=lexicon_of(DOC), Y=SPECS)
    again = make(embedding() if shim_of(model.layers[0].layers[2]).built else TaggedTransformer("nowhere"))
    again.initialize(X=None, Y=SPECS).from_bytes(model.to_bytes())
    assert again.to_bytes() == model.to_bytes()
    one, other = (m.predict(Wanted([DOC], tuple(SPECS))) for m in (model, again))
    assert one["gene"].starts.tolist() == other["gene"].starts.tolist()
    assert one["pos"].tags.tolist() == other["pos"].tags.tolist()
