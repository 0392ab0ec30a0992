"""One entity type of a partner at a time: what of a corpus is it that helps? (Wang Xi et al. 2019, table 5)"""

from dataclasses import dataclass
from functools import partial
from typing import Dict, List, Tuple

from ..arms import Arm, Contrast, by_seed, contrasts_table, gain, tables_of_tests
from ..converted import labels_of
from ..plots import bars
from ..queue import State
from ..report import Figure, Report
from ..study import records_of
from ..systems import System
from ..training import Training, Variant


@dataclass(frozen=True)
class Types:
    """``system`` on each main corpus with each partner: as it is, and reduced to each of its labels; held against
    ``baseline`` on the main corpus alone."""

    system: System
    baseline: System
    mains: Tuple[str, ...]
    partners: Tuple[str, ...]
    seeds: Tuple[int, ...] = (0,)
    name: str = "types"

    def __call__(self, state: State) -> List[Training]:
        """Return the plan: see ``queue.Plan``."""
        contrasts = self.contrasts(state)
        return by_seed([*(alone for _, alone in contrasts), *(arm for arm, _ in contrasts)])

    def contrasts(self, state: State) -> List[Contrast]:
        """Return each arm beside the main corpus alone."""
        found: List[Contrast] = []
        for main in self.mains:
            alone = Arm(main, "alone", tuple(self.baseline.train(main, (), seed) for seed in self.seeds))
            others = [partner for partner in self.partners if partner != main]
            found += [(arm, alone) for partner in others for arm in self.arms(main, partner, state)]
        return found

    def arms(self, main: str, partner: str, state: State) -> List[Arm]:
        """Return the trainings with a partner, whole and by label; a partner of one label is whole."""
        labels = labels_of(partner, state.runs.setting)
        parts: List[Tuple[Tuple[str, Variant], ...]] = [()]
        if len(labels) > 1:
            parts += [((partner, Variant((label,))),) for label in labels]
        return [self._arm(main, partner, part) for part in parts]

    def _arm(self, main: str, partner: str, part: Tuple[Tuple[str, Variant], ...]) -> Arm:
        name = f"with {partner}" + "".join(f" ({variant.title()})" for _, variant in part)
        return Arm(main, name, tuple(self.system.train(main, (partner,), seed, part) for seed in self.seeds))

    def report(self, state: State) -> Report:
        """Return F1 and gain of each arm, tests; a figure a main corpus."""
        contrasts = self.contrasts(state)
        gains: Dict[str, Dict[str, float]] = {}
        for arm, alone in contrasts:
            found = gain((arm, alone), state)
            if found is not None:
                gains.setdefault(arm.corpus, {})[arm.name] = found
        unit = "gain in F1 over the corpus alone"
        figures = [
            Figure(
                f"types_{main}",
                f"Gains of {main} by entity type of the partner",
                partial(bars, values=found, unit=unit),
            )
            for main, found in gains.items()
        ]
        tables = [contrasts_table(contrasts, state), *tables_of_tests(contrasts, state)]
        return Report(self.name, "Entity types of partners", records_of(self(state), state), tables, figures)
