"""Several CRFs over as many copies of a batch, at once and one after the other."""

import pytest
import torch

from spacy_mtl_bioner.layers.crf_marginals import crf_marginals, span_scores
from spacy_mtl_bioner.layers.crf_viterbi import crf_decode

from .crf_oracle import iob2, iobes


@pytest.mark.parametrize("legal", [iob2(1), iobes(1), iobes(2)], ids=["IOB2", "IOBES", "IOBES, 2 labels"])
@pytest.mark.parametrize("crfs,sentences,tokens", [(1, 3, 6), (2, 1, 9), (3, 4, 1), (5, 7, 12)])
@pytest.mark.parametrize("scale", [1.0, 30.0, 500.0])
def test_as_one_by_one(legal, crfs: int, sentences: int, tokens: int, scale: float):
    generator = torch.Generator().manual_seed(crfs)
    size = len(legal[1])
    emissions = torch.randn(crfs * sentences, tokens, size, generator=generator) * scale
    lengths = torch.randint(1, tokens + 1, (sentences,), generator=generator)
    scores = [torch.randn(crfs, *part.shape, generator=generator) * scale + part for part in legal]
    given = (emissions, lengths.repeat(crfs), *scores)
    tags, marginals = crf_decode(*given), crf_marginals(*given)
    rows = torch.arange(crfs * sentences)
    spans = (rows, torch.zeros_like(rows), lengths.repeat(crfs).clamp(max=2), torch.ones_like(rows))
    found = span_scores(*given, tags, spans)
    for crf in range(crfs):
        own = slice(crf * sentences, (crf + 1) * sentences)
        alone = (emissions[own], lengths, *(part[crf] for part in scores))
        assert torch.equal(tags[own], crf_decode(*alone))
        torch.testing.assert_close(marginals[own], crf_marginals(*alone), rtol=1e-4, atol=1e-6)
        its = (rows[:sentences], *(part[own] for part in spans[1:]))
        torch.testing.assert_close(found[own], span_scores(*alone, tags[own], its), rtol=1e-4, atol=1e-6)
