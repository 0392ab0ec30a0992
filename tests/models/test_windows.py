"""Window CNN, feed-forward and identity encoders against a plain loop over the windows of each token."""

import numpy as np
import pytest
import torch
from spacy.lang.en import English
from torch.nn import functional as F

from spacy_mtl_bioner.errors import MTLError
from spacy_mtl_bioner.layers.structure import initialize_with
from spacy_mtl_bioner.layers.torch_layer import run, shim_of
from spacy_mtl_bioner.models.encoder.feed_forward import FeedForward
from spacy_mtl_bioner.models.encoder.identity import Identity
from spacy_mtl_bioner.models.encoder.window_cnn import WindowCNN
from spacy_mtl_bioner.models.encoder.windows import gather, lay_out, put_back, with_padding
from spacy_mtl_bioner.models.sharing.fully_shared import FullyShared
from spacy_mtl_bioner.models.sharing.single_task import SingleTask

from .parts import SPECS, batch_of, doc_of, embedding, features_of, lexicon_of

DOC = doc_of(English().vocab, "a b c", "d", "e f g h i j k l m", "n o")
LENGTHS = [3, 1, 9, 2]
CNNS = [{}, {"left": 0, "right": 2, "widths": [1, 3]}, {"left": 2, "right": 0, "widths": [2]}, {"learn_padding": True}]
DENSE = [{}, {"left": 0, "right": 0}, {"left": 1, "right": 4, "learn_padding": False}]


def cnn(**settings):
    torch.manual_seed(0)
    model = initialize_with(WindowCNN(**{"filters": 4, "hidden": 6, **settings}), 5)
    randomize_biases(model)
    return model


def dense(**settings):
    torch.manual_seed(0)
    model = initialize_with(FeedForward(**{"width": 6, **settings}), 5)
    randomize_biases(model)
    return model


def randomize_biases(model):
    for name, parameter in shim_of(model).module.named_parameters():
        if name.endswith("bias"):
            torch.nn.init.normal_(parameter)


def inputs(batch, garbage: float = float("nan")):
    """A vector a token, the same in any batch; padding holds garbage."""
    table = torch.randn(16, 5, generator=torch.Generator().manual_seed(1))
    x = table[batch.positions]
    x[~batch.mask] = garbage
    return x


def windows(module, x):
    """f32[T,D] of one sentence -> f32[T,W,D], the window of each token, by a loop."""
    outside = module.padding
    found = []
    for t in range(len(x)):
        places = range(t - module.left, t + module.right + 1)
        found.append(torch.stack([x[i] if 0 <= i < len(x) else outside for i in places]))
    return torch.stack(found)


def naive_cnn(module, x):
    """Every filter over every window, as torch's own convolution has it."""
    answers = []
    for bank, width in zip(module.banks, module.widths):
        kernel = bank.weight.view(len(bank.weight), width, -1).transpose(1, 2)
        answer = F.relu(F.conv1d(windows(module, x).transpose(1, 2), kernel, bank.bias))
        answers.append(answer.transpose(1, 2).flatten(1))
    return F.relu(F.linear(torch.cat(answers, 1), module.dense.weight, module.dense.bias))


def naive_dense(module, x):
    return F.relu(F.linear(windows(module, x).flatten(1), module.dense.weight, module.dense.bias))


CASES = [(cnn, naive_cnn, settings) for settings in CNNS] + [(dense, naive_dense, settings) for settings in DENSE]


@pytest.mark.parametrize("make, naive, settings", CASES)
def test_as_a_loop_over_windows(make, naive, settings):
    """Values, and gradients of the weights, the padding and the vectors, in float64."""
    module, batch = shim_of(make(**settings)).module.double(), batch_of([DOC])
    parameters = [parameter for parameter in module.parameters() if parameter.requires_grad]
    assert settings.get("learn_padding", make is dense) == any(p is module.padding for p in parameters)
    x = inputs(batch, 0.0).double().requires_grad_()
    found = module(x, batch)
    expected = torch.cat([naive(module, x[row, :length]) for row, length in enumerate(LENGTHS)])
    torch.testing.assert_close(found[batch.mask], expected)
    assert not found[~batch.mask].any() and (expected > 0).float().mean() > 0.1
    weight = torch.randn(expected.shape, dtype=torch.float64)
    ours = torch.autograd.grad((found[batch.mask] * weight).sum(), [x, *parameters])
    theirs = torch.autograd.grad((expected * weight).sum(), [x, *parameters], allow_unused=True)
    for one, other in zip(ours, theirs):
        torch.testing.assert_close(one, torch.zeros_like(one) if other is None else other)


