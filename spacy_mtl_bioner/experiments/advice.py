"""Which corpora to train together: ranked by what cheap statistics say, or by the gains that a study measured.

The cheap ranking is by the mean of a partner's ranks by each of ``MEASURES`` (relatedness), none weighted by results;
where the schedule is proportional its rank by size counts as much as all of them. How well a ranking foretells a
study's gains is Spearman's correlation of the two, which ``judge`` gives.
"""

import json
from collections import Counter
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, List, Mapping, NamedTuple, Optional, Set, Tuple

import numpy as np
from spacy.tokens import Doc
from spacy.vocab import Vocab

from ..corpora.catalogue import load_catalogue
from ..corpora.documents import read_docbin
from ..errors import E342, E343, MTLError
from ..pipeline.label_map import unified_label
from ..pipeline.tokenizer import split_words
from .converted import categories_of
from .overlap import words_of
from .published import ALL, published


@dataclass
class Profile:
    """What a training set has: occurrences of its words, of its words within entities, of its entities, and the
    categories of its labels; known: those of labels, where ``convert`` was told."""

    name: str
    words: Counter = field(default_factory=Counter)
    entity_words: Counter = field(default_factory=Counter)
    entities: Counter = field(default_factory=Counter)
    categories: Set[str] = field(default_factory=set)
    known: Mapping[str, str] = field(default_factory=dict)

    @property
    def tokens(self) -> int:
        """Words in all."""
        return sum(self.words.values())

    def add(self, doc: Doc) -> None:
        """Count a document."""
        self.words.update(_split(words_of(doc)))
        for entity in doc.ents:
            words = _split(words_of(entity))
            self.entity_words.update(words)
            self.entities[" ".join(words)] += 1
            label = entity.label_
            self.categories.add(unified_label(self.name, label, {}) or self.known.get(label, label))


def _split(words: Iterable[str]) -> List[str]:
    """The words as ``BioTokenizer`` has them, lower-cased: corpora split words differently, and are compared."""
    return [part for word in words for part in _parts(word)]


@lru_cache(maxsize=1 << 16)
def _parts(word: str) -> Tuple[str, ...]:
    return tuple(split_words(word.lower()))


def profile(name: str, path: Path) -> Profile:
    """Count a DocBin. Labels that no unified one is known for have the categories of the report beside it. Raises as
    ``read_docbin``, and MTL300 for a damaged report."""
    found = Profile(name, known=categories_of(path.parent))
    for doc in read_docbin(path, Vocab()):
        found.add(doc)
    return found


def words(main: Profile, partner: Profile) -> float:
    """Jaccard similarity of the vocabularies."""
    return _jaccard(main.words.keys(), partner.words.keys())


def entity_words(main: Profile, partner: Profile) -> float:
    """Jaccard similarity of the vocabularies within entities."""
    return _jaccard(main.entity_words.keys(), partner.entity_words.keys())


def mentions(main: Profile, partner: Profile) -> float:
    """The share of the main corpus' mentions that the partner annotates somewhere too, in the same words."""
    known = sum(count for entity, count in main.entities.items() if entity in partner.entities)
    return known / max(1, sum(main.entities.values()))


def agreement(main: Profile, partner: Profile) -> float:
    """Whether the same words are entities in both: the correlation of a shared word's share of occurrences within
    entities, weighted by its occurrences in the main corpus. 0 where such shares do not differ in one of them."""
    shared = sorted(main.words.keys() & partner.words.keys())
    weights = np.array([main.words[word] for word in shared], dtype="float64")
    shares = [np.array([one.entity_words[word] / one.words[word] for word in shared]) for one in (main, partner)]
    if not shared or not all(np.ptp(share) for share in shares):
        return 0.0
    a, b = (share - np.average(share, weights=weights) for share in shares)
    variance = np.average(a * a, weights=weights) * np.average(b * b, weights=weights)
    return float(np.average(a * b, weights=weights) / np.sqrt(variance))


def categories(main: Profile, partner: Profile) -> float:
    """Jaccard similarity of the categories of their labels."""
    return _jaccard(main.categories, partner.categories)


def smallness(main: Profile, partner: Profile) -> float:
    """The main corpus' tokens over the partner's: its share of the steps, where steps are shared out by size."""
    return main.tokens / max(1, partner.tokens)


def _jaccard(a: Iterable[str], b: Iterable[str]) -> float:
    a, b = set(a), set(b)
    return len(a & b) / len(a | b) if a | b else 0.0


Measure = Callable[[Profile, Profile], float]
MEASURES: Dict[str, Measure] = {
    "words": words,
    "entity words": entity_words,
    "mentions": mentions,
    "agreement": agreement,
    "categories": categories,
}
SIZE = "smallness"


class Advice(NamedTuple):
    """A partner of a corpus; its ``rank`` (1: best), and ``gain`` in F1 where a study measured it."""

    partner: str
    rank: float
    measures: Dict[str, float]
    gain: Optional[float] = None


