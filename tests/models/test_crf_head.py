"""The head of a corpus: legal tags only, scores, and growth."""

import itertools

import numpy as np
import pytest
import torch
from spacy.lang.en import English

from spacy_mtl_bioner.corpora.schemes import tag_names, tags_to_spans
from spacy_mtl_bioner.layers.structure import initialize_with
from spacy_mtl_bioner.layers.torch_layer import run, shim_of
from spacy_mtl_bioner.models.decoder.crf import CRF
from spacy_mtl_bioner.types import CorpusSpec

from .parts import batch_of, doc_of

DOC = doc_of(English().vocab, "a b c", "d", "e f g h")
SPEC = CorpusSpec("spans", ("Gene", "Protein"))


def head_of(spec: CorpusSpec = SPEC, scheme: str = "IOBES", noise: float = 0.5, **settings):
    torch.manual_seed(0)
    model = initialize_with(CRF(scheme=scheme, **settings), 5, Y=spec)
    for parameter in shim_of(model).module.parameters():
        torch.nn.init.normal_(parameter, std=noise)
    return model


def features(batch, scale: float = 1.0):
    generator = torch.Generator().manual_seed(1)
    return torch.randn(*batch.shape, 5, generator=generator) * scale


def paths(model, x):
    """Score of each legal path of one sentence f32[T,5], by enumeration in float64."""
    module = shim_of(model).module
    emissions = (x.double() @ module.emit.weight.double().T + module.emit.bias.double()).detach().numpy()
    start, links, end = module.tagset.legal()
    scores = [value.detach().double().numpy() for value in (module.start, module.transitions, module.end)]
    for path in itertools.product(range(module.tagset.size), repeat=len(x)):
        if start[path[0]] and end[path[-1]] and all(links[a, b] for a, b in zip(path, path[1:])):
            score = scores[0][path[0]] + scores[2][path[-1]] + sum(emissions[t, tag] for t, tag in enumerate(path))
            yield path, score + sum(scores[1][a, b] for a, b in zip(path, path[1:]))


@pytest.mark.parametrize("scheme", ["IOB2", "IOBES"])
@pytest.mark.parametrize("noise", [0.5, 10.0, 1000.0])
def test_illegal_tags_are_never_decoded(scheme: str, noise: float):
    model, batch = head_of(scheme=scheme, noise=noise), batch_of([DOC])
    names = tag_names(SPEC.labels, scheme)
    for seed in range(20):
        torch.manual_seed(seed)
        decoded = run(model, (torch.randn(*batch.shape, 5), batch, None, True), False)
        expected = []
        for row, length in enumerate(batch.lengths):
            tags = [names[tag] for tag in decoded.tags[row, :length]]
            expected += [(row, a, b, SPEC.labels.index(label)) for a, b, label in tags_to_spans(tags, scheme)]
        assert list(zip(*(array.tolist() for array in decoded.spans))) == expected
        assert len(decoded.scores) == len(expected) and ((decoded.scores >= 0) & (decoded.scores <= 1)).all()


@pytest.mark.parametrize("scheme", ["IOB2", "IOBES"])
def test_loss_decoding_and_scores_by_enumeration(scheme: str):
    model, batch = head_of(scheme=scheme), batch_of([DOC])
    x = features(batch)
    tagset, names = shim_of(model).module.tagset, tag_names(SPEC.labels, scheme)
    gold = np.zeros(batch.shape, dtype="int64")
    gold[0, :3], gold[2, :4] = tagset.encode(3, [(0, 2, "Protein")]), tagset.encode(4, [(1, 2, "Gene"), (2, 4, "Gene")])
    loss = run(model, (x, batch, torch.from_numpy(gold)), False)
    decoded = run(model, (x, batch, None, True), False)
    scored = dict(zip(zip(*(array.tolist() for array in decoded.spans)), decoded.scores.tolist()))
    for row, length in enumerate(batch.lengths.tolist()):
        found = dict(paths(model, x[row, :length]))
        total = np.logaddexp.reduce(list(found.values()))
        assert float(loss[row].detach()) == pytest.approx(total - found[tuple(gold[row, :length])], rel=1e-4, abs=1e-4)
        assert tuple(decoded.tags[row, :length]) == max(found, key=found.__getitem__)
        for (at, start, end, label), score in scored.items():
            if at == row:
                whole = (start, end, SPEC.labels[label])
                with_it = [s for p, s in found.items() if whole in tags_to_spans([names[tag] for tag in p], scheme)]
                assert score == pytest.approx(np.exp(np.logaddexp.reduce(with_it) - total), rel=1e-3, abs=1e-5)


def test_without_scores_and_of_kind_tags():
    batch = batch_of([DOC])
    assert run(head_of(), (features(batch), batch, None, False), False).scores is None
    decoded = run(head_of(CorpusSpec("tags", ("DT", "NN"))), (features(batch), batch, None, True), False)
    assert decoded.spans is None and set(np.unique(decoded.tags[batch.mask_array])) <= {0, 1}


@pytest.mark.parametrize("scheme", ["IOB2", "IOBES"])
def test_new_labels_leave_the_old_weights(scheme: str):
    model, batch = head_of(scheme=scheme), batch_of([DOC])
    old = {name: value.clone() for name, value in shim_of(model).module.state_dict().items()}
    size = shim_of(model).module.tagset.size
    initialize_with(model, 5, Y=CorpusSpec("spans", ("Gene", "Protein", "RNA")))
    module = shim_of(model).module
    assert module.tagset.size == size + len(module.tagset.prefixes) == model.get_dim("nO")
    assert torch.equal(module.emit.weight[:size], old["emit.weight"])
    assert torch.equal(module.transitions[:size, :size], old["transitions"])
    for name in ("start", "end"):
        assert torch.equal(getattr(module, name)[:size], old[name])
    assert torch.equal(module.emit.bias[:size], old["emit.bias"])
    initialize_with(model, 5, Y=module.tagset.spec)
    assert shim_of(model).module is module
    assert run(model, (features(batch), batch, None, True), False).tags.max() < module.tagset.size


def test_to_and_from_bytes():
    model, other, batch = head_of(), CRF(), batch_of([DOC])
    data = model.to_bytes()
    assert other.from_bytes(data).to_bytes() == data
    ours, theirs = (run(one, (features(batch), batch, None, True), False) for one in (model, other))
    assert np.array_equal(ours.tags, theirs.tags) and np.array_equal(ours.scores, theirs.scores)


def test_dropout_of_features_in_training():
    model, batch = head_of(dropout=0.5), batch_of([DOC])
    x, gold = features(batch), torch.zeros(batch.shape, dtype=torch.int64)
    first, second = (run(model, (x, batch, gold), True) for _ in range(2))
    assert not torch.equal(first, second)
    assert torch.equal(run(model, (x, batch, gold), False), run(model, (x, batch, gold), False))
