"""Heads that decode together find what each finds alone."""

from typing import Dict

import numpy as np
import pytest
import torch
from spacy.lang.en import English
from thinc.api import Model

from spacy_mtl_bioner.layers.torch_layer import run, shim_of
from spacy_mtl_bioner.models.decoder.base import Decoded
from spacy_mtl_bioner.models.decoder.crf import CRF, CRFHead
from spacy_mtl_bioner.models.decoder.position_crf import PositionCRF
from spacy_mtl_bioner.models.decoder.softmax import Softmax
from spacy_mtl_bioner.models.heads import Heads, decode
from spacy_mtl_bioner.models.shared_heads import SharedHeads
from spacy_mtl_bioner.types import CorpusSpec

from .parts import SENTENCES, batch_of, doc_of

BATCH = batch_of([doc_of(English().vocab, *SENTENCES)])
SPECS = {
    "ncbi": CorpusSpec("spans", ("Disease",)),
    "genia": CorpusSpec("spans", ("Protein", "DNA", "RNA")),
    "pos": CorpusSpec("tags", ("DT", "NN", "VB", "IN")),
    "linnaeus": CorpusSpec("spans", ("Species",)),
    "craft": CorpusSpec("spans", ("Taxon", "CHEBI", "Gene", "CL")),
    "phrases": CorpusSpec("tags", ("NP", "VP", "O")),
    "bc2gm": CorpusSpec("spans", ("Gene",)),
}
DECODERS = {
    "crf": lambda: CRF(),
    "crf of IOB2": lambda: CRF(scheme="IOB2", dropout=0.5),
    "position": lambda: PositionCRF(),
    "softmax": lambda: Softmax(),
}


def heads_of(decoder, builder=Heads, noise: float = 1.0) -> Dict[str, Model]:
    """Of all corpora, with weights that differ everywhere."""
    torch.manual_seed(0)
    model = builder(decoder())
    model.initialize(X=dict.fromkeys(SPECS, 5), Y=SPECS)
    for node in model.walk():
        for param in shim_of(node).module.parameters() if node.shims and shim_of(node).built else ():
            torch.nn.init.normal_(param, std=noise)
    return {corpus: run(model, corpus, False) for corpus in SPECS}


def assert_same(ours: Decoded, alone: Decoded) -> None:
    assert np.array_equal(ours.tags, alone.tags)
    assert (ours.spans is None) == (alone.spans is None) and (ours.scores is None) == (alone.scores is None)
    for mine, theirs in zip(ours.spans or (), alone.spans or ()):
        assert np.array_equal(mine, theirs)
    if ours.scores is not None:
        np.testing.assert_allclose(ours.scores, alone.scores, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("scores", [False, True])
@pytest.mark.parametrize("builder", [Heads, lambda decoder: SharedHeads()(decoder)], ids=["own", "shared"])
@pytest.mark.parametrize("decoder", sorted(DECODERS))
def test_as_head_by_head(decoder: str, builder, scores: bool):
    heads, x = heads_of(DECODERS[decoder], builder), torch.randn(*BATCH.shape, 5)
    with torch.inference_mode():
        found = decode(heads, dict.fromkeys(SPECS, x), BATCH, scores)
        assert set(found) == set(SPECS)
        for corpus, head in heads.items():
            assert_same(found[corpus], head(x, BATCH, None, scores))
    assert sum(len(decoded.spans.rows) for decoded in found.values() if decoded.spans) > 5


@pytest.mark.parametrize("noise", [30.0, 1000.0])
def test_scores_too_wide_for_the_fast_arithmetic(noise: float):
    heads, x = heads_of(CRF, noise=noise), torch.randn(*BATCH.shape, 5)
    with torch.inference_mode():
        for corpus, ours in decode(heads, dict.fromkeys(SPECS, x), BATCH, True).items():
            assert_same(ours, heads[corpus](x, BATCH, None, True))


def test_who_decodes_together(monkeypatch):
    """CRFs whose tags are alike in kind and about as many, and that read the same features; the others alone."""
    together, calls = CRFHead.decode_together, []

    def noted(heads, *inputs):
        calls.append([head.tagset.spec.labels for head in heads])
        return together(heads, *inputs)

    monkeypatch.setattr(CRFHead, "decode_together", staticmethod(noted))
    heads, x = heads_of(CRF), torch.randn(*BATCH.shape, 5)
    features = {**dict.fromkeys(SPECS, x), "bc2gm": x.clone()}
    with torch.inference_mode():
        decode(heads, features, BATCH, True)
        families = [["ncbi", "linnaeus"], ["genia"], ["pos", "phrases"], ["craft"], ["bc2gm"]]
        assert sorted(calls) == sorted([SPECS[corpus].labels for corpus in family] for family in families)
        calls.clear()
        decode(heads_of(Softmax), features, BATCH, True)
    assert not calls
