"""Single-task and fully-shared models, heads, and the embeddings they stand on."""

import pytest
import torch
from spacy.lang.en import English

from spacy_mtl_bioner.layers.shim import MTLShim
from spacy_mtl_bioner.layers.torch_layer import run, shim_of
from spacy_mtl_bioner.models.decoder.crf import CRF
from spacy_mtl_bioner.models.embed.concat import ConcatEmbed
from spacy_mtl_bioner.models.embed.upstream import Upstream
from spacy_mtl_bioner.models.heads import Heads, head_of
from spacy_mtl_bioner.models.sharing.fully_shared import FullyShared
from spacy_mtl_bioner.models.sharing.single_task import SingleTask

from .parts import SENTENCES, SPECS, batch_of, doc_of, embedding, encoder, features_of, lexicon_of, parameters

DOC = doc_of(English().vocab, *SENTENCES)
NAMES = ("disease", "gene", "pos")


def grow(model, corpora):
    return model.initialize(X=lexicon_of(DOC), Y={name: SPECS[name] for name in corpora})


def test_fully_shared_runs_once_for_all():
    model = grow(FullyShared(encoder())(embedding()), NAMES)
    found = features_of(model, [DOC], NAMES)
    assert found["disease"] is found["gene"] is found["pos"]
    batch = batch_of([DOC])
    assert torch.equal(found["gene"], run(model.layers[1], (run(model.layers[0], batch, False), batch), False))
    assert model.get_dim("nO") == 6 and len(model.layers) == 2


def test_single_task_shares_nothing():
    model = grow(SingleTask(encoder())(embedding()), NAMES[:2])
    before = features_of(model, [DOC], NAMES[:2])
    assert not torch.equal(before["disease"], before["gene"])
    before["disease"].sum().backward()
    mine, other = (parameters(layers) for layers in (model.layers[:2], model.layers[2:]))
    assert all(p.grad is not None for p in mine) and all(p.grad is None for p in other) and len(mine) == len(other)
    grow(model, NAMES)
    after = features_of(model, [DOC], NAMES)
    for corpus in NAMES[:2]:
        assert torch.equal(after[corpus], before[corpus])


def test_single_task_builds_each_part_once(monkeypatch):
    built = []
    build = MTLShim.build
    monkeypatch.setattr(MTLShim, "build", lambda shim, **given: (built.append(shim.id), build(shim, **given))[1])
    model = grow(SingleTask(encoder())(embedding()), NAMES)
    assert len(built) == len(set(built)) == len([shim for node in model.walk() for shim in node.shims])


def test_single_task_from_bytes():
    model, other = (SingleTask(encoder())(embedding()) for _ in range(2))
    data = grow(model, NAMES).to_bytes()
    other.initialize(Y={name: SPECS[name] for name in NAMES})
    assert other.from_bytes(data).to_bytes() == data
    for corpus in NAMES:
        ours, theirs = (features_of(one, [DOC], [corpus])[corpus] for one in (model, other))
        assert torch.equal(ours, theirs)


def test_concatenation_keeps_the_order_of_the_config():
    model = embedding().initialize(X=lexicon_of(DOC))
    batch = batch_of([DOC])
    found = run(model, batch, False)
    words, characters = (run(part, batch, False) for part in model.layers)
    assert torch.equal(found[..., :6], words) and torch.equal(found[..., 6:], characters)
    assert model.get_dim("nO") == found.shape[-1] == 11
    assert not ConcatEmbed(Upstream()).initialize().has_dim("nO")


def test_upstream_vectors_are_gathered():
    batch = batch_of([DOC])
    batch.tokens.upstream = torch.arange(float(len(DOC)))[:, None].requires_grad_()
    found = run(Upstream(), batch, True)
    expected = [[float(token.i) for token in sentence] for sentence in DOC.sents]
    assert [found[row, : len(values), 0].tolist() for row, values in enumerate(expected)] == expected


@pytest.mark.parametrize("scheme", ["IOB2", "IOBES"])
def test_heads_grow_with_corpora_and_labels(scheme: str):
    heads = Heads(CRF(scheme=scheme))
    heads.initialize(X={"gene": 4}, Y={"gene": SPECS["gene"]})
    module = shim_of(head_of(heads, "gene")).module
    assert not shim_of(heads.layers[0]).built
    heads.initialize(X={"gene": 4, "pos": 4}, Y={name: SPECS[name] for name in ("gene", "pos")})
    assert shim_of(head_of(heads, "gene")).module is module
    assert shim_of(head_of(heads, "pos")).module.tagset.size == 3
    assert heads.attrs["corpora"] == ["gene", "pos"] and len(heads.layers) == 3
