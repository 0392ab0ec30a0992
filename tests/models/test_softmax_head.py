"""Softmax heads: loss, lenient reading, the decoders by enumeration, scores and growth."""

import itertools

import numpy as np
import pytest
import torch
from seqeval.metrics.sequence_labeling import get_entities
from spacy.lang.en import English

from spacy_mtl_bioner.corpora.schemes import tag_names
from spacy_mtl_bioner.layers.structure import initialize_with
from spacy_mtl_bioner.layers.torch_layer import run, shim_of
from spacy_mtl_bioner.models.decoder.decoding import Seen, binary_transition_viterbi, greedy
from spacy_mtl_bioner.models.decoder.softmax import Softmax
from spacy_mtl_bioner.models.decoder.tagset import TagSet
from spacy_mtl_bioner.types import CorpusSpec

from .parts import batch_of, doc_of

DOC = doc_of(English().vocab, "a b c", "d", "e f g h")
SPEC = CorpusSpec("spans", ("Gene", "Protein"))


def head_of(spec: CorpusSpec = SPEC, scheme: str = "IOBES", **settings):
    torch.manual_seed(0)
    model = initialize_with(Softmax(scheme=scheme, **settings), 5, Y=spec)
    for parameter in shim_of(model).module.parameters():
        torch.nn.init.normal_(parameter)
    return model


def features(batch, scale: float = 1.0, seed: int = 1):
    return torch.randn(*batch.shape, 5, generator=torch.Generator().manual_seed(seed)) * scale


def gold_of(model, batch):
    """Some gold in the first and last sentence."""
    tagset = shim_of(model).module.tagset
    gold = np.zeros(batch.shape, dtype="int64")
    gold[0, :3] = tagset.encode(3, [(0, 2, "Protein")])
    gold[2, :4] = tagset.encode(4, [(1, 2, "Gene"), (2, 4, "Gene")])
    return torch.from_numpy(gold)


def probabilities(model, x):
    """f64[T,K] of one sentence f32[T,5]."""
    emit = shim_of(model).module.emit
    return torch.softmax(x.double() @ emit.weight.double().T + emit.bias.double(), -1).detach().numpy()


def test_loss_is_summed_over_the_tokens_of_a_sentence():
    model, batch = head_of(), batch_of([DOC])
    x, gold = features(batch).requires_grad_(), gold_of(head_of(), batch)
    loss = run(model, (x, batch, gold), True)
    for row, length in enumerate(batch.lengths.tolist()):
        chosen = probabilities(model, x[row, :length])[np.arange(length), gold[row, :length].numpy()]
        assert float(loss[row].detach()) == pytest.approx(-np.log(chosen).sum(), rel=1e-5)
    loss.sum().backward()
    assert not x.grad[~batch.mask].any() and x.grad[batch.mask].any(-1).all()


@pytest.mark.parametrize("scheme", ["IOB2", "IOBES"])
def test_any_tags_are_read_as_seqeval_reads_them(scheme: str):
    """All sequences of up to four tags, most of which break the scheme."""
    tagset, names = TagSet(SPEC, scheme), tag_names(SPEC.labels, scheme)
    for length in range(1, 5):
        paths = np.asarray(list(itertools.product(range(len(names)), repeat=length)))
        padded = np.pad(paths, ((0, 0), (0, 2)), constant_values=1)
        mask = np.broadcast_to(np.arange(length + 2) < length, padded.shape)
        found = [[] for _ in paths]
        for row, *span in zip(*(array.tolist() for array in tagset.spans(padded, mask))):
            found[row].append(tuple(span))
        for path, spans in zip(paths, found):
            expected = [(a, b + 1, SPEC.labels.index(label)) for label, a, b in get_entities([names[i] for i in path])]
            assert spans == expected


def seen_in(model, batch):
    """Train on the gold, which fills the tables of steps, and give those tables."""
    run(model, (features(batch), batch, gold_of(model, batch)), True)
    return [table.numpy() for table in shim_of(model).module.seen]


