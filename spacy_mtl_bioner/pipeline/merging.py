"""From what each corpus found to entities that do not overlap: the policies for ``doc.ents``.

All policies work alike. Candidates of the same tokens are one proposal, whatever their corpora and labels. Proposals
are taken from best to worst, each unless it overlaps one already taken. A policy is what "best" means; ties go to the
longer, then the earlier proposal, then to the corpus of lower rank (its place in the selection), then by name. So the
result depends on the set of candidates alone, not on their order, and merging a result again changes nothing.

A score of ``None`` (not computed) or NaN is lower than any number.
"""

import math
from bisect import bisect_left, insort
from dataclasses import dataclass
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence, Set, Tuple

from spacy.tokens import Span
from spacy.util import registry

from ..errors import E105, MTLError


class Candidate(NamedTuple):
    """An entity that one corpus found: tokens ``start`` to ``end`` (exclusive); ``rank``: the corpus' place."""

    start: int
    end: int
    label: str
    corpus: str
    score: Optional[float] = None
    rank: int = 0


class Source(NamedTuple):
    """Where a merged entity comes from; ``unified``: what the label was taken for, ``None`` for itself."""

    corpus: str
    label: str
    score: Optional[float]
    unified: Optional[str] = None


class Merged(NamedTuple):
    """An entity of ``doc.ents``; ``sources`` are all corpora that proposed exactly these tokens, by rank."""

    start: int
    end: int
    label: str
    sources: Tuple[Source, ...]


MergePolicy = Callable[[List[Candidate]], List[Merged]]
"""A policy: candidates in any order to entities by start, none of which overlap."""

Order = Callable[[Candidate], Tuple[Any, ...]]
"""The smaller, the better."""


def _loss(score: Optional[float]) -> float:
    return math.inf if score is None or math.isnan(score) else -score


def _tie(found: Candidate) -> Tuple[Any, ...]:
    return (found.start - found.end, found.start, *by_place(found))


def by_place(found: Candidate) -> Tuple[Any, ...]:
    """The order of candidates of the same tokens: by the corpora's places, then by name."""
    return (found.rank, found.corpus, found.label, _loss(found.score), found.score is None)


def _is_disjoint(candidates: Sequence[Candidate]) -> bool:
    """Tell whether the candidates are sorted and do not overlap, as those of a single corpus are."""
    end = 0
    for found in candidates:
        if found.start < end:
            return False
        end = found.end
    return True


def _merged(best: Candidate, group: Sequence[Candidate]) -> Merged:
    if len(group) > 1:
        group = sorted(group, key=by_place)
    return Merged(best.start, best.end, best.label, tuple([Source(c.corpus, c.label, c.score) for c in group]))


def _all(candidates: Sequence[Candidate]) -> List[Merged]:
    return [Merged(c.start, c.end, c.label, (Source(c.corpus, c.label, c.score),)) for c in candidates]


def proposals(candidates: Sequence[Candidate]) -> List[List[Candidate]]:
    """Group candidates that cover the same tokens."""
    groups: Dict[Tuple[int, int], List[Candidate]] = {}
    for found in candidates:
        groups.setdefault((found.start, found.end), []).append(found)
    return list(groups.values())


def take_best(groups: Sequence[Tuple[Tuple[Any, ...], Candidate, List[Candidate]]]) -> List[Merged]:
    """Take proposals ``(rank, best candidate, all candidates)`` by rank, each that overlaps none taken before."""
    taken: List[Tuple[int, int]] = []
    merged = []
    for _, best, group in sorted(groups, key=lambda item: item[0]):
        at = bisect_left(taken, (best.start, best.end))
        if at and taken[at - 1][1] > best.start or at < len(taken) and taken[at][0] < best.end:
            continue
        insort(taken, (best.start, best.end))
        merged.append(_merged(best, group))
    return sorted(merged)


def merge_by(candidates: Sequence[Candidate], order: Order) -> List[Merged]:
    """Merge where a proposal is as good as the best of its candidates, which also gives the label."""
    if _is_disjoint(candidates):
        return _all(candidates)
    ranked = []
    for group in proposals(candidates):
        best = min(group, key=order)
        ranked.append((order(best), best, group))
    return take_best(ranked)


