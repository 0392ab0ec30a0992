"""Captured steps, with a stand-in for the GPU that computes again what was captured."""

from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from spacy.vectors import Vectors
from spacy.vocab import Vocab

from spacy_mtl_bioner.layers.gated_interaction import GatedInteraction
from spacy_mtl_bioner.layers.recording import recording
from spacy_mtl_bioner.layers.torch_layer import shim_of
from spacy_mtl_bioner.layers.transfer import to_device
from spacy_mtl_bioner.models import graphs
from spacy_mtl_bioner.models.decoder.crf import CRF, CRFHead
from spacy_mtl_bioner.models.decoder.position_crf import PositionCRF
from spacy_mtl_bioner.models.decoder.softmax import Softmax
from spacy_mtl_bioner.models.embed.char_cnn import CharCNN, CharConvolution
from spacy_mtl_bioner.models.embed.concat import ConcatEmbed
from spacy_mtl_bioner.models.embed.word_vectors import WordVectors
from spacy_mtl_bioner.models.encoder.window_cnn import WindowCNN, WindowConvolution
from spacy_mtl_bioner.models.graphs import GraphedSteps, Step, Terms, modules_of
from spacy_mtl_bioner.models.multi_task_ner import MultiTaskNER
from spacy_mtl_bioner.models.shared_heads import SharedHeads
from spacy_mtl_bioner.models.sharing.adversarial import Adversarial
from spacy_mtl_bioner.models.sharing.cross_sharing import CrossSharing
from spacy_mtl_bioner.models.sharing.dependent import Dependent
from spacy_mtl_bioner.models.sharing.fully_shared import FullyShared
from spacy_mtl_bioner.models.sharing.partly_shared import PartlyShared
from spacy_mtl_bioner.models.sharing.shared_private import SharedPrivate
from spacy_mtl_bioner.models.sharing.single_task import SingleTask

from .parts import SPECS, batch_of, doc_of, encoder, gold_of, lexicon_of

TEXTS = ["the BRCA1 gene causes breast cancer", "no change of p53 was seen", "asthma of many mice is rare", "a b c"]
WORDS = sorted({word for text in TEXTS for word in text.split()})
VECTORS = np.random.RandomState(0).uniform(-1, 1, (len(WORDS), 6)).astype("float32")
VOCAB = Vocab()
VOCAB.vectors = Vectors(data=VECTORS, keys=WORDS, strings=VOCAB.strings)
DOCS = [doc_of(VOCAB, text) for text in TEXTS]


def cnn(shared=False):
    torch.manual_seed(0)
    encoder = WindowCNN(filters=4, hidden=6, learn_padding=True)
    embed = WordVectors(trainable=False)
    heads = SharedHeads() if shared else None
    model = MultiTaskNER(FullyShared(encoder=encoder), Softmax(), embed=embed, heads=heads)
    return model.initialize(X=lexicon_of(*DOCS), Y={name: SPECS[name] for name in ("disease", "gene")})


