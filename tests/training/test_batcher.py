"""CorpusBatches, its schedules and the length buckets."""

import random
from collections import Counter
from itertools import groupby

import pytest
import spacy
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.tokens import Doc
from spacy.training import Example
from spacy.training.batchers import configure_minibatch, configure_minibatch_by_words
from spacy.util import registry

from spacy_mtl_bioner import extensions
from spacy_mtl_bioner.errors import MTLError
from spacy_mtl_bioner.training import schedules
from spacy_mtl_bioner.training.batcher import CorpusBatches, length_buckets, token_buckets

extensions.register()
VOCAB = spacy.blank("en").vocab


def example(corpus, length=3):
    reference = Doc(VOCAB, words=["w"] * length)
    reference._.corpus = corpus
    return Example(Doc(VOCAB, words=["w"] * length), reference)


def examples(**sizes):
    return [example(corpus, 1 + i % 7) for corpus, size in sizes.items() for i in range(size)]


def corpora(batches):
    return [batch[0].reference._.corpus for batch in batches]


def run(schedule, items, size=2, epochs=1):
    random.seed(1)
    batcher = CorpusBatches(configure_minibatch(size), schedule)
    return [list(batcher(items)) for _ in range(epochs)][-1]


@settings(deadline=None, max_examples=40)
@given(st.dictionaries(st.sampled_from("ABCD"), st.integers(1, 9), min_size=1), st.integers(1, 4),
       st.sampled_from([schedules.proportional(), schedules.sequential()]))
def test_every_example_once_and_one_corpus_a_batch(sizes, size, schedule):
    items = examples(**sizes)
    random.shuffle(items)
    batches = run(schedule, items, size)
    assert Counter(id(e) for batch in batches for e in batch) == Counter(map(id, items))
    assert all(len({e.reference._.corpus for e in batch}) == 1 and len(batch) <= size for batch in batches)


def test_proportional_mixes_and_temperature_evens_out():
    items = examples(A=160, B=20, C=2)
    order = corpora(run(schedules.proportional(), items))
    assert Counter(order) == {"A": 80, "B": 10, "C": 1}
    assert len(list(groupby(order))) > 10
    warm = Counter(corpora(run(schedules.proportional(2.0), items)))
    hot = Counter(corpora(run(schedules.proportional(1e9), items)))
    assert sum(warm.values()) == sum(hot.values()) == 91
    assert 1 < warm["C"] < warm["B"] < warm["A"] < 80
    assert max(hot.values()) - min(hot.values()) <= 1


def test_balanced_repeats_the_small_and_samples_the_large():
    items = examples(A=20, B=4)
    batches = run(schedules.balanced(), items)
    assert Counter(corpora(batches)) == {"A": 10, "B": 10}
    seen = Counter(id(e) for batch in batches for e in batch)
    assert set(seen) == set(map(id, items)) and sorted(seen.values()) == [1] * 20 + [5] * 4
    few = run(schedules.balanced(3), items)
    assert Counter(corpora(few)) == {"A": 3, "B": 3}


def test_alternate_takes_turns_until_the_main_corpus_is_through():
    items = examples(A=4, B=10, C=2)
    assert corpora(run(schedules.alternate(), items)) == ["B", "A", "C"] * 5
    batches = run(schedules.alternate("A"), items)
    assert corpora(batches) == ["A", "B", "C"] * 2
    assert len({id(e) for batch in batches for e in batch if e.reference._.corpus == "A"}) == 4


def test_random_draws_by_weight():
    items = examples(A=2000, B=200)
    counts = Counter(corpora(run(schedules.draw(), items)))
    assert sum(counts.values()) == 1100 and 450 < counts["A"] < 650
    assert len(run(schedules.draw(main="B"), items)) == 200
    assert set(corpora(run(schedules.draw(weights={"B": 2.0}), items))) == {"B"}
    assert len(run(schedules.draw(main="B", weights={"A": 1.0, "B": 3.0}), items)) == 133


def test_sequential_orders_and_trains_alone_first():
    items = examples(A=4, B=2, C=2)
    assert corpora(run(schedules.sequential(), items)) == ["A", "A", "B", "C"]
    assert corpora(run(schedules.sequential(["C"]), items)) == ["C", "A", "A", "B"]
    first = schedules.sequential(epochs={"C": 2, "A": 1})
    assert [corpora(run(first, items, epochs=n)) for n in (1, 2, 3, 4)] == [["C"], ["C"], ["A", "A"], ["B"]]
    every = schedules.sequential(epochs={"A": 0, "B": 1, "C": 1})
    assert [corpora(run(every, items, epochs=n)) for n in (1, 2, 3)] == [["B"], ["C"], ["C"]], "A is never trained"


def test_repeats_are_shuffled_anew():
    items = examples(A=2, B=40)
    batches = [[items.index(e) for e in batch] for batch in run(schedules.balanced(60), items)]
    passes = [batch for batch in batches if batch[0] >= 2]
    assert sorted(sum(passes[:20], [])) == sorted(sum(passes[20:40], []))
    assert passes[:20] != passes[20:40]