def test_training_shows_the_steps_of_its_tags():
    model, batch = head_of(scheme="IOB2"), batch_of([DOC])
    assert not any(table.any() for table in shim_of(model).module.seen)
    run(model, (features(batch), batch, gold_of(model, batch)), False)
    assert not any(table.any() for table in shim_of(model).module.seen)
    start, transitions, end = seen_in(model, batch)
    names = tag_names(SPEC.labels, "IOB2")
    steps = {(names[a], names[b]) for a, b in zip(*np.nonzero(transitions))}
    first = {("B-Protein", "I-Protein"), ("I-Protein", "O")}
    assert steps == first | {("O", "B-Gene"), ("B-Gene", "B-Gene"), ("B-Gene", "I-Gene")}
    assert {names[i] for i in np.flatnonzero(start)} == {"B-Protein", "O"}
    assert {names[i] for i in np.flatnonzero(end)} == {"O", "I-Gene"}


@pytest.mark.parametrize("scheme", ["IOB2", "IOBES"])
@pytest.mark.parametrize("scale", [1.0, 30.0])
def test_viterbi_finds_the_best_of_the_seen_sequences(scheme: str, scale: float):
    model, batch = head_of(scheme=scheme, decoding=binary_transition_viterbi()), batch_of([DOC])
    start, transitions, end = seen_in(model, batch)
    for seed in range(5):
        x = features(batch, scale, seed)
        decoded = run(model, (x, batch, None, False), False)
        for row, length in enumerate(batch.lengths.tolist()):
            logs = np.log(probabilities(model, x[row, :length]))
            best, score = None, -np.inf
            for path in itertools.product(range(len(start)), repeat=length):
                legal = start[path[0]] and end[path[-1]] and all(transitions[a, b] for a, b in zip(path, path[1:]))
                total = sum(logs[t, tag] for t, tag in enumerate(path))
                if legal and total > score:
                    best, score = path, total
            assert tuple(decoded.tags[row, :length]) == best


def test_the_published_rule_takes_each_tokens_own_forward_score():
    """As a plain loop has it; its tags need not follow one another."""
    model, batch = head_of(decoding=binary_transition_viterbi(published=True)), batch_of([DOC])
    start, transitions, _ = seen_in(model, batch)
    broken = 0
    for seed in range(10):
        x = features(batch, 2.0, seed)
        decoded = run(model, (x, batch, None, False), False)
        for row, length in enumerate(batch.lengths.tolist()):
            logs = np.log(probabilities(model, x[row, :length]))
            scores = np.where(start, logs[0], -np.inf)
            expected = [int(scores.argmax())]
            for t in range(1, length):
                steps = np.where(transitions, scores[:, None], -np.inf)
                into = [max(steps[:, b]) for b in range(len(start))]
                scores = logs[t] + into
                expected.append(int(scores.argmax()))
            assert decoded.tags[row, :length].tolist() == expected
            broken += sum(not transitions[a, b] for a, b in zip(expected, expected[1:]))
    assert broken


def test_where_nothing_seen_leads_on_a_path_is_found_all_the_same():
    """Before training every step is allowed; a sentence that only an unseen step can tag takes as few as possible."""
    batch, empty = batch_of([DOC]), torch.zeros(3, dtype=torch.bool)
    log_probs = torch.randn(*batch.shape, 3).log_softmax(-1)
    untrained = Seen(empty, torch.zeros(3, 3, dtype=torch.bool), empty)
    for decode in (binary_transition_viterbi(), binary_transition_viterbi(published=True)):
        found = decode(log_probs, batch.length_tensor, untrained)
        assert torch.equal(found[batch.mask], greedy()(log_probs, batch.length_tensor, untrained)[batch.mask])
    only = torch.tensor([True, False, False])
    barred = Seen(only, torch.zeros(3, 3, dtype=torch.bool), only)
    found = binary_transition_viterbi()(log_probs, batch.length_tensor, barred)
    assert found[1, 0] == 0 and found[0, 0] == 0 == found[0, 2]