def provenance(entities: Sequence[Span], merged: Sequence[Merged]) -> List[List[Any]]:
    """Return ``Doc._.mtl`` for the entities made of ``merged``, as plain lists that JSON and msgpack keep.

    An entry is ``[start character, end character, label, [[corpus, label, score or None, unified label], ...]]``. The
    unified label is the label itself where the policy unifies none.
    """
    return [
        [entity.start_char, entity.end_char, entity.label_, [[*s[:3], s.unified or s.label] for s in found.sources]]
        for entity, found in zip(entities, merged)
    ]


def _by_score(found: Candidate) -> Tuple[Any, ...]:
    return (_loss(found.score), *_tie(found))


@registry.misc("spacy_mtl_bioner.MergeByScore.v1")
def merge_by_score() -> MergePolicy:
    """The higher score wins; without scores, the longer entity."""
    return MergeByScore()


@dataclass(frozen=True)
class MergeByScore:
    """The higher score wins; without scores, the longer entity."""

    def __call__(self, candidates: List[Candidate]) -> List[Merged]:
        return merge_by(candidates, _by_score)


@registry.misc("spacy_mtl_bioner.MergeLongest.v1")
def merge_longest() -> MergePolicy:
    """The longer entity wins, then the higher score, then the earlier."""
    return MergeLongest()


@dataclass(frozen=True)
class MergeLongest:
    """The longer entity wins, then the higher score, then the earlier."""

    def __call__(self, candidates: List[Candidate]) -> List[Merged]:
        return merge_by(candidates, _by_length)


def _by_length(found: Candidate) -> Tuple[Any, ...]:
    return (found.start - found.end, *_by_score(found))


@registry.misc("spacy_mtl_bioner.MergeByPriority.v1")
def merge_by_priority(priority: List[str]) -> MergePolicy:
    """The corpus that stands first in ``priority`` wins; corpora that are not in it follow, by score."""
    if not priority or len(set(priority)) < len(priority):
        expected = "at least one corpus, each once"
        raise MTLError(E105(policy="MergeByPriority", setting="priority", found=priority, expected=expected))
    return MergeByPriority(tuple(priority))


@dataclass(frozen=True)
class MergeByPriority:
    """The corpus that stands first in ``priority`` wins; corpora that are not in it follow, by score.

    ``priority`` names corpora, which the component can check against those it knows.
    """

    priority: Tuple[str, ...]

    def __call__(self, candidates: List[Candidate]) -> List[Merged]:
        places = {corpus: place for place, corpus in enumerate(self.priority)}
        return merge_by(candidates, lambda found: (places.get(found.corpus, len(places)), *_by_score(found)))


@registry.misc("spacy_mtl_bioner.MergeByVote.v1")
def merge_by_vote(minimum: int = 1) -> MergePolicy:
    """The entity that most corpora propose, with exactly these tokens, wins, then the higher score.

    minimum: leave out entities of fewer corpora; 1 keeps all. The label is that of most corpora.
    """
    if minimum < 1:
        raise MTLError(E105(policy="MergeByVote", setting="minimum", found=minimum, expected="1 or more"))
    return MergeByVote(minimum)


@dataclass(frozen=True)
class MergeByVote:
    """The entity that most corpora propose wins; see ``merge_by_vote``."""

    minimum: int = 1

    def __call__(self, candidates: List[Candidate]) -> List[Merged]:
        if self.minimum == 1 and _is_disjoint(candidates):
            return _all(candidates)
        ranked = []
        for group in proposals(candidates):
            votes = len({found.corpus for found in group})
            if votes >= self.minimum:
                best = _most_common(group)
                highest = min(_loss(found.score) for found in group)
                ranked.append(((-votes, highest, *_tie(best)), best, group))
        return take_best(ranked)


def _most_common(group: Sequence[Candidate]) -> Candidate:
    """Return the best candidate of the label that most corpora give."""
    voters: Dict[str, Set[str]] = {}
    for found in group:
        voters.setdefault(found.label, set()).add(found.corpus)
    return min(group, key=lambda found: (-len(voters[found.label]), *_by_score(found)))
