"""The head whose transitions follow the features: by enumeration, as ``CRF`` where they do not, and grown."""

import itertools

import numpy as np
import pytest
import torch
from spacy.lang.en import English

from spacy_mtl_bioner.corpora.schemes import tag_names, tags_to_spans
from spacy_mtl_bioner.layers.structure import initialize_with
from spacy_mtl_bioner.layers.torch_layer import run, shim_of
from spacy_mtl_bioner.models.decoder.crf import CRF
from spacy_mtl_bioner.models.decoder.position_crf import PositionCRF
from spacy_mtl_bioner.models.multi_task_ner import MultiTaskNER, Wanted
from spacy_mtl_bioner.models.sharing.fully_shared import FullyShared
from spacy_mtl_bioner.training.optimizers import Adam
from spacy_mtl_bioner.types import CorpusSpec

from .parts import SENTENCES, SPECS, batch_of, doc_of, embedding, encoder, gold_of, lexicon_of

DOC = doc_of(English().vocab, "a b c", "d", "e f g h")
SPEC = CorpusSpec("spans", ("Gene", "Protein"))


def head_of(spec: CorpusSpec = SPEC, noise: float = 0.5, **settings):
    torch.manual_seed(0)
    model = initialize_with(PositionCRF(**settings), 5, Y=spec)
    for parameter in shim_of(model).module.parameters():
        torch.nn.init.normal_(parameter, std=noise)
    return model


def features(batch, seed: int = 1):
    return torch.randn(*batch.shape, 5, generator=torch.Generator().manual_seed(seed))


def paths(module, x, constrained: bool):
    """Score of each path of one sentence f32[T,5], by enumeration in float64 from the weights."""
    x, size = x.double(), module.tagset.size

    def scores(linear):
        return (x @ linear.weight.double().T + linear.bias.double()).detach().numpy()

    links, first = scores(module.links).reshape(len(x), size, size), scores(module.start)[0]
    tag = scores(module.emit) if module.emit is not None else np.zeros((len(x), size))
    last = scores(module.end)[-1] if module.end is not None else np.zeros(size)
    start, legal, end = module.tagset.legal()
    for path in itertools.product(range(size), repeat=len(x)):
        steps = list(zip(path, path[1:]))
        if not constrained or start[path[0]] and end[path[-1]] and all(legal[i, j] for i, j in steps):
            score = first[path[0]] + last[path[-1]] + sum(tag[t, j] for t, j in enumerate(path))
            yield path, score + sum(links[t, i, j] for t, (i, j) in enumerate(steps, start=1))


@pytest.mark.parametrize("scheme", ["IOB2", "IOBES"])
@pytest.mark.parametrize("emissions, end, constrained", [(True, False, True), (False, True, True), (True, True, False)])
def test_loss_and_decoding_by_enumeration(scheme: str, emissions: bool, end: bool, constrained: bool):
    spec = SPEC if scheme == "IOB2" else CorpusSpec("spans", ("Gene",))
    model = head_of(spec, scheme=scheme, emissions=emissions, end=end, constrained=constrained)
    module, batch = shim_of(model).module, batch_of([DOC])
    x, gold = features(batch), np.zeros(batch.shape, dtype="int64")
    gold[0, :3], gold[2, :4] = module.tagset.encode(3, [(0, 2, "Gene")]), module.tagset.encode(4, [(1, 4, "Gene")])
    loss = run(model, (x, batch, torch.from_numpy(gold)), False)
    decoded = run(model, (x, batch, None, True), False)
    assert len(decoded.scores) == len(decoded.spans.rows)
    for row, length in enumerate(batch.lengths.tolist()):
        found = dict(paths(module, x[row, :length], constrained))
        total = np.logaddexp.reduce(list(found.values()))
        assert float(loss[row].detach()) == pytest.approx(total - found[tuple(gold[row, :length])], rel=1e-4, abs=1e-4)
        assert tuple(decoded.tags[row, :length]) == max(found, key=found.__getitem__)


@pytest.mark.parametrize("scheme", ["IOB2", "IOBES"])
@pytest.mark.parametrize("noise", [0.5, 10.0, 1000.0])
def test_illegal_tags_are_never_decoded(scheme: str, noise: float):
    model, batch, names = head_of(scheme=scheme, noise=noise), batch_of([DOC]), tag_names(SPEC.labels, scheme)
    for seed in range(10):
        decoded = run(model, (features(batch, seed), batch, None, True), False)
        expected = []
        for row, length in enumerate(batch.lengths):
            tags = [names[tag] for tag in decoded.tags[row, :length]]
            expected += [(row, a, b, SPEC.labels.index(label)) for a, b, label in tags_to_spans(tags, scheme)]
        assert list(zip(*(array.tolist() for array in decoded.spans))) == expected
        assert ((decoded.scores >= 0) & (decoded.scores <= 1)).all()