def advise(main: str, profiles: Mapping[str, Profile], proportional: bool = False) -> List[Advice]:
    """Rank the other corpora, the best first.

    proportional: the schedule shares the steps out by size, so that small partners leave the main corpus more of them.
    Raises MTL343 without scipy.
    """
    rank = _scipy().rankdata
    partners = [name for name in profiles if name != main]
    table = {
        label: np.array([measure(profiles[main], profiles[name]) for name in partners])
        for label, measure in {**MEASURES, SIZE: smallness}.items()
    }
    ranks = rank(np.mean([rank(-table[label]) for label in MEASURES], axis=0))
    if proportional:
        ranks = rank((ranks + rank(-table[SIZE])) / 2)
    found = [
        Advice(name, float(ranks[i]), {label: round(float(column[i]), 4) for label, column in table.items()})
        for i, name in enumerate(partners)
    ]
    return sorted(found, key=lambda advice: (advice.rank, advice.partner))


@dataclass(frozen=True)
class PairScores:
    """The F1 of each main corpus with each partner, and alone where that was measured, on ``split``; ``paired``: the
    differences, where the study gives them, which has them seed by seed."""

    scores: Mapping[str, Mapping[str, float]]
    single: Mapping[str, float]
    split: str = "test"
    paired: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    def gains(self, main: str) -> Dict[str, float]:
        """F1 with each partner less F1 alone; where that is unknown, less the mean over the partners."""
        scores = self.scores.get(main, {})
        if self.paired.get(main):
            return dict(self.paired[main])
        alone = self.single.get(main)
        base = alone if alone is not None else float(np.mean(list(scores.values()))) if scores else 0.0
        return {partner: score - base for partner, score in scores.items()}


def read_study(path: Path) -> PairScores:
    """Read ``{"scores": {main: {partner: F1}}, "single": {main: F1}}``, ``gains`` like ``scores`` where there are any;
    F1 on test, or what stands under ``devel`` in the same form: who chooses a partner by test has tested nothing.
    Raises MTL342 for anything else."""
    try:
        data: Any = json.loads(path.read_text(encoding="utf8"))
        split = "devel" if data.get("devel", {}).get("scores") else "test"
        data = data["devel"] if split == "devel" else data
        scores, paired = (
            {str(main): {str(p): float(f) for p, f in row.items()} for main, row in table.items()}
            for table in (data["scores"], data.get("gains", {}))
        )
        single = {str(main): float(f) for main, f in data.get("single", {}).items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise MTLError(E342(path=path, reason=f"{type(error).__name__}: {error}")) from error
    if not any(scores.values()):
        raise MTLError(E342(path=path, reason="no score"))
    return PairScores(scores, single, split, paired)


def published_study() -> PairScores:
    """The published table of pairs (MO-MTM of Crichton et al. 2017, Additional file 1): F1 by the best evaluation on
    test, steps shared out by size; corpora as the catalogue calls them. The F1 of the same model alone is not given."""
    ours = {name.lower(): name for name in load_catalogue()}
    scores: Dict[str, Dict[str, float]] = {}
    for row in published():
        if row.system == "MO-MTM" and row.partner != ALL and row.metric == "F1":
            main, partner = (ours.get(name.lower(), name) for name in (row.corpus, row.partner))
            scores.setdefault(main, {})[partner] = row.value
    return PairScores(scores, {})


def with_gains(found: List[Advice], gains: Mapping[str, float]) -> List[Advice]:
    """The advice by measured gain, the largest first; what was not measured follows in its own order."""
    known = [advice._replace(gain=round(gains[advice.partner], 4)) for advice in found if advice.partner in gains]
    known.sort(key=lambda advice: -(advice.gain or 0.0))
    return known + [advice for advice in found if advice.partner not in gains]


def judge(study: PairScores, values: Callable[[str], Mapping[str, float]]) -> Dict[str, float]:
    """For each main corpus of a study Spearman's correlation of the gains with ``values`` of the partners (more is
    better), over the partners that both have: at least three, not all alike. Raises MTL343 without scipy."""
    correlate = _scipy().spearmanr
    found = {}
    for main in study.scores:
        gains, foretold = study.gains(main), values(main)
        both = [partner for partner in gains if partner in foretold]
        columns = [[column[partner] for partner in both] for column in (gains, foretold)]
        if len(both) >= 3 and all(len(set(column)) > 1 for column in columns):
            found[main] = float(correlate(*columns).statistic)
    return found


def correlations(study: PairScores, profiles: Mapping[str, Profile]) -> Dict[str, Dict[str, float]]:
    """Spearman's correlation with the gains for each main corpus: of both rankings, and of each measure alone. Raises
    MTL343 without scipy."""
    known = replace(study, scores={main: row for main, row in study.scores.items() if main in profiles})
    plain, sized = ({main: advise(main, profiles, flag) for main in known.scores} for flag in (False, True))
    found = {
        "ranking": judge(known, lambda main: {one.partner: -one.rank for one in plain[main]}),
        "ranking, proportional": judge(known, lambda main: {one.partner: -one.rank for one in sized[main]}),
    }
    for label in (*MEASURES, SIZE):
        found[label] = judge(known, lambda main: {one.partner: one.measures[label] for one in plain[main]})
    return found


def _scipy() -> Any:
    try:
        from scipy import stats
    except ImportError as error:
        raise MTLError(E343()) from error
    return stats