@pytest.mark.parametrize("make", [cnn, dense])
def test_a_sentence_alone_as_in_any_batch(make):
    """Whatever padding holds: not even NaN reaches a token, or a gradient."""
    model, found = make(), {}
    for order in ([0], [1], [2], [3], [0, 1, 2, 3], [3, 2, 1, 0], [2, 0], [1, 3], [0, 0]):
        batch = batch_of([DOC], order)
        y = run(model, (inputs(batch), batch), False)
        assert torch.isfinite(y).all() and y.shape == (*batch.shape, 6)
        for row, sentence in enumerate(order):
            found.setdefault(sentence, []).append(y[row, : batch.lengths[row]])
    for sentence, results in found.items():
        assert len(results) >= 4 and len(results[0]) == LENGTHS[sentence]
        for other in results[1:]:
            torch.testing.assert_close(other, results[0], rtol=1e-5, atol=1e-6)
    y.sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in shim_of(model).module.parameters() if p.requires_grad)


def test_published_sizes():
    """12 positions of 100 filters, 1,200 units; vectors of 200 numbers as in the paper."""
    module = shim_of(initialize_with(WindowCNN(), 200)).module
    assert module.dense.weight.shape == (1200, 1200)
    weights = sum(p.numel() for p in module.parameters() if p.requires_grad)
    assert weights == (3 + 4 + 5) * 200 * 100 + 300 + 1200 * 1200 + 1200
    assert module.padding.shape == (200,) and 0 < float(module.padding.abs().max()) <= 0.05


@pytest.mark.parametrize("model, blank", [(cnn(), WindowCNN(filters=4, hidden=6)), (dense(), FeedForward(width=6))])
def test_to_and_from_bytes(model, blank):
    data, batch = model.to_bytes(), batch_of([DOC])
    with pytest.raises(MTLError, match="MTL130"):
        run(blank, (inputs(batch), batch), False)
    assert blank.from_bytes(data).to_bytes() == data and blank.get_dim("nI") == 5
    x = inputs(batch)
    assert torch.equal(run(blank, (x, batch), False), run(model, (x, batch), False))


def test_impossible_sizes():
    for settings in ({"left": -1}, {"widths": []}, {"widths": [0, 3]}, {"widths": [8]}):
        with pytest.raises(MTLError, match="MTL220"):
            WindowCNN(**settings)
    with pytest.raises(MTLError, match="MTL220.*FeedForward"):
        FeedForward(right=-2)


def test_dropout_of_the_feed_forward_units():
    batch = batch_of([DOC])
    model = dense(dropout=0.5)
    first, second = (run(model, (inputs(batch), batch), True) for _ in range(2))
    assert not torch.equal(first, second)
    assert torch.equal(*(run(model, (inputs(batch), batch), False) for _ in range(2)))


def test_laid_out_rows():
    batch = batch_of([DOC], [1, 0])
    rows, starts = lay_out(batch, 1, 2)
    assert rows.tolist() == [6, 0, 6, 6, 6, 3, 4, 5, 6, 6] and starts.tolist() == [0, 4, 5, 6]
    table = with_padding(torch.arange(6.0).view(2, 3, 1), torch.tensor([-1.0]))
    assert gather(table, rows[starts[:, None] + np.arange(4)])[:, :].tolist()[1] == [-1.0, 3.0, 4.0, 5.0]
    assert put_back(torch.arange(1.0, 5.0)[:, None], batch)[..., 0].tolist() == [[1, 0, 0], [2, 3, 4]]


@pytest.mark.parametrize("sharing", [FullyShared, SingleTask])
def test_identity_is_the_embedding_and_as_wide(sharing):
    model, other = (sharing(Identity())(embedding()) for _ in range(2))
    corpora = {name: SPECS[name] for name in ("disease", "gene")}
    model.initialize(X=lexicon_of(DOC), Y=corpora)
    assert model.get_dim("nO") == 11
    found = features_of(model, [DOC], ["disease"])["disease"]
    assert torch.equal(found, run(model.layers[0], batch_of([DOC]), False))
    other.initialize(Y=corpora)
    other.from_bytes(model.to_bytes())
    assert other.get_dim("nO") == 11
    assert torch.equal(features_of(other, [DOC], ["gene"])["gene"], features_of(model, [DOC], ["gene"])["gene"])
