"""How far does the same training spread over seeds, and does devel tell which seed is good on test?"""

from dataclasses import dataclass
from statistics import mean, stdev
from typing import List

from ..compare import Comparison
from ..queue import State
from ..report import Cell, Report, Table
from ..tables import by_group
from ..training import Training


NOTE = (
    "The 95 % interval is of the mean (Student's t); the last column is Pearson's correlation of F1 on devel and on "
    "test over seeds, where there are at least three that differ."
)


@dataclass(frozen=True)
class Seeds:
    """A comparison, looked at by seed."""

    comparison: Comparison
    name: str = "seeds"

    def __call__(self, state: State) -> List[Training]:
        """Return the plan: see ``queue.Plan``."""
        return self.comparison(state)

    def report(self, state: State) -> Report:
        """Return the report of the comparison with the spread over seeds before it."""
        report = self.comparison.report(state)
        report.name, report.title = self.name, "Spread over seeds"
        report.tables.insert(0, self._spread(report, state.plain))
        return report

    def _spread(self, report: Report, plain: bool) -> Table:
        header = ["corpus", "system", "partners", "seeds", "F1", "sd"]
        header += [] if plain else ["low", "high", "devel and test"]
        rows: List[List[Cell]] = []
        for group, found in by_group(report.records).items():
            f1 = [record["f1"] for record in found if "f1" in record]
            if len(f1) > 1:
                devel = [record["devel_f1"] for record in found if "f1" in record]
                row: List[Cell] = [group.corpus, group.title(), group.beside(), len(f1)]
                row += [round(mean(f1), 2), round(stdev(f1), 2)]
                rows.append(row if plain else [*row, *interval(f1), correlation(devel, f1)])
        return Table("spread", "F1 over seeds", header, rows, "" if plain else NOTE)


def interval(values: List[float]) -> List[Cell]:
    """Return the 95 % interval of the mean of at least two values."""
    from scipy.stats import sem, t

    half = float(t.ppf(0.975, len(values) - 1) * sem(values))
    return [round(mean(values) - half, 2), round(mean(values) + half, 2)]


def correlation(first: List[float], second: List[float]) -> Cell:
    """Return Pearson's correlation, ``None`` where it is not defined or of fewer than three pairs."""
    from scipy.stats import pearsonr

    if len(first) < 3 or min(len(set(first)), len(set(second))) < 2:
        return None
    return round(float(pearsonr(first, second).statistic), 2)
