"""One output layer of which each corpus uses its own tags."""

import copy

import numpy as np
import pytest
import torch
from spacy.lang.en import English
from thinc.api import Model

from spacy_mtl_bioner.errors import MTLError
from spacy_mtl_bioner.layers.torch_layer import run, shim_of
from spacy_mtl_bioner.models.decoder.crf import CRF
from spacy_mtl_bioner.models.decoder.position_crf import PositionCRF
from spacy_mtl_bioner.models.decoder.decoding import binary_transition_viterbi
from spacy_mtl_bioner.models.decoder.softmax import Softmax
from spacy_mtl_bioner.models.decoder.tagset import TagSet
from spacy_mtl_bioner.models.shared_heads import SharedHeads
from spacy_mtl_bioner.types import CorpusSpec

from .parts import SENTENCES, batch_of, doc_of

BATCH = batch_of([doc_of(English().vocab, *SENTENCES)])
SPECS = {
    "ncbi": CorpusSpec("spans", ("Disease",)),
    "bc5cdr": CorpusSpec("spans", ("Chemical", "Disease")),
    "genes": CorpusSpec("spans", ("Gene",)),
    "pos": CorpusSpec("tags", ("NN", "VB")),
    "phrases": CorpusSpec("tags", ("NP", "NN")),
}
DECODERS = [CRF, PositionCRF, Softmax]


def heads(decoder=CRF, corpora=tuple(SPECS), width: int = 5) -> Model:
    """With weights that differ everywhere."""
    torch.manual_seed(0)
    model = SharedHeads()(decoder())
    model.initialize(X={name: width for name in corpora}, Y={name: SPECS[name] for name in corpora})
    for layer in model.layers:
        if shim_of(layer).built:
            for param in shim_of(layer).module.parameters():
                torch.nn.init.normal_(param)
    return model


def features(width: int = 5, seed: int = 1) -> torch.Tensor:
    return torch.randn(*BATCH.shape, width, generator=torch.Generator().manual_seed(seed))


def gold(tagset: TagSet) -> torch.Tensor:
    """Legal tags: single tokens of each label, in turn."""
    spans = [(i, i + 1, tagset.spec.labels[i % len(tagset.spec.labels)]) for i in range(BATCH.shape[1])]
    row = tagset.encode(BATCH.shape[1], spans)
    return torch.from_numpy(np.tile(row, (BATCH.shape[0], 1)))


@pytest.mark.parametrize("scheme", ["IOBES", "IOB2"])
def test_tags_among_those_of_more_labels(scheme):
    whole = TagSet(CorpusSpec("spans", ("Disease", "Chemical", "Gene")), scheme)
    own = TagSet(CorpusSpec("spans", ("Gene", "Disease")), scheme)
    step = len(own.prefixes)
    assert own.among(whole).tolist() == [0, *range(1 + 2 * step, 1 + 3 * step), *range(1, 1 + step)]
    tags = TagSet(CorpusSpec("tags", ("VB",)), scheme).among(TagSet(CorpusSpec("tags", ("NN", "VB")), scheme))
    assert tags.tolist() == [1]


