"""How little data is enough: shares of a corpus' training sentences, alone and with its best partner."""

from bisect import insort
from dataclasses import dataclass
from functools import partial
from typing import Any, Dict, List, Optional, Tuple

from ..arms import Arm, Contrast, by_seed, tables_of_tests
from ..compare import Comparison
from ..plots import lines
from ..published import find
from ..queue import State
from ..report import Cell, Figure, Report, Table
from ..study import config_of, records_of
from ..systems import Partners, System
from ..tables import average, deviation
from ..training import Training, Variant


@dataclass(frozen=True)
class Sizes:
    """``baseline`` alone and ``system`` with a partner, on shares of each main corpus' training sentences, drawn with
    the seed of the training. The partner is the best of ``partners`` on devel, with all sentences, at the first
    seed."""

    system: System
    baseline: System
    mains: Tuple[str, ...]
    partners: Tuple[Partners, ...]
    shares: Tuple[float, ...] = (1.0, 0.5, 0.25, 0.1)
    seeds: Tuple[int, ...] = (0,)
    name: str = "sizes"

    def __call__(self, state: State) -> List[Training]:
        """Return the plan: see ``queue.Plan``."""
        choice = self._choice()
        trials = [training for main in self.mains for training in choice.trials(self.system, main)]
        arms = [arm for main in self.mains for share in self.shares for arm in self.arms(main, share, state) if arm]
        return list(dict.fromkeys([*trials, *by_seed(arms)]))

    def _choice(self) -> Comparison:
        return Comparison((self.system,), self.mains, self.partners, self.seeds[:1])

    def arms(self, main: str, share: float, state: State) -> Tuple[Arm, Optional[Arm]]:
        """Return the trainings of a share: alone, and with the partner once that is chosen."""
        alone = Arm(main, f"alone, {100 * share:g}%", self._train(self.baseline, main, (), share))
        chosen = self._choice().chosen(self.system, main, state)
        if chosen is None:
            return alone, None
        return alone, Arm(
            main, f"with {' + '.join(chosen)}, {100 * share:g}%", self._train(self.system, main, chosen, share)
        )

    def _train(self, system: System, main: str, partners: Partners, share: float) -> Tuple[Training, ...]:
        parts = {seed: ((main, Variant(None, share, seed)),) if share < 1 else () for seed in self.seeds}
        return tuple(system.train(main, partners, seed, parts[seed]) for seed in self.seeds)

    def report(self, state: State) -> Report:
        """Return F1 by share, tests of the partner's gain at each share; curves."""
        rows: List[List[Cell]] = []
        contrasts: List[Contrast] = []
        curves: Dict[str, Dict[str, List[Tuple[float, float]]]] = {}
        for main in self.mains:
            for share in self.shares:
                alone, paired = self.arms(main, share, state)
                rows += [self._row(main, share, arm, state) for arm in (alone, paired) if arm is not None]
                contrasts += [] if paired is None else [(paired, alone)]
                for arm in filter(None, (alone, paired)):
                    f1 = arm.f1(state)
                    if f1 is not None:
                        name = arm.name.rpartition(",")[0]
                        insort(curves.setdefault(main, {}).setdefault(name, []), (100 * share, f1))
        header = ["corpus", "share", "training", "seeds", "F1", "sd", "published F1"]
        note = "Percent on test, means over the finished seeds; each seed draws sentences of its own."
        tables = [Table("results", "F1 by share of the training sentences", header, rows, note)]
        tables += tables_of_tests(contrasts, state)
        return Report(self.name, "Training sizes", records_of(self(state), state), tables, _figures(curves))

    def _row(self, main: str, share: float, arm: Arm, state: State) -> List[Cell]:
        found = arm.records(state)
        first = arm.trainings[0]
        figures = find(first.system, main, first.partners, share=f"{100 * share:g}", config=config_of(first))
        known = "; ".join(map(str, figures))
        f1, name = average(found, "f1"), arm.name.rpartition(",")[0]
        return [main, f"{100 * share:g}%", name, len(found), f1, deviation(found), known or None]


def _figures(curves: Dict[str, Dict[str, Any]]) -> List[Figure]:
    x, y = "share of the training sentences, %", "F1 on test, %"
    return [
        Figure(f"sizes_{main}", f"F1 by training size, {main}", partial(lines, curves=found, x=x, y=y, marker="o"))
        for main, found in curves.items()
    ]