@pytest.mark.parametrize("schedule", [schedules.proportional(3.0), schedules.balanced(), schedules.draw()])
def test_a_seed_gives_the_same_batches(schedule):
    items = examples(A=9, B=5)
    first, second = ([[id(e) for e in batch] for batch in run(schedule, items)] for _ in range(2))
    assert first == second


def test_what_the_inner_batcher_drops_is_told():
    inner = configure_minibatch_by_words(size=3, tolerance=0.0, discard_oversize=True)
    batcher = CorpusBatches(inner, schedules.proportional())
    with pytest.warns(UserWarning, match=r"MTL150.*'A'.* 1 of 2"):
        assert len(list(batcher([example("A"), example("A", 9)]))) == 1
    with pytest.warns(UserWarning, match="MTL150"):
        assert list(batcher([example("A", 9)])) == []
    assert list(batcher([])) == []


def test_errors():
    with pytest.raises(MTLError, match=r"MTL148.*'w w w "):
        run(schedules.proportional(), [example(None)])
    for make in (
        lambda: schedules.alternate("Z"),
        lambda: schedules.draw(main="Z"),
        lambda: schedules.draw(weights={"Z": 1.0}),
        lambda: schedules.sequential(["Z"]),
        lambda: schedules.sequential(epochs={"Z": 1}),
    ):
        with pytest.raises(MTLError, match=r"MTL149.*'Z'.*has: A, B"):
            run(make(), examples(A=1, B=1))
    with pytest.raises(MTLError, match="MTL147.*some weight"):
        run(schedules.draw(main="A", weights={"B": 1.0}), examples(A=1, B=1))
    with pytest.raises(MTLError, match="MTL147.*1 or more"):
        run(schedules.sequential(epochs={"A": 0, "B": 0}), examples(A=1, B=1))
    for make in (
        lambda: schedules.proportional(0.5),
        lambda: schedules.sequential(epochs={"A": -1}),
        lambda: schedules.balanced(0),
        lambda: schedules.draw(weights={"A": -1.0}),
        lambda: schedules.draw(weights={"A": 0.0}),
        lambda: length_buckets(0),
        lambda: length_buckets(1, 0),
        lambda: token_buckets(0),
    ):
        with pytest.raises(MTLError, match="MTL147"):
            make()


@given(st.lists(st.integers(1, 60), max_size=60), st.integers(1, 9), st.integers(1, 5))
def test_length_buckets_keep_all_and_lose_little(lengths, size, pool):
    items = ["w" * length for length in lengths]
    batches = list(length_buckets(size, pool)(items))
    assert Counter(sum(batches, [])) == Counter(items)
    assert all(len(batch) <= size for batch in batches)
    assert sum(len(batch) < size for batch in batches) <= 1
    whole = list(length_buckets(size, 1 + len(items))(items))
    bounds = sorted((min(map(len, batch)), max(map(len, batch))) for batch in whole)
    assert all(one[1] <= other[0] for one, other in zip(bounds, bounds[1:]))


@given(st.lists(st.integers(1, 60), max_size=60), st.integers(1, 100), st.integers(1, 30))
def test_token_buckets_keep_all_within_the_budget(lengths, tokens, pool):
    items = ["w" * length for length in lengths]
    batches = list(token_buckets(tokens, pool)(items))
    assert Counter(sum(batches, [])) == Counter(items)
    assert all(len(batch) == 1 or max(map(len, batch)) * len(batch) <= tokens for batch in batches)


def test_buckets_pad_less_than_plain_batches():
    draw = random.Random(0)
    items = ["w" * draw.randint(1, 80) for _ in range(1000)]

    def padded(batches):
        return sum(max(map(len, batch)) * len(batch) for batch in batches) / sum(map(len, items))

    assert padded(length_buckets(16)(items)) < 1.1 < 1.6 < padded(configure_minibatch(16)(items))


@pytest.mark.parametrize("name", ["Proportional", "Balanced", "Alternate", "Random", "Sequential"])
def test_from_config(name):
    config = {
        "batcher": {
            "@batchers": "spacy_mtl_bioner.CorpusBatches.v1",
            "inner": {"@batchers": "spacy_mtl_bioner.LengthBuckets.v1", "size": 2},
            "schedule": {"@misc": f"spacy_mtl_bioner.{name}.v1"},
        }
    }
    batches = list(registry.resolve(config)["batcher"](examples(A=4, B=2)))
    assert len(batches) in (3, 4) and set(corpora(batches)) <= {"A", "B"}


def test_one_corpus_an_epoch():
    """All of its batches, whichever is drawn; in the long run all alike, whatever their sizes."""
    batcher = CorpusBatches(configure_minibatch(2), schedules.one_corpus())
    random.seed(0)
    passes = [corpora(list(batcher(examples(A=5, B=2)))) for _ in range(60)]
    assert {tuple(drawn) for drawn in passes} == {("A",) * 3, ("B",)}
    assert 20 < sum(drawn == ["B"] for drawn in passes) < 40