def test_without_constraint_illegal_tags_compete_and_are_read():
    model, batch = head_of(constrained=False, noise=3.0), batch_of([DOC])
    start, legal, _ = shim_of(model).module.tagset.legal()
    broken = 0
    for seed in range(5):
        decoded = run(model, (features(batch, seed), batch, None, True), False)
        for row, length in enumerate(batch.lengths):
            tags = decoded.tags[row, :length]
            broken += not start[tags[0]] or not legal[tags[:-1], tags[1:]].all()
            covered = np.zeros(length, dtype=bool)
            for at, first, past, _ in zip(*decoded.spans):
                covered[first:past] |= at == row
            assert (covered == (tags > 0)).all()
        assert len(decoded.scores) == len(decoded.spans.rows) and np.isfinite(decoded.scores).all()
    assert broken


def test_as_the_chain_with_one_matrix():
    """Where the features change no transition: loss, tags and scores of ``CRF``."""
    model, batch, x = head_of(), batch_of([DOC]), features(batch_of([DOC]))
    other = initialize_with(CRF(), 5, Y=SPEC)
    ours, theirs = shim_of(model).module, shim_of(other).module
    with torch.no_grad():
        ours.links.weight.zero_(), ours.start.weight.zero_()
        theirs.transitions.copy_(ours.links.bias.view(theirs.transitions.shape))
        theirs.start.copy_(ours.start.bias)
        theirs.emit.load_state_dict(ours.emit.state_dict())
    gold = torch.zeros(batch.shape, dtype=torch.int64)
    torch.testing.assert_close(*(run(one, (x, batch, gold), False) for one in (model, other)), rtol=1e-5, atol=1e-5)
    first, second = (run(one, (x, batch, None, True), False) for one in (model, other))
    assert np.array_equal(first.tags, second.tags) and len(first.scores)
    np.testing.assert_allclose(first.scores, second.scores, rtol=1e-4)


@pytest.mark.parametrize("emissions", [True, False])
def test_new_labels_leave_the_old_weights(emissions: bool):
    model, batch = head_of(emissions=emissions, end=True), batch_of([DOC])
    old, x = shim_of(model).module, features(batch)
    before = old.chain(x, batch.length_tensor)
    initialize_with(model, 5, Y=CorpusSpec("spans", ("Gene", "Protein", "RNA")))
    module, size = shim_of(model).module, old.tagset.size
    assert module is not old and module.tagset.size == size + 4 == model.get_dim("nO")
    after = module.chain(x, batch.length_tensor)
    torch.testing.assert_close(after[0][:, :size], before[0])
    torch.testing.assert_close(after[1][..., :size, :size], before[1])
    assert (after[0][[0, 2]][:, [size, size + 3]] == -6.0).all()
    initialize_with(model, 5, Y=module.tagset.spec)
    assert shim_of(model).module is module


def test_of_kind_tags_and_to_and_from_bytes():
    batch = batch_of([DOC])
    model, other = head_of(CorpusSpec("tags", ("DT", "NN")), end=True), PositionCRF()
    decoded = run(model, (features(batch), batch, None, True), False)
    assert decoded.spans is None and set(np.unique(decoded.tags[batch.mask_array])) <= {0, 1}
    assert other.from_bytes(model.to_bytes()).to_bytes() == model.to_bytes()
    assert np.array_equal(run(other, (features(batch), batch, None, True), False).tags, decoded.tags)


def test_a_whole_model_learns():
    vocab = English().vocab
    docs = [doc_of(vocab, sentence) for sentence in SENTENCES]
    torch.manual_seed(0)
    model = MultiTaskNER(FullyShared(encoder()), PositionCRF(), embed=embedding(), precision="bfloat16")
    model.initialize(X=lexicon_of(*docs), Y={name: SPECS[name] for name in ("gene", "pos")})
    gold, optimizer, losses = gold_of(docs, ("gene", "pos", "gene", "pos")), Adam(0.05), []
    for _ in range(15):
        found, backprop = model.begin_update(gold)
        losses.append(sum(found.of.values()))
        backprop(1.0)
        model.finish_update(optimizer)
    assert losses[-1] < 0.3 * losses[0]
    found, _ = model(Wanted(docs, ("gene", "pos")), False)
    assert len(found["gene"].scores) == len(found["gene"].starts) and found["pos"].tags is not None