@pytest.mark.parametrize("decoder", DECODERS)
def test_a_part_of_the_layer_is_the_layer_with_the_other_tags_masked(decoder):
    """Against the whole layer: a tag that is not the corpus' own has minus infinity in every parameter that adds to its
    score, and the loss is the same."""
    model = heads(decoder)
    whole = shim_of(model.layers[0]).module
    for corpus in ("ncbi", "bc5cdr", "genes"):
        head = run(model, corpus, False)
        tags, ids = gold(head.tagset), torch.from_numpy(head.tagset.among(whole.tagset))
        others = [i for i in range(whole.tagset.size) if i not in ids.tolist()]
        saved = {name: param.clone() for name, param in whole.named_parameters()}
        with torch.no_grad():
            whole.emit.bias[others] = -1e6
            masked = run(model.layers[0], (features(), BATCH, ids[tags]), False)
            for name, param in whole.named_parameters():
                param.copy_(saved[name])
        torch.testing.assert_close(head(features(), BATCH, tags), masked, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("decoder", DECODERS)
def test_no_corpus_ever_finds_the_labels_of_another(decoder):
    model = heads(decoder)
    whole = shim_of(model.layers[0]).module
    with torch.no_grad():
        whole.emit.bias[whole.tagset.encode(1, [(0, 1, "Chemical")])] = 1e4
    found = {name: run(model, name, False)(features(), BATCH, None, True) for name in SPECS}
    assert found["bc5cdr"].spans.labels.tolist() == [0] * int(BATCH.lengths.sum())
    for name in ("ncbi", "genes"):
        labels = found[name].spans.labels
        assert len(labels) and set(labels.tolist()) == {0}
        assert np.isfinite(found[name].scores).all() and (found[name].scores <= 1).all()
    assert set(found["pos"].tags[BATCH.mask_array].tolist()) <= {0, 1} and found["pos"].spans is None


@pytest.mark.parametrize("decoder", DECODERS)
def test_labels_of_the_same_name_are_the_same_numbers(decoder):
    """A step on one corpus moves the disease tags of the other, and no row that it does not have."""
    model = heads(decoder)
    head = run(model, "ncbi", True)
    head(features(), BATCH, gold(head.tagset)).sum().backward()
    whole = shim_of(model.layers[0]).module
    own = set(head.tagset.among(whole.tagset).tolist())
    moved = set(torch.nonzero(whole.emit.weight.grad.abs().sum(1)).flatten().tolist())
    assert moved == own < set(range(whole.tagset.size))
    shared = own & set(run(model, "bc5cdr", True).tagset.among(whole.tagset).tolist())
    assert shared == own
    assert shim_of(model.layers[1]).module.emit.weight.grad is None


@pytest.mark.parametrize("decoder", DECODERS)
def test_training_after_prediction(decoder):
    model = heads(decoder)
    with torch.inference_mode():
        run(model, "bc5cdr", False)(features(), BATCH, None, True)
    head = run(model, "bc5cdr", True)
    head(features(), BATCH, gold(head.tagset)).sum().backward()
    assert shim_of(model.layers[0]).module.emit.bias.grad.abs().sum() > 0


@pytest.mark.parametrize("decoder", DECODERS)
def test_a_layer_that_has_learned_can_be_copied(decoder):
    model = heads(decoder)
    head = run(model, "ncbi", True)
    for _ in range(2):  # each call has a graph of its own
        shim_of(model.layers[0]).module.zero_grad()
        head(features(), BATCH, gold(head.tagset)).sum().backward()
        assert shim_of(model.layers[0]).module.emit.weight.grad.abs().sum() > 0
    assert copy.deepcopy(shim_of(model.layers[0]).module).emit.weight.equal(shim_of(model.layers[0]).module.emit.weight)


def test_kinds_have_layers_of_their_own():
    model = heads()
    assert [shim_of(layer).module.tagset.spec.labels for layer in model.layers] == [
        ("Disease", "Chemical", "Gene"),
        ("NN", "VB", "NP"),
    ]
    assert run(model, "phrases", False).tagset.spec.labels == ("NP", "NN")


@pytest.mark.parametrize("decoder", DECODERS)
def test_who_joins_disturbs_nobody_and_starts_fresh(decoder):
    model = heads(decoder, ("ncbi",))
    before = run(model, "ncbi", False)(features(), BATCH, None, True)
    specs = {"ncbi": SPECS["ncbi"], "genes": SPECS["genes"]}
    model.initialize(X={name: 5 for name in specs}, Y=specs)
    after = run(model, "ncbi", False)(features(), BATCH, None, True)
    np.testing.assert_array_equal(after.tags, before.tags)
    np.testing.assert_allclose(after.scores, before.scores, rtol=1e-5)
    whole = shim_of(model.layers[0]).module
    (gene,) = whole.tagset.encode(1, [(0, 1, "Gene")])
    assert whole.emit.bias[gene] == 0 and whole.emit.weight[gene].abs().sum() > 0


def test_a_label_that_joins_a_known_corpus_starts_unlikely():
    model = heads(CRF, ("ncbi",))
    spec = CorpusSpec("spans", ("Disease", "Symptom"))
    model.initialize(X={"ncbi": 5, "genes": 5}, Y={"ncbi": spec, "genes": SPECS["genes"]})
    whole = shim_of(model.layers[0]).module
    (symptom,), (gene,) = (whole.tagset.encode(1, [(0, 1, label)]) for label in ("Symptom", "Gene"))
    assert whole.emit.bias[symptom] == -6 and not whole.emit.weight[symptom].any()
    assert whole.emit.bias[gene] == 0 and whole.emit.weight[gene].any()


def test_what_training_showed_is_remembered_in_the_layer():
    """Softmax with a Viterbi over seen steps: each corpus' steps, among the tags of all."""
    model = heads(lambda: Softmax(decoding=binary_transition_viterbi()), ("ncbi", "bc5cdr"))
    tags = {name: gold(run(model, name, True).tagset) for name in ("ncbi", "bc5cdr")}
    for name in tags:
        run(model, name, True)(features(), BATCH, tags[name])
    whole = shim_of(model.layers[0]).module
    expected = torch.zeros_like(whole.transitions_seen)
    for name, rows in tags.items():
        ids = torch.from_numpy(run(model, name, False).tagset.among(whole.tagset))[rows]
        for row, length in zip(ids.tolist(), BATCH.lengths.tolist()):
            for before, after in zip(row[: length - 1], row[1:length]):
                expected[before, after] = True
    assert torch.equal(whole.transitions_seen, expected) and expected.any()
    again = SharedHeads()(Softmax()).initialize(X=None, Y={name: SPECS[name] for name in tags})
    again.from_bytes(model.to_bytes())
    assert torch.equal(shim_of(again.layers[0]).module.transitions_seen, expected)


def test_round_trip_after_growth():
    """The layer's own order of labels is not that of the corpora any more."""
    model = heads(CRF, ("ncbi", "genes"))
    specs = {"ncbi": CorpusSpec("spans", ("Disease", "Symptom")), "genes": SPECS["genes"]}
    model.initialize(X={name: 5 for name in specs}, Y=specs)
    again = SharedHeads()(CRF()).initialize(X=None, Y=specs).from_bytes(model.to_bytes())
    for corpus in specs:
        one, other = (run(m, corpus, False)(features(), BATCH, None, True) for m in (model, again))
        np.testing.assert_array_equal(one.tags, other.tags)
        np.testing.assert_array_equal(one.scores, other.scores)


def test_what_cannot_be_shared(monkeypatch):
    with pytest.raises(MTLError, match="MTL237.*ncbi: 4, genes: 5"):
        SharedHeads()(CRF()).initialize(X={"ncbi": 4, "genes": 5}, Y={n: SPECS[n] for n in ("ncbi", "genes")})
    monkeypatch.delattr("spacy_mtl_bioner.models.decoder.crf.CRFHead.tag_axes")
    with pytest.raises(MTLError, match="MTL236.*'crf'"):
        heads()
