"""Every ordered pair of corpora: which partner helps which main corpus (Crichton et al. 2017, additional table 1)."""

from dataclasses import dataclass
from functools import partial
from itertools import product
from statistics import mean
from typing import Any, Dict, List, Optional, Tuple

from ..arms import Arm, Contrast, by_seed, differences, gain
from ..converted import tokens_of
from ..folder import write_json
from ..plots import heat_map
from ..published import find
from ..queue import State
from ..report import Cell, Figure, Report, Table
from ..study import records_of
from ..systems import System
from ..tables import differences_table
from ..training import Training

PUBLISHED = "MO-MTM"
"""The published system of a table of pairs."""


@dataclass(frozen=True)
class Pairs:
    """``system`` on each corpus with each other one as its partner, held against ``baseline`` on the corpus alone.

    once: train two corpora together once and score both, by weights that are chosen on both devels, in place of once
    for each as the main corpus: half the trainings.
    """

    system: System
    baseline: System
    corpora: Tuple[str, ...]
    seeds: Tuple[int, ...] = (0,)
    once: bool = False
    name: str = "pairs"

    def __call__(self, state: State) -> List[Training]:
        """Return the plan: see ``queue.Plan``."""
        return by_seed([*map(self.alone, self.corpora), *(arm for arm, _ in self.contrasts())])

    def alone(self, main: str) -> Arm:
        """Return the baseline of a corpus."""
        return Arm(main, "alone", tuple(self.baseline.train(main, (), seed) for seed in self.seeds))

    def contrasts(self) -> List[Contrast]:
        """Return each pair beside its baseline, a partner of all corpora after the other."""
        pairs = [(main, other) for other, main in product(self.corpora, repeat=2) if main != other]
        return [(self.pair(main, other), self.alone(main)) for main, other in pairs]

    def pair(self, main: str, other: str) -> Arm:
        """Return the trainings of a pair."""
        first, others = (None, tuple(sorted((main, other)))) if self.once else (main, (other,))
        return Arm(main, f"with {other}", tuple(self.system.train(first, others, seed) for seed in self.seeds))

    def gain(self, main: str, other: str, state: State, name: str = "f1") -> Optional[float]:
        """Return how much F1 a partner adds, ``None`` while that is not known; see ``arms.gain``."""
        return None if main == other else gain((self.pair(main, other), self.alone(main)), state, name)

    def report(self, state: State) -> Report:
        """Return the matrix of F1 and gains, the partners' ranks beside their sizes, the published pairs, tests; a heat
        map. Writes ``pairs.json`` too, which ``suggest-partners`` reads."""
        records = records_of(self(state), state)
        gains = {(main, other): self.gain(main, other, state) for main, other in product(self.corpora, repeat=2)}
        tests = differences(self.contrasts(), state)
        sure = {(d.corpus, d.second): "*" for d in tests if d.significant}
        self._write_json(state)
        tables = [self._matrix(state), self._ranks(gains, state), self._published(gains, state)]
        tables += [differences_table(tests)] if tests else []
        values = [[gains[main, other] for other in self.corpora] for main in self.corpora]
        marks = [[sure.get((main, f"with {other}"), "") for other in self.corpora] for main in self.corpora]
        unit = "gain in F1 by the partner (* significant)"
        axes = {"rows": self.corpora, "columns": self.corpora, "x": "partner", "y": "main corpus"}
        drawn = partial(heat_map, **axes, values=values, marks=marks, unit=unit)
        title = "Gain in F1 of the corpus of the row by the partner of the column"
        return Report(self.name, "Pairs of corpora", records, tables, [Figure("gains", title, drawn)])

    def _matrix(self, state: State) -> Table:
        rows: List[List[Cell]] = []
        for main in self.corpora:
            others = [None if other == main else self.pair(main, other).f1(state) for other in self.corpora]
            rows.append([main, self.alone(main).f1(state), *others])
        note = "Percent on test, means over the finished seeds; a row a main corpus, a column a partner."
        if self.once:
            note += " Two corpora are trained together once, the epoch chosen by the mean of both devels."
        return Table("matrix", "F1 of each pair", ["main", "alone", *self.corpora], rows, note)

    def _ranks(self, gains: Dict[Tuple[str, str], Optional[float]], state: State) -> Table:
        """The mean rank of each partner over the main corpora whose row is complete."""
        complete = [main for main in self.corpora if all(gains[main, o] is not None for o in self.corpora if o != main)]
        ranks: Dict[str, List[float]] = {}
        for main in complete:
            row = {other: gains[main, other] or 0.0 for other in self.corpora if other != main}
            for other, own in row.items():  # equal gains share their ranks
                above, equal = (sum(map(test, row.values())) for test in (own.__lt__, own.__eq__))
                ranks.setdefault(other, []).append(above + (1 + equal) / 2)
        sizes = {other: tokens_of(other, state.runs.setting) for other in self.corpora}
        rows = [[o, sizes[o], round(mean(ranks[o]), 2) if o in ranks else None] for o in self.corpora]
        note = "Mean rank over the main corpora whose row is complete, 1 is best."
        known = [(sizes[o], mean(ranks[o])) for o in self.corpora if o in ranks]
        if len(known) > 2 and not state.plain and all(len(set(column)) > 1 for column in zip(*known)):
            from scipy.stats import spearmanr

            found = spearmanr(*zip(*known))
            note += (
                f" Spearman's correlation of size and mean rank: {found.statistic:+.2f} (p = {found.pvalue:.3f}); "
                "of the published table: +0.85, where batches were drawn in proportion to size."
            )
        return Table(
            "partners", "Partners by size and mean rank", ["partner", "training tokens", "mean rank"], rows, note
        )

    def _published(self, gains: Dict[Tuple[str, str], Optional[float]], state: State) -> Table:
        """Our pairs beside the published ones."""
        rows: List[List[Cell]] = []
        for arm, _ in self.contrasts():
            other = arm.name.partition(" ")[2]
            known = find(PUBLISHED, arm.corpus, (other,))
            rows.append([arm.corpus, other, arm.f1(state), gains[arm.corpus, other], known[0].value if known else None])
        note = (
            "Published: Crichton et al. 2017, additional file 1, table 1; the best of several evaluations on test, "
            "other word vectors. Compare the order within a main corpus, not the level."
        )
        return Table(
            "published", "Pairs beside the published", ["main", "partner", "F1", "gain", "published F1"], rows, note
        )

    def _write_json(self, state: State) -> None:
        kept = {**self._scores(state, "f1"), "devel": self._scores(state, "devel_f1")}
        write_json(state.runs.out / self.name / "pairs.json", kept)

    def _scores(self, state: State, name: str) -> Dict[str, Dict[str, Any]]:
        """What is known of pairs and of corpora alone; ``name`` as ``Arm.f1`` takes it."""
        pairs = {m: {o: self.pair(m, o).f1(state, name) for o in self.corpora if o != m} for m in self.corpora}
        gains = {m: {o: self.gain(m, o, state, name) for o in self.corpora if o != m} for m in self.corpora}
        single = {main: self.alone(main).f1(state, name) for main in self.corpora}
        return {"scores": _known_rows(pairs), "single": _known(single), "gains": _known_rows(gains)}


def _known(row: Dict[str, Optional[float]]) -> Dict[str, float]:
    return {name: value for name, value in row.items() if value is not None}


def _known_rows(table: Dict[str, Dict[str, Optional[float]]]) -> Dict[str, Dict[str, float]]:
    return {main: _known(row) for main, row in table.items()}
