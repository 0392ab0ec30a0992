"""The character convolution, word by word with torch's Conv1d."""

import pytest
import torch
from spacy.lang.en import English
from torch import nn

from spacy_mtl_bioner.layers.torch_layer import run, shim_of
from spacy_mtl_bioner.models.embed.char_cnn import CharCNN

from .parts import batch_of, doc_of, lexicon_of

LONG = "methylenetetrahydrofolate-" * 4
DOC = doc_of(English().vocab, "the IL-2 receptor", "a", f"NF-κB β2 {LONG} 😀", "the")


def model_of(**settings):
    torch.manual_seed(0)
    return CharCNN(**{"width": 4, "filters": 6, "min_count": 2, **settings}).initialize(X=lexicon_of(DOC))


def word_by_word(module, word: str, max_chars: int) -> torch.Tensor:
    if len(word) > max_chars:
        half = max_chars // 2
        word = word[: max_chars - half] + word[-half:]
    ids = [module.ids.get(character, 1) for character in word]
    edge = torch.zeros(module.window - 1, module.embedding.shape[1])
    characters = torch.cat([edge, module.embedding[ids], edge]).T[None]
    answers = nn.functional.conv1d(characters, module.weight.permute(2, 1, 0), module.bias)
    return torch.tanh(answers.amax(dim=2))[0]


@pytest.mark.parametrize("window", [1, 2, 3, 5])
@pytest.mark.parametrize("max_chars", [7, 45, 1000])
def test_as_conv1d_over_each_word(window: int, max_chars: int):
    model = model_of(window=window, max_chars=max_chars)
    module, batch = shim_of(model).module, batch_of([DOC])
    found = run(model, batch, True)
    assert found.shape == (*batch.shape, 6) == (*batch.shape, model.get_dim("nO"))
    for row, sentence in enumerate(DOC.sents):
        for column, token in enumerate(sentence):
            torch.testing.assert_close(found[row, column], word_by_word(module, token.text, max_chars))


def test_gradients_as_conv1d():
    model = model_of()
    module, batch = shim_of(model).module, batch_of([DOC])
    words = sorted({token.text for token in DOC})
    forms = batch.form_strings()
    found = run(model, batch, True)
    weight = torch.randn(len(words), 6, generator=torch.Generator().manual_seed(0))
    order = {word: i for i, word in enumerate(words)}
    loss, seen = 0.0, set()
    for row, sentence in enumerate(DOC.sents):
        for column, token in enumerate(sentence):
            if token.text not in seen:
                seen.add(token.text)
                loss = loss + (found[row, column] * weight[order[token.text]]).sum()
    expected = sum((word_by_word(module, word, 45) * weight[order[word]]).sum() for word in words)
    assert sorted(forms) == words
    parameters = list(module.parameters())
    for ours, theirs in zip(torch.autograd.grad(loss, parameters), torch.autograd.grad(expected, parameters)):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-6)


def test_characters_of_a_single_word_are_unknown():
    model = model_of()
    module = shim_of(model).module
    assert "e" in module.ids and "😀" not in module.ids and "κ" not in module.ids
    assert min(module.ids.values()) == 2 and max(module.ids.values()) == len(module.embedding) - 1
    batch = batch_of([doc_of(DOC.vocab, "☃", "ж", "e")])
    found = run(model, batch, False)
    assert torch.equal(found[0], found[1]) and not torch.equal(found[0], found[2])


def test_alone_as_in_any_batch():
    model = model_of()
    whole = run(model, batch_of([DOC]), False)
    for sentence in range(4):
        batch = batch_of([DOC], [sentence])
        torch.testing.assert_close(run(model, batch, False)[0], whole[sentence, : batch.shape[1]])


def test_to_and_from_bytes():
    model, other = model_of(), CharCNN(width=4, filters=6)
    data = model.to_bytes()
    assert other.from_bytes(data).to_bytes() == data
    batch = batch_of([DOC])
    assert torch.equal(run(other, batch, False), run(model, batch, False))
    assert shim_of(other).module.ids == shim_of(model).module.ids
