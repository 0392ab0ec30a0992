"""The BiLSTM against torch's own on packed sequences."""

import pytest
import torch
from spacy.lang.en import English
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from spacy_mtl_bioner.errors import MTLError
from spacy_mtl_bioner.layers.structure import initialize_with
from spacy_mtl_bioner.layers.torch_layer import run, shim_of
from spacy_mtl_bioner.models.encoder.bilstm import BiLSTM

from .parts import batch_of, doc_of

DOC = doc_of(English().vocab, "a b c", "d", "e f g h i j k", "l m")


def encoder(**settings):
    torch.manual_seed(0)
    return initialize_with(BiLSTM(**{"width": 4, "output": 3, "dropout": 0.0, **settings}), 5)


def inputs(batch, garbage: float = float("nan")):
    """A vector a token, the same in any batch; padding holds garbage."""
    table = torch.randn(16, 5, generator=torch.Generator().manual_seed(1))
    x = table[batch.positions]
    x[~batch.mask] = garbage
    return x


@pytest.mark.parametrize("depth", [1, 2])
def test_as_torch_on_packed_sequences(depth: int):
    model = encoder(depth=depth, output=None)
    module = shim_of(model).module
    peer = nn.LSTM(5, 4, num_layers=depth, bidirectional=True, batch_first=True)
    with torch.no_grad():
        for level, (ahead, back) in enumerate(zip(module.ahead, module.back)):
            for lstm, suffix in ((ahead, ""), (back, "_reverse")):
                for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
                    getattr(peer, f"{name}_l{level}{suffix}").copy_(getattr(lstm, f"{name}_l0"))
    batch = batch_of([DOC])
    x = inputs(batch, 0.0)
    packed = pack_padded_sequence(x, batch.length_tensor, batch_first=True, enforce_sorted=False)
    expected = pad_packed_sequence(peer(packed)[0], batch_first=True)[0]
    found = run(model, (x, batch), True)
    torch.testing.assert_close(found[batch.mask], expected[batch.mask], rtol=1e-5, atol=1e-6)
    (gradient,) = torch.autograd.grad(found[batch.mask].pow(2).sum(), [module.ahead[0].weight_ih_l0])
    (other,) = torch.autograd.grad(expected[batch.mask].pow(2).sum(), [peer.weight_ih_l0])
    torch.testing.assert_close(gradient, other, rtol=1e-4, atol=1e-5)


def test_projection():
    model = encoder()
    batch = batch_of([DOC])
    raw = encoder(output=None)
    shim_of(raw).module.load_state_dict(shim_of(model).module.state_dict(), strict=False)
    linear = shim_of(model).module.project
    expected = nn.functional.elu(linear(run(raw, (inputs(batch, 0.0), batch), False)))
    torch.testing.assert_close(run(model, (inputs(batch, 0.0), batch), False), expected)


@pytest.mark.parametrize("settings", [{}, {"depth": 2}, {"depth": 3, "output": None}])
def test_a_sentence_alone_as_in_any_batch(settings):
    """Whatever padding holds: not even NaN reaches a token."""
    model = encoder(**settings)
    orders = [[0], [1], [2], [3], [0, 1, 2, 3], [3, 2, 1, 0], [2, 0], [1, 3]]
    found = {}
    for order in orders:
        batch = batch_of([DOC], order)
        y = run(model, (inputs(batch), batch), False)
        for row, sentence in enumerate(order):
            found.setdefault(sentence, []).append(y[row, : batch.lengths[row]])
    for sentence, results in found.items():
        assert len(results) >= 4 and results[0].shape[0] == [3, 1, 7, 2][sentence]
        for other in results[1:]:
            torch.testing.assert_close(other, results[0], rtol=1e-5, atol=1e-6)


def test_the_backward_direction_starts_at_the_last_word():
    """A later token changes the features of an earlier one, and an earlier one those of a later one."""
    model, batch = encoder(), batch_of([DOC], [2])
    x = inputs(batch, 0.0)
    before = run(model, (x, batch), False)
    for changed in (0, 6):
        other = x.clone()
        other[0, changed] += 1.0
        assert bool((run(model, (other, batch), False) != before).any(-1).all())


def test_to_and_from_bytes():
    model, other = encoder(depth=2), BiLSTM(width=4, output=3, dropout=0.0, depth=2)
    batch = batch_of([DOC])
    with pytest.raises(MTLError, match="MTL130"):
        run(other, (inputs(batch), batch), False)
    data = model.to_bytes()
    other.from_bytes(data)
    assert other.to_bytes() == data and other.get_dim("nI") == 5
    x = inputs(batch, 0.0)
    assert torch.equal(run(other, (x, batch), False), run(model, (x, batch), False))


def test_initial_weights():
    lstm = shim_of(encoder(width=8)).module.back[0]
    for gate in range(4):
        recurrent = lstm.weight_hh_l0[8 * gate : 8 * gate + 8]
        torch.testing.assert_close(recurrent @ recurrent.T, torch.eye(8), rtol=1e-4, atol=1e-5)
    bias = lstm.bias_ih_l0 + lstm.bias_hh_l0
    assert bias.tolist() == [0.0] * 8 + [1.0] * 8 + [0.0] * 16


def test_dropout_only_in_training():
    model, batch = encoder(dropout=0.5), batch_of([DOC])
    x = inputs(batch, 0.0)
    assert torch.equal(run(model, (x, batch), False), run(model, (x, batch), False))
    assert not torch.equal(run(model, (x, batch), True), run(model, (x, batch), True))
