"""Arms of a study: kinds of training that are compared on a corpus, each with its seeds."""

from statistics import mean
from typing import Any, Dict, Iterable, List, NamedTuple, Optional, Sequence, Tuple

from .queue import State
from .report import Cell, Table
from .significance import compare_all
from .statistics import Difference
from .tables import average, deviation, differences_table
from .training import Training


class Arm(NamedTuple):
    """corpus: which is scored. name: of the arm in tables. trainings: one a seed."""

    corpus: str
    name: str
    trainings: Tuple[Training, ...]

    def records(self, state: State) -> List[Dict[str, Any]]:
        """Return the records of the corpus, of the finished seeds."""
        results = [state.result(training) for training in self.trainings]
        found = [record for result in results if result for record in result["records"]]
        return [record for record in found if record["corpus"] == self.corpus]

    def f1(self, state: State, name: str = "f1") -> Optional[float]:
        """Return the mean F1 over the finished seeds, on test or (``devel_f1``) on devel."""
        return average(self.records(state), name)


Contrast = Tuple[Arm, Arm]
"""An arm, and the one that it is held against."""


def gain(contrast: Contrast, state: State, name: str = "f1") -> Optional[float]:
    """Return how much more F1 an arm has than what it is held against, over the seeds that both have finished: others
    would make a difference of their own. ``None`` where there is no such seed; ``name`` as ``Arm.f1`` takes it."""
    ours, theirs = ({r["seed"]: r[name] for r in arm.records(state) if name in r} for arm in contrast)
    found = [ours[seed] - theirs[seed] for seed in ours if seed in theirs]
    return round(mean(found), 2) if found else None


def by_seed(arms: Iterable[Arm]) -> List[Training]:
    """Return the trainings of arms, the first seed of all before any further one."""
    every = [arm.trainings for arm in arms]
    longest = max(map(len, every), default=0)
    return list(dict.fromkeys(found[i] for i in range(longest) for found in every if i < len(found)))


def differences(contrasts: Sequence[Contrast], state: State) -> List[Difference]:
    """Return the tests of each contrast, corrected for their number."""
    pairs = [(arm.corpus, base.name, arm.name, base.trainings, arm.trainings) for arm, base in contrasts]
    return compare_all(pairs, state)


def contrasts_table(contrasts: Sequence[Contrast], state: State) -> Table:
    """Return a row a contrast: F1 of both, and the difference."""
    header = ["corpus", "arm", "seeds", "F1", "sd", "devel F1", "held against", "its F1", "difference"]
    rows: List[List[Cell]] = []
    for arm, base in contrasts:
        found = arm.records(state)
        row: List[Cell] = [arm.corpus, arm.name, len(found), average(found, "f1"), deviation(found)]
        row += [average(found, "devel_f1"), base.name, base.f1(state), gain((arm, base), state)]
        rows.append(row)
    note = "Percent on test, exact match, means over the finished seeds; differences over those that both have."
    return Table("results", "Results", header, rows, note)


def tables_of_tests(contrasts: Sequence[Contrast], state: State) -> List[Table]:
    """Return the table of tests, where there are any."""
    found = differences(contrasts, state)
    return [differences_table(found)] if found else []
