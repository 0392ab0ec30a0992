"""Finished trainings against each other: the tests of ``statistics`` on what their folders hold."""

import warnings
from dataclasses import replace
from typing import Any, Dict, Iterable, List, Optional, Sequence, Tuple

import numpy as np
from numpy.typing import NDArray

from ..errors import E312
from .folder import COUNTS, read_json
from .queue import State
from .statistics import RESAMPLES, Difference, f1, holm, in_blocks, over_seeds, over_units
from .training import Training

Pair = Tuple[str, str, str, Sequence[Training], Sequence[Training]]
"""Corpus, two names, and the trainings of each."""


def compare_all(pairs: Iterable[Pair], state: State) -> List[Difference]:
    """Return a comparison for each pair that has a seed in common, corrected for their number; none for a plain
    report."""
    if state.plain:
        return []
    pairs = list(pairs)
    resamples = max(RESAMPLES, 40 * len(pairs))  # so that p may be 0.025 after correction
    made = [compare_pair(*pair, state, resamples) for pair in pairs]
    found = [comparison for comparison in made if comparison is not None]
    corrected = holm([comparison.bootstrap for comparison in found])
    return [replace(comparison, holm=p) for comparison, p in zip(found, corrected)]


def compare_pair(
    corpus: str,
    name: str,
    other: str,
    first: Sequence[Training],
    second: Sequence[Training],
    state: State,
    resamples: int = RESAMPLES,
) -> Optional[Difference]:
    """Compare the finished trainings of two kinds on a corpus, over the seeds that both have; ``None`` without any, for
    a corpus of tags, which has no F1, and, with the warning MTL312, where their units of test are not the same."""
    ones, others = _by_seed(first, state), _by_seed(second, state)
    seeds = [seed for seed in ones if seed in others]
    counts = [[_counts(found[seed], corpus, state) for seed in seeds] for found in (ones, others)]
    if not seeds or any(found is None for side in counts for found in side):
        return None
    scores = [[_f1(found[seed], corpus, state) for seed in seeds] for found in (ones, others)]
    unit = read_json(state.runs.folder(ones[seeds[0]]) / COUNTS)[corpus]["unit"]
    gold = [found[:, 0] + found[:, 2] for side in counts for found in side]  # of each unit, whatever was found
    if not all(np.array_equal(gold[0], units) for units in gold):
        warnings.warn(E312(corpus=corpus, first=name, second=other))
        return None
    pooled = [np.sum(side, axis=0) for side in counts]
    if unit == "sentence" and state.block > 1:
        unit, pooled = f"{state.block}-sentence block", [in_blocks(side, state.block) for side in pooled]
    tests: Dict[str, Any] = {**over_units(*pooled, resamples), **over_seeds(*scores)}
    return Difference(corpus, name, other, len(seeds), unit=unit, units=len(pooled[0]), **tests)


def _by_seed(trainings: Sequence[Training], state: State) -> Dict[int, Training]:
    return {training.seed: training for training in trainings if state.result(training) is not None}


def _counts(training: Training, corpus: str, state: State) -> Optional[NDArray[Any]]:
    """i64[U,3], the counts of each unit of test; ``None`` where they were not kept or do not make up the record's F1,
    or it has none."""
    kept, noted = read_json(state.runs.folder(training) / COUNTS), _f1(training, corpus, state)
    if kept is None or corpus not in kept or noted is None:
        return None
    counts = np.asarray(kept[corpus]["counts"], dtype="int64").reshape(-1, 3)
    return counts if abs(f1(*counts.sum(axis=0)) - noted) < 0.01 else None


def _f1(training: Training, corpus: str, state: State) -> Optional[float]:
    result = state.result(training) or {"records": []}
    return next(record.get("f1") for record in result["records"] if record["corpus"] == corpus)
