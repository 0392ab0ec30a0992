"""Which corpora help which: likeness of their words, and a choice from it."""

from typing import Dict, Iterable, List, Mapping, Optional, Sequence

from ...errors import E201, MTLError

SIZE = 1024
"""Numbers of a sketch."""

Sketch = List[int]
"""The ``SIZE`` smallest hashes of a set, ascending: enough to estimate how alike sets are, and small enough to keep."""

Partners = Dict[str, List[str]]
"""{corpus: the corpora that help it}, later ones behind those that were there before."""


def sketch(hashes: Iterable[int]) -> Sketch:
    """The sketch of a set of hashes; that of a union is the sketch of both sketches."""
    return sorted(set(hashes))[:SIZE]


def likeness(one: Sketch, other: Sketch) -> float:
    """The Jaccard similarity of two sets: the share of the smallest hashes of their union that both have (bottom-k
    sketches, Cohen & Kaplan 2007); exact where the union has at most ``SIZE`` members."""
    both, union = set(one) & set(other), sketch([*one, *other])
    return sum(value in both for value in union) / max(len(union), 1)


def check_partners(given: Mapping[str, Sequence[str]], corpora: Sequence[str]) -> None:
    """Raise MTL201 where the partners that a config gives are no other corpora of the model."""
    for corpus, names in given.items():
        for name in (corpus, *names):
            if name not in corpora or (corpus in names):
                raise MTLError(E201(corpus=corpus, found=", ".join(names), known=", ".join(corpora)))


def choose_partners(
    corpora: Sequence[str],
    sketches: Mapping[str, Sketch],
    given: Mapping[str, Sequence[str]],
    most: Optional[int],
    old: Mapping[str, Sequence[str]],
) -> Partners:
    """The partners of each corpus: those it has (``old``), then what is ``given``, or else the corpora most alike up to
    ``most`` in all, in the order of the model."""
    return {corpus: _choose(corpus, corpora, sketches, given, most, list(old.get(corpus, ()))) for corpus in corpora}


def _choose(corpus, corpora, sketches, given, most, kept: List[str]) -> List[str]:
    if corpus in given:
        return [*kept, *(name for name in given[corpus] if name not in kept)]
    others = [other for other in corpora if other != corpus and other not in kept]
    if most is not None:
        mine = sketches.get(corpus, [])
        ranked = sorted(others, key=lambda other: -likeness(mine, sketches.get(other, [])))
        best = set(ranked[: max(0, most - len(kept))])
        others = [other for other in others if other in best]
    return [*kept, *others]