@pytest.fixture
def recorder(monkeypatch):
    """How many steps the stand-in has captured and replayed; ``fails``: it cannot. Parts compute as on a GPU."""
    count = SimpleNamespace(captured=0, replayed=0, fails=False)

    def capture(batch, compute, params, gradients, stream, pool):
        warm = compute(batch)
        warm.total().backward()
        learned = [param for param in params if param.grad is not None]
        if count.fails:
            raise RuntimeError("operation not permitted when stream is capturing")
        found = [gradients.setdefault(param, torch.zeros_like(param)) for param in learned]
        terms, assumed = Terms(torch.zeros(()), {name: torch.zeros(()) for name in warm.auxiliary}), []
        count.captured += 1

        def replay():
            count.replayed += 1
            batch.placed, batch.losses = dict(step.inputs), {}
            for param in params:
                param.grad = None
            with recording() as conditions:
                again = compute(batch)
            assumed[:] = conditions
            again.total().backward()
            terms.own.copy_(again.own.detach())
            for name, loss in again.auxiliary.items():
                terms.auxiliary[name].copy_(loss.detach())
            for param, gradient in zip(learned, found):
                gradient.copy_(param.grad.to_dense())
                param.grad = None

        step = Step(SimpleNamespace(replay=replay), dict(batch.placed), terms, assumed, learned, found)
        return step

    serves, by_rows = GraphedSteps.serves, CharConvolution.by_rows

    def either(self, batch):
        return by_rows(self, batch) if batch.gold is None else self.by_products(batch)

    monkeypatch.setattr(CharConvolution, "by_rows", either)
    monkeypatch.setattr(WindowConvolution, "of_tokens", WindowConvolution.of_all)
    monkeypatch.setattr(graphs, "capture", capture)
    monkeypatch.setattr(
        GraphedSteps, "serves", lambda self, corpus, _, layers: serves(self, corpus, torch.device("cuda"), layers)
    )
    return count


def learn(model, docs, corpus="disease", weight=1.0):
    """The loss, and the gradients that are left, which are used up."""
    losses, backprop = model.begin_update(gold_of(docs, [corpus] * len(docs)))
    backprop(weight)
    return losses.total(), take(model)


def parameters(model):
    return [param for _, module in modules_of(model.layers) for param in module.parameters()]


def take(model):
    params = parameters(model)
    found = [None if param.grad is None else param.grad.to_dense().clone() for param in params]
    for param in params:
        param.grad = None
    return found


def assert_alike(one, other):
    assert one[0] == pytest.approx(other[0], rel=1e-5)
    for mine, theirs in zip(one[1], other[1]):
        assert (mine is None) == (theirs is None)
        if mine is not None:
            torch.testing.assert_close(mine, theirs)


def pairs():
    """Batches of one shape with other words, tags and lengths, and some of other shapes."""
    for order in ([0, 1], [1, 2], [2, 0], [0, 2], [1, 0], [3, 0], [2, 3], [3], [0, 1, 2], [3], [3]):
        yield [DOCS[i] for i in order]


def test_recorded_steps_learn_the_same(recorder):
    model, reference = cnn(), cnn()
    reference.attrs["runtime"].graphs.serves = lambda *_: False
    for docs in pairs():
        for corpus in ("disease", "gene"):
            assert_alike(learn(model, docs, corpus), learn(reference, docs, corpus))
    assert recorder.captured == 4 and recorder.replayed > 8


SHARING = {
    "SingleTask": SingleTask,
    "FullyShared": FullyShared,
    "SharedPrivate": SharedPrivate,
    "Adversarial": Adversarial,
    "CrossSharing": partial(CrossSharing, gate=GatedInteraction()),
    "PartlyShared": partial(PartlyShared, shared=["char_cnn"]),
    "Dependent": partial(Dependent, auxiliary="disease"),
    "Dependent, frozen": partial(Dependent, auxiliary="disease", frozen=True),
}


def lstms(sharing, decoder=CRF, words=False):
    torch.manual_seed(0)
    embed = ConcatEmbed(WordVectors(width=6, min_count=1, trainable=words), CharCNN(width=4, filters=5, min_count=1))
    model = MultiTaskNER(SHARING[sharing](encoder=encoder()), decoder(), embed=embed)
    return model.initialize(X=lexicon_of(*DOCS), Y={name: SPECS[name] for name in ("disease", "gene")})


@pytest.mark.parametrize("sharing", SHARING)
def test_every_sharing_part_can_be_recorded(recorder, sharing):
    model, reference = lstms(sharing), lstms(sharing)
    reference.attrs["runtime"].graphs.serves = lambda *_: False
    for docs in pairs():
        for corpus in ("disease", "gene"):
            assert_alike(learn(model, docs, corpus), learn(reference, docs, corpus))
    assert recorder.replayed > 6


