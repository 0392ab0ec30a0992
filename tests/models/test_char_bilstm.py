"""The sentence's characters, one sentence at a time with torch's LSTM; the language model word by word."""

import pytest
import torch
from spacy.lang.en import English
from torch import nn

from spacy_mtl_bioner.layers.torch_layer import run, shim_of
from spacy_mtl_bioner.models.batch import Tokens
from spacy_mtl_bioner.models.decoder.crf import CRF
from spacy_mtl_bioner.models.embed.char_bilstm import END, SPACE, CharBiLSTM
from spacy_mtl_bioner.models.embed.characters import UNKNOWN
from spacy_mtl_bioner.models.multi_task_ner import MultiTaskNER
from spacy_mtl_bioner.models.sharing.fully_shared import FullyShared
from spacy_mtl_bioner.training.optimizers import Adam
from spacy_mtl_bioner.types import CorpusSpec

from .parts import CPU, batch_of, doc_of, encoder, gold_of, lexicon_of

LONG = "methylenetetrahydrofolate-" * 4
DOC = doc_of(English().vocab, "the IL-2 receptor", "a", f"NF-κB β2 {LONG} the 😀", "the receptor")


def model_of(**settings):
    torch.manual_seed(0)
    settings = {"width": 4, "units": 6, "min_count": 1, "dropout": 0.0, **settings}
    return CharBiLSTM(**settings).initialize(X=lexicon_of(DOC))


def shown(word: str, max_chars: int) -> str:
    half = max_chars // 2
    return word if len(word) <= max_chars else word[: max_chars - half] + word[-half:]


def sentence_alone(module, words, max_chars: int) -> torch.Tensor:
    """f32[T,2*units] from the whole sentence written out."""
    ids, after, before = [SPACE], [], []
    for word in words:
        before.append(len(ids) - 1)
        ids += [module.ids.get(character, UNKNOWN) for character in shown(word, max_chars)] + [SPACE]
        after.append(len(ids) - 1)
    ids[-1] = END
    ahead, _ = module.ahead(module.embedding[ids][None])
    back, _ = module.back(module.embedding[ids[::-1]][None])
    return torch.cat([ahead[0, after], back[0].flip(0)[before]], dim=1)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("max_chars", [7, 45, 1000])
def test_each_sentence_alone(training: bool, max_chars: int):
    """The same vectors, and the same gradients, in a batch as alone."""
    model, batch = model_of(max_chars=max_chars), batch_of([DOC])
    module = shim_of(model).module
    found = run(model, batch, training)
    assert found.shape == (*batch.shape, 12) and model.get_dim("nO") == 12
    weight = torch.randn(found.shape, generator=torch.Generator().manual_seed(0))
    loss = 0.0
    for row, sentence in enumerate(DOC.sents):
        alone = sentence_alone(module, [token.text for token in sentence], max_chars)
        torch.testing.assert_close(found[row, : len(sentence)], alone)
        loss = loss + (alone * weight[row, : len(sentence)]).sum()
    parameters = list(module.parameters())
    ours = torch.autograd.grad((found * weight * batch.mask[..., None]).sum(), parameters)
    for one, other in zip(ours, torch.autograd.grad(loss, parameters)):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)


def test_order_and_company_do_not_matter():
    model = model_of()
    whole = run(model, batch_of([DOC]), False)
    turned = run(model, batch_of([DOC], order=[3, 0, 2, 1]), False)
    for row, place in enumerate([1, 3, 2, 0]):
        length = len(list(DOC.sents)[row])
        torch.testing.assert_close(whole[row, :length], turned[place, :length])
    [one] = Tokens([DOC[0:3].as_doc()]).batches(64, CPU)
    torch.testing.assert_close(run(model, one, False)[0, :3], whole[0, :3])


def test_unknown_characters_and_rare_ones():
    model = model_of(min_count=2)
    assert set(shim_of(model).module.ids) == set("theaor2-")
    found = run(model, batch_of([doc_of(DOC.vocab, "ж", "ю", "h")]), False)
    assert torch.equal(found[0], found[1]) and not torch.equal(found[0], found[2])


@pytest.mark.parametrize("highway", [1, 2])
def test_highway_layers(highway: int):
    model, batch = model_of(highway=highway), batch_of([DOC])
    module = shim_of(model).module
    x = sentence_alone(module, ["the", "receptor"], 45)
    for layer in module.highway.layers:
        changed, gate = layer(x).split(12, dim=1)
        gate = torch.sigmoid(gate)
        assert gate.max() < 0.5
        x = gate * torch.relu(changed) + (1 - gate) * x
    torch.testing.assert_close(run(model, batch, False)[3, :2], x)
    assert len(module.highway.layers) == highway


