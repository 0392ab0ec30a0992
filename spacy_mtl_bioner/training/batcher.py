"""Batches of one corpus each, in an order that a schedule sets; batches of sentences of like length."""

import random
import warnings
from typing import Callable, Dict, Iterable, Iterator, List

from spacy.training import Example
from spacy.util import registry

from ..errors import E147, E148, E150, MTLError
from .schedules import Schedule

Batch = List[Example]
Batcher = Callable[[Iterable[Example]], Iterable[Batch]]


@registry.batchers("spacy_mtl_bioner.CorpusBatches.v1")
def create_corpus_batches(inner: Batcher, schedule: Schedule) -> Batcher:
    """Batch each corpus with ``inner``, any batcher of spaCy or ours, and interleave the batches by ``schedule``."""
    return CorpusBatches(inner, schedule)


class CorpusBatches:
    """Called once an epoch with its examples, yields finitely many batches of one corpus each (``Doc._.corpus``).

    ``epoch`` counts the calls. Shuffling uses Python's global ``random``, which ``spacy train`` seeds, so a seed
    gives the same batches again. Raises MTL148 for an example of no corpus, and what the schedule raises.
    Warns (MTL150) where ``inner`` leaves out examples.
    """

    def __init__(self, inner: Batcher, schedule: Schedule) -> None:
        self.inner, self.schedule = inner, schedule
        self.epoch = 0

    def __call__(self, examples: Iterable[Example]) -> Iterator[Batch]:
        groups = by_corpus(examples)
        passes = {corpus: self._batches(corpus, group) for corpus, group in groups.items()}
        sizes = {corpus: len(batches) for corpus, batches in passes.items() if batches}
        order = self.schedule(sizes, self.epoch) if sizes else []
        self.epoch += 1
        for corpus in order:
            if not passes[corpus]:
                random.shuffle(groups[corpus])
                passes[corpus] = self._batches(corpus, groups[corpus])
            yield passes[corpus].pop()

    def _batches(self, corpus: str, group: List[Example]) -> List[Batch]:
        """Return one pass over a corpus, in reverse and thus ready to pop."""
        batches = [list(batch) for batch in self.inner(group)]
        kept = sum(map(len, batches))
        if kept < len(group):
            warnings.warn(E150(corpus=corpus, count=len(group) - kept, total=len(group)))
        return batches[::-1]


def by_corpus(examples: Iterable[Example]) -> Dict[str, List[Example]]:
    """Group examples by the corpus of their reference, keeping their order; corpora are sorted by name."""
    groups: Dict[str, List[Example]] = {}
    for example in examples:
        corpus = example.reference._.corpus
        if corpus is None:
            raise MTLError(E148(text=example.reference.text[:60]))
        groups.setdefault(corpus, []).append(example)
    return dict(sorted(groups.items()))


@registry.batchers("spacy_mtl_bioner.LengthBuckets.v1")
def length_buckets(size: int, pool: int = 20) -> Batcher:
    """Batches of ``size`` examples of like length, so that little is padding; every example once, batches shuffled.

    The examples are shuffled, sorted by their tokens in pools of ``pool * size``, and cut. A pool of 1 is plain
    shuffling; the larger it is, the less padding, and the less random the company of an example.
    """
    _positive("LengthBuckets", size=size, pool=pool)

    def batch(examples: Iterable[Example]) -> List[Batch]:
        pools = _sorted_pools(examples, size * pool)
        return _shuffled([items[i : i + size] for items in pools for i in range(0, len(items), size)])

    return batch


@registry.batchers("spacy_mtl_bioner.TokenBuckets.v1")
def token_buckets(tokens: int, pool: int = 1000) -> Batcher:
    """Batches of like length that, padded to their longest example, have at most ``tokens`` tokens.

    As ``LengthBuckets``, with ``pool`` in examples. A longer example is a batch of its own; none is left out.
    """
    _positive("TokenBuckets", tokens=tokens, pool=pool)

    def batch(examples: Iterable[Example]) -> List[Batch]:
        return _shuffled([part for items in _sorted_pools(examples, pool) for part in _fill(items, tokens)])

    return batch


def _fill(items: List[Example], tokens: int) -> Iterator[Batch]:
    """Cut examples that are sorted by length where the padded size, longest times number, would exceed ``tokens``."""
    first = 0
    for i, example in enumerate(items):
        if i > first and len(example) * (i + 1 - first) > tokens:
            yield items[first:i]
            first = i
    if first < len(items):
        yield items[first:]


def _sorted_pools(examples: Iterable[Example], size: int) -> List[List[Example]]:
    items = list(examples)
    random.shuffle(items)
    return [sorted(items[i : i + size], key=len) for i in range(0, len(items), size)]


def _shuffled(batches: List[Batch]) -> List[Batch]:
    random.shuffle(batches)
    return batches


def _positive(part: str, **settings: int) -> None:
    for setting, value in settings.items():
        if value < 1:
            raise MTLError(E147(part=part, setting=setting, found=value, expected="1 or more"))