def test_a_step_that_assumed_too_much_is_done_again(recorder):
    """Emissions so far apart that probabilities vanish in float32, which the recorded step cannot serve."""
    model, reference = lstms("SingleTask"), lstms("SingleTask")
    reference.attrs["runtime"].graphs.serves = lambda *_: False
    for _ in range(4):
        learn(model, DOCS[:2]), learn(reference, DOCS[:2])
    for one in (model, reference):
        for _, module in modules_of(one.layers):
            if isinstance(module, CRFHead):
                module.emit.weight.data.mul_(1e4)
    before = recorder.replayed
    mine = learn(model, DOCS[:2])
    assert recorder.replayed == before + 1
    assert mine[0] > 1e3
    assert_alike(mine, learn(reference, DOCS[:2]))


def test_characters_by_products_and_by_rows():
    """The same answers and gradients; there may be more of them."""
    torch.manual_seed(0)
    node = CharCNN(width=4, filters=5, min_count=1)
    node.initialize(X=lexicon_of(*DOCS))
    module, batch, results = shim_of(node).module, batch_of(DOCS), []
    for way in (module.by_rows, module.by_products):
        answers = way(batch)
        highest = answers.amax(dim=1)[: len(batch.forms)]
        highest.square().sum().backward()
        gradients = [param.grad.clone() for param in module.parameters() if param.grad is not None]
        results.append([highest.detach(), *gradients])
        module.zero_grad()
    for one, other in zip(*results):
        torch.testing.assert_close(one, other)
    assert answers.shape[0] == 128 and len(results[0]) == 3


def test_a_shape_is_recorded_when_it_came_often(recorder):
    """The first batch of a corpus shows which arrays there are."""
    model = cnn()
    for i in range(6):
        learn(model, DOCS[:2])
        assert (recorder.captured, recorder.replayed) == (int(i >= 3), max(0, i - 2))


def test_a_replay_moves_each_array_once(recorder, monkeypatch):
    model, moved = cnn(), []
    for _ in range(5):
        learn(model, DOCS[:2])
    monkeypatch.setattr(graphs, "to_device", lambda array, device: moved.append(array) or to_device(array, device))
    learn(model, DOCS[:2])
    (step,) = model.attrs["runtime"].graphs.steps.values()
    assert recorder.replayed == 3 and len(moved) == len(step.inputs) == 4


def test_weights_of_losses_and_gradients_that_add_up(recorder):
    model = cnn()
    for _ in range(4):
        once = learn(model, DOCS[:2])
    twice = learn(model, DOCS[:2], weight=2.0)
    assert recorder.replayed == 2
    assert_alike((once[0], [g if g is None else 2 * g for g in once[1]]), twice)
    for _ in range(2):  # the second is computed in the ordinary way, for the first's gradients are not used up
        model.begin_update(gold_of(DOCS[:2], ["disease"] * 2))[1](1.0)
    assert recorder.replayed == 3
    assert_alike((once[0], take(model)), twice)


def test_two_batches_before_their_backward_passes(recorder):
    model = cnn()
    for docs in (DOCS[:2], DOCS[1:3]) * 4:
        learn(model, docs)
    alone = [learn(model, docs) for docs in (DOCS[:2], DOCS[1:3])]
    began = [model.begin_update(gold_of(docs, ["disease"] * 2)) for docs in (DOCS[:2], DOCS[1:3])]
    for (losses, backprop), (loss, gradients) in zip(began, alone):
        assert losses.total() == pytest.approx(loss)
        backprop(1.0)
    both = [one if one is None else one + other for one, other in zip(alone[0][1], alone[1][1])]
    assert_alike((0, take(model)), (0, both))