def test_dropout_of_characters_in_training_alone():
    model, batch = model_of(dropout=0.5), batch_of([DOC])
    assert not torch.equal(run(model, batch, True), run(model, batch, True))
    assert torch.equal(run(model, batch, False), run(model, batch, False))


@pytest.mark.parametrize("highway", [0, 1])
def test_the_language_model_predicts_the_neighbors(highway: int):
    """Loss by a loop over the words; "the" is the most frequent, then "receptor"; the others are one class."""
    model = model_of(language_model=0.5, language_model_words=2, highway=highway)
    module, batch = shim_of(model).module, batch_of([DOC])
    run(model, batch, True)
    language_model, expected = module.language_model, 0.0
    classes = {DOC.vocab.strings[int(key)]: i for i, key in enumerate(language_model.keys.numpy().view("uint64"), 1)}
    assert set(classes) == {"the", "receptor"}
    for sentence in DOC.sents:
        words = [token.text for token in sentence]
        states, ways = sentence_alone(module, words, 45), ([], [])
        for i, word in enumerate(words):
            pairs = ((i + 1, states[i, :6]), (i - 1, states[i, 6:]))
            for way, (at, state) in enumerate(pairs):
                if 0 <= at < len(words):
                    scores = language_model.outputs[way](language_model.highways[way](state[None]))
                    target = torch.tensor([classes.get(words[at].lower(), 0)])
                    ways[way].append(nn.functional.cross_entropy(scores, target))
        expected += sum(torch.stack(losses).mean() for losses in ways if losses)
    expected *= 0.5 / len(list(DOC.sents))
    torch.testing.assert_close(batch.losses["language_model"], expected)


def test_the_language_model_costs_nothing_at_prediction():
    model, batch = model_of(language_model=1.0), batch_of([DOC])
    shim_of(model).module.language_model.forward = None
    run(model, batch, False)
    assert not batch.losses
    alone = batch_of([doc_of(DOC.vocab, "the", "receptor")])
    run(model_of(language_model=1.0), alone, True)
    assert float(alone.losses["language_model"].detach()) == 0.0


def test_it_is_a_loss_of_the_whole_model():
    torch.manual_seed(0)
    embed = CharBiLSTM(width=4, units=6, min_count=1, dropout=0.0, language_model=1.0)
    model = MultiTaskNER(FullyShared(encoder()), CRF(), embed=embed)
    model.initialize(X=lexicon_of(DOC), Y={"gene": CorpusSpec("spans", ("Gene", "Protein"))})
    optimizer, losses = Adam(0.05), []
    for _ in range(30):
        found, backprop = model.begin_update(gold_of([DOC], ["gene"]))
        losses.append(found.auxiliary["language_model"])
        backprop(1.0 / 4)
        model.finish_update(optimizer)
    assert losses[-1] < 0.5 * losses[0]


def test_to_and_from_bytes():
    model, other, batch = model_of(highway=1, language_model=0.1), CharBiLSTM(units=6), batch_of([DOC])
    data = model.to_bytes()
    assert other.from_bytes(data).to_bytes() == data
    assert torch.equal(run(other, batch, False), run(model, batch, False))
    run(other, batch, True)
    first = batch.losses.pop("language_model")
    run(model, batch, True)
    assert torch.equal(first, batch.losses["language_model"])


def test_the_next_training_has_a_weight_of_its_own():
    model = model_of(language_model=0.5, language_model_words=2)
    losses = []
    for weight in (0.5, 1.0, 0.0):
        shim_of(model).train_by({"language_model": weight})
        batch = batch_of([DOC])
        run(model, batch, True)
        losses.append(batch.losses.get("language_model"))
    assert losses[1] == 2 * losses[0] and losses[2] is None
    model_without = model_of(language_model=0.0)
    shim_of(model_without).train_by({"language_model": 1.0})
    run(model_without, batch := batch_of([DOC]), True)
    assert not batch.losses


def test_the_language_models_loss_is_float32_under_autocast():
    model, batch = model_of(language_model=0.5, language_model_words=2), batch_of([DOC])
    with torch.autocast("cpu", torch.bfloat16):
        run(model, batch, True)
    assert batch.losses["language_model"].dtype == torch.float32