@pytest.mark.parametrize("scheme", ["IOB2", "IOBES"])
def test_scores_are_products_of_tag_probabilities(scheme: str):
    model, batch = head_of(scheme=scheme), batch_of([DOC])
    names, scored = tag_names(SPEC.labels, scheme), 0
    for seed in range(10):
        x = features(batch, seed=seed)
        decoded = run(model, (x, batch, None, True), False)
        assert run(model, (x, batch, None, False), False).scores is None
        for row, start, end, label, score in zip(*decoded.spans, decoded.scores):
            length = batch.lengths[row]
            chances = probabilities(model, x[row, :length])
            expected = np.prod([chances[t, decoded.tags[row, t]] for t in range(start, end)])
            if scheme == "IOB2" and end < length:
                expected *= 1 - chances[end, names.index(f"I-{SPEC.labels[label]}")]
            assert score == pytest.approx(expected, rel=1e-4)
            scored += 1
    assert scored > 20


def test_of_kind_tags():
    spec, batch = CorpusSpec("tags", ("DT", "NN", "VB")), batch_of([DOC])
    model = head_of(spec, decoding=binary_transition_viterbi())
    gold = torch.arange(12).view(3, 4) % 3
    assert run(model, (features(batch), batch, gold), True).shape == (3,)
    decoded = run(model, (features(batch), batch, None, True), False)
    assert decoded.spans is None and decoded.scores is None
    assert decoded.tags[2].tolist() == [2, 0, 1, 2] and decoded.tags[1, 0] == 1  # the only sequences that it saw


@pytest.mark.parametrize("scheme", ["IOB2", "IOBES"])
def test_new_labels_leave_what_was_known(scheme: str):
    model, batch = head_of(scheme=scheme), batch_of([DOC])
    seen, old = seen_in(model, batch), shim_of(model).module
    before = run(model, (features(batch), batch, None, True), False)
    initialize_with(model, 5, Y=CorpusSpec("spans", ("Gene", "Protein", "RNA")))
    module, size = shim_of(model).module, old.tagset.size
    assert module.tagset.size == size + len(module.tagset.prefixes) == model.get_dim("nO")
    assert torch.equal(module.emit.weight[:size], old.emit.weight) and not module.emit.weight[size:].any()
    assert np.array_equal(module.transitions_seen[:size, :size].numpy(), seen[1])
    assert np.array_equal(module.start_seen[:size].numpy(), seen[0]) and not module.end_seen[size:].any()
    after = run(model, (features(batch), batch, None, True), False)
    assert np.array_equal(after.tags[batch.mask_array], before.tags[batch.mask_array])
    initialize_with(model, 5, Y=module.tagset.spec)
    assert shim_of(model).module is module


def test_bytes_keep_the_seen_steps_and_the_config_says_the_decoding():
    model, batch = head_of(), batch_of([DOC])
    seen = seen_in(model, batch)
    data = model.to_bytes()
    other = Softmax(decoding=binary_transition_viterbi())
    assert other.from_bytes(data).to_bytes() == data
    assert all(np.array_equal(a, b.numpy()) for a, b in zip(seen, shim_of(other).module.seen))
    assert other.attrs["decoding"] == binary_transition_viterbi() and model.attrs["decoding"] == greedy()
    again = head_of(decoding=binary_transition_viterbi())
    seen_in(again, batch)
    ours, theirs = (run(one, (features(batch), batch, None, True), False) for one in (other, again))
    assert np.array_equal(ours.tags, theirs.tags) and np.array_equal(ours.scores, theirs.scores)


def test_dropout_of_features_in_training():
    model, batch = head_of(dropout=0.75), batch_of([DOC])
    gold = gold_of(model, batch)
    first, second = (run(model, (features(batch), batch, gold), True) for _ in range(2))
    assert not torch.equal(first, second)
    assert torch.equal(*(run(model, (features(batch), batch, gold), False) for _ in range(2)))