def test_other_weights_in_the_same_place(recorder):
    model = cnn()
    for _ in range(4):
        learn(model, DOCS[:2])
    other = cnn()
    for param in parameters(other):
        param.data.mul_(0.5)
    expected = learn(other, DOCS[:2])
    model.from_bytes(other.to_bytes())
    assert_alike(learn(model, DOCS[:2]), expected)
    assert recorder.replayed == 1
    for _ in range(3):
        learn(model, DOCS[:2])
    assert recorder.replayed == 2
    for param in parameters(model)[:1]:
        param.data = param.data.clone()  # as a move to another device and back may do
    assert_alike(learn(model, DOCS[:2]), expected)
    assert recorder.replayed == 2
    model.copy(), model.initialize(Y={name: SPECS[name] for name in ("disease", "gene")})
    assert model.attrs["runtime"].graphs.steps == {}


@pytest.mark.parametrize("case", ["other decoder", "shared heads", "two corpora"])
def test_what_cannot_be_recorded(recorder, case):
    model = lstms("SingleTask", PositionCRF) if case == "other decoder" else cnn(shared=case == "shared heads")
    for _ in range(5):
        corpora = ["disease", "gene"] if case == "two corpora" else ["disease"] * 2
        model.begin_update(gold_of(DOCS[:2], corpora))[1](1.0)
        take(model)
    assert recorder.captured == 0


def test_where_capturing_fails_all_learn_in_the_ordinary_way(recorder):
    model, reference = cnn(), cnn()
    reference.attrs["runtime"].graphs.serves = lambda *_: False
    for _ in range(4):
        before = learn(model, DOCS[:1])
    recorder.fails = True
    for i in range(5):
        expected = learn(reference, DOCS[:2])
        if i == 2:
            with pytest.warns(UserWarning, match="MTL136.*not permitted"):
                assert_alike(learn(model, DOCS[:2]), expected)
        else:
            assert_alike(learn(model, DOCS[:2]), expected)
    assert recorder.captured == 1
    assert_alike(learn(model, DOCS[:1]), before)  # what was captured serves on
    assert recorder.replayed == 2


def test_the_weight_of_a_loss_counts_when_it_changes(recorder):
    model = cnn()
    for _ in range(5):
        once = learn(model, DOCS[:2])
    model.attrs["runtime"].loss_weights = {"disease": 3.0}
    thrice = [None if gradient is None else 3 * gradient for gradient in once[1]]
    assert_alike(learn(model, DOCS[:2]), (3 * once[0], thrice))


def test_an_array_of_the_host_is_not_captured():
    with recording(), pytest.raises(RuntimeError, match="array of the host"):
        to_device(np.zeros(3), torch.device("cpu"))


def test_no_more_than_the_limit(recorder, monkeypatch):
    monkeypatch.setattr(graphs, "MEETINGS", 1)
    model = cnn()
    model.attrs["runtime"].graphs.limit = 1
    for _ in range(3):
        learn(model, DOCS[:2]), learn(model, DOCS[:1])
    assert recorder.captured == 1


@pytest.mark.parametrize("left, right, widths", [(3, 3, [3, 4, 5]), (0, 2, [1, 3]), (2, 0, [2])])
def test_windows_of_padding_too(left, right, widths):
    """Both ways to compute the windows give the same features and gradients."""
    torch.manual_seed(0)
    node = WindowCNN(left, right, widths, filters=4, hidden=5, learn_padding=True)
    sharing = SingleTask(encoder=node)(WordVectors(width=6, min_count=1))
    sharing.initialize(X=lexicon_of(*DOCS), Y={"disease": SPECS["disease"]})
    (found,) = [n for n in sharing.walk() if n.name == "window_cnn" and shim_of(n).built]
    module, batch = shim_of(found).module, batch_of(DOCS)
    results = []
    for way in (module.of_tokens, module.of_all):
        x = torch.linspace(-1, 1, int(np.prod(batch.shape)) * 6).view(*batch.shape, 6).requires_grad_()
        out = way(x, batch)
        out.square().sum().backward()
        results.append([out.detach(), x.grad, *(param.grad.clone() for param in module.parameters())])
        module.zero_grad()
    for one, other in zip(*results):
        torch.testing.assert_close(one, other)
