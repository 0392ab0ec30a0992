"""Which sentences and labels of a corpus are kept: subsets, seeded shares, a devel split where there is none."""

import random
from dataclasses import replace
from typing import Collection, Iterable, Iterator, List, Mapping, Optional, Sequence, Tuple, TypeVar

from ..types import Sentence
from .schemes import SchemeLike, spans_to_tags, tags_to_spans

Item = TypeVar("Item")


def map_labels(
    sentences: Iterable[Sentence], labels: Mapping[str, str], scheme: SchemeLike, target: Optional[SchemeLike] = None
) -> Iterator[Sentence]:
    """Yield the sentences with their labels renamed by ``labels``, tagged in ``target`` (default: ``scheme``, theirs);
    an entity whose label is not in ``labels`` becomes Outside. Raises UnknownTag and SchemeViolation."""
    for sentence in sentences:
        found = tags_to_spans(sentence.tags, scheme)
        spans = [(start, end, labels[label]) for start, end, label in found if label in labels]
        yield replace(sentence, tags=spans_to_tags(len(sentence.tags), spans, target or scheme))


def keep_labels(sentences: Iterable[Sentence], labels: Collection[str], scheme: SchemeLike) -> Iterator[Sentence]:
    """Yield the sentences with the entities of ``labels`` only; the rest becomes Outside."""
    return map_labels(sentences, {label: label for label in labels}, scheme)


def sample(sentences: Sequence[Item], share: float, seed: int) -> List[Item]:
    """Return a random share (0 to 1, at least one) of the sentences (or of anything), in their order. The same seed
    gives the same sentences, and for one seed a larger share holds those of a smaller one."""
    order = list(range(len(sentences)))
    random.Random(seed).shuffle(order)
    kept = sorted(order[: max(1, round(share * len(order)))])
    return [sentences[i] for i in kept]


def split_off(sentences: Sequence[Sentence], share: float, seed: int) -> Tuple[List[Sentence], List[Sentence]]:
    """Return the sentences without, and those of, a seeded random share of the documents (of the sentences, where no
    documents, or just one, are known); a document is never cut, at least one is taken, and one of two or more left."""
    keys = [sentence.document if sentence.document is not None else str(i) for i, sentence in enumerate(sentences)]
    if len(set(keys)) == 1:  # such as a file with one -DOCSTART- at its head
        keys = [str(i) for i in range(len(sentences))]
    units = sorted(set(keys))
    random.Random(seed).shuffle(units)
    taken = set(units[: max(1, min(round(share * len(units)), len(units) - 1))])
    rest = [sentence for key, sentence in zip(keys, sentences) if key not in taken]
    return rest, [sentence for key, sentence in zip(keys, sentences) if key in taken]
