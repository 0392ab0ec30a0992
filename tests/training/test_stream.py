"""Batches that are drawn again, and random generators that go on where they were."""

import random

import numpy as np
import pytest
import spacy
import torch
from safetensors.torch import load, save
from spacy.tokens import Doc
from spacy.training import Example
from spacy.training.loop import create_train_batches

from spacy_mtl_bioner.extensions import register, set_chunks
from spacy_mtl_bioner.training.batcher import CorpusBatches, length_buckets
from spacy_mtl_bioner.training.random_states import from_tensor, random_states, set_random_states, to_tensor
from spacy_mtl_bioner.training.schedules import balanced
from spacy_mtl_bioner.training.stream import BatchStream, fingerprint

register()
NLP = spacy.blank("en")


def example(corpus: str, words, ents=None) -> Example:
    doc = Doc(NLP.vocab, words=words, ents=ents)
    doc._.corpus = corpus
    return Example(Doc(NLP.vocab, words=words), doc)


EXAMPLES = [example("a" if i % 3 else "b", ["w"] * (1 + i % 5)) for i in range(20)]


def stream() -> BatchStream:
    batcher = CorpusBatches(length_buckets(2, pool=2), balanced())
    return BatchStream(create_train_batches(NLP, lambda nlp: EXAMPLES[:], batcher, 0))


@pytest.mark.parametrize("others", [1.0, 0.3, 0.0])
@pytest.mark.parametrize("count", [0, 1, 13, 14, 40])
def test_the_same_batches_again(count: int, others: float):
    """Over several epochs, the smaller corpus shuffled within them, while others draw too, or now and then, or not."""
    chance = random.Random(3)

    def draw() -> None:
        if chance.random() < others:
            random.random()

    random.seed(1)
    first, expected = stream(), []
    for _ in range(count):
        next(first)
        draw()
    marks, state, later = list(first.marks), random.getstate(), chance.getstate()
    for _ in range(30):
        expected.append(next(first))
        draw()
    random.seed(2)
    second = stream()
    second.replay(count, marks)
    random.setstate(state)
    chance.setstate(later)
    for epoch, batch in expected:
        again, found = next(second)
        draw()
        assert again == epoch and [id(one) for one in found] == [id(one) for one in batch]
    assert second.marks == first.marks and second.drawn == first.drawn == count + 30
    assert len(first.marks) < 0.5 * first.drawn if others else len(first.marks) == 1
    assert all(numbers.itemsize * len(numbers) == 2500 for _, (_, numbers, _) in first.marks), "no tuple of integers"


def test_states_of_all_generators():
    random.gauss(0, 1), np.random.normal(), torch.randn(3)
    states = load(save(random_states()))

    def draw():
        return [random.random(), random.gauss(0, 1), np.random.normal(size=2).tolist(), torch.randn(2).tolist()]

    expected = draw()
    random.seed(5), np.random.seed(5), torch.manual_seed(5)
    set_random_states(states)
    assert draw() == expected
    random.gauss(0, 1)
    assert from_tensor(to_tensor(random.getstate())) == random.getstate()


def test_fingerprints():
    base = [example("a", ["p53", "gene"], ["B-x", "O"]), example("a", ["no"])]
    assert fingerprint(base) == fingerprint([example("a", ["p53", "gene"], ["B-x", "O"]), example("a", ["no"])])
    others = [
        base[::-1],
        base[:1],
        [example("b", ["p53", "gene"], ["B-x", "O"]), base[1]],
        [example("a", ["p53", "gene"], ["B-y", "O"]), base[1]],
        [example("a", ["p53", "gene"], ["B-x", "I-x"]), base[1]],
        [example("a", ["p53", "genes"], ["B-x", "O"]), base[1]],
    ]
    assert len({fingerprint(one) for one in [base, *others]}) == 7
    for heads, chunks in (([1, 1, 1], ["B-NP", "I-NP", "O"]), ([1, 1, 1], ["B-NP", "B-NP", "O"]), ([2, 2, 2], None)):
        parsed = Doc(NLP.vocab, words=["a", "b", "c"], heads=heads, deps=["dep"] * 3)
        if chunks:
            set_chunks(parsed, chunks)
        others.append([Example(Doc(NLP.vocab, words=["a", "b", "c"]), parsed)])
    assert len({fingerprint(one) for one in [base, *others]}) == 10
