"""One model for many corpora: all of them, or groups that annotate one category (Crichton et al. 2017)."""

from dataclasses import dataclass
from functools import partial
from typing import Dict, List, Optional, Tuple

from ..arms import Arm, Contrast, by_seed, contrasts_table, gain, tables_of_tests
from ..plots import bars
from ..queue import State
from ..report import Figure, Report
from ..study import records_of
from ..systems import System
from ..tables import cost_table
from ..training import Training, Variant

Labels = Optional[Tuple[str, ...]]
"""Of a corpus in a group; ``None``: all."""


@dataclass(frozen=True)
class Group:
    """name: in tables. corpora: with the labels that they are reduced to."""

    name: str
    corpora: Tuple[Tuple[str, Labels], ...]

    def variants(self, *names: str) -> Tuple[Tuple[str, Variant], ...]:
        """Return the parts of corpora that a training of these uses."""
        return tuple((c, Variant(labels)) for c, labels in self.corpora if c in names and labels is not None)


@dataclass(frozen=True)
class Together:
    """``system`` trained once on all corpora of each group, held against ``baseline`` on each alone."""

    name: str
    title: str
    system: System
    baseline: System
    groups: Tuple[Group, ...]
    seeds: Tuple[int, ...] = (0,)

    def __call__(self, state: State) -> List[Training]:
        """Return the plan: see ``queue.Plan``; joint trainings first, which say something of many corpora."""
        contrasts = self.contrasts()
        return by_seed([*(arm for arm, _ in contrasts), *(alone for _, alone in contrasts)])

    def contrasts(self) -> List[Contrast]:
        """Return each corpus of each group, together and alone."""
        return [self._contrast(group, corpus) for group in self.groups for corpus, _ in group.corpora]

    def _contrast(self, group: Group, corpus: str) -> Contrast:
        names = tuple(name for name, _ in group.corpora)
        both = tuple(self.system.train(None, names, seed, group.variants(*names)) for seed in self.seeds)
        alone = tuple(self.baseline.train(corpus, (), seed, group.variants(corpus)) for seed in self.seeds)
        reduced = f", {group.name}" if group.variants(corpus) else ""
        return Arm(corpus, group.name, both), Arm(corpus, f"alone{reduced}", alone)

    def report(self, state: State) -> Report:
        """Return F1 together and alone, tests, cost; a bar a corpus and group."""
        contrasts = self.contrasts()
        records = records_of(self(state), state)
        tables = [contrasts_table(contrasts, state), *tables_of_tests(contrasts, state), cost_table(records)]
        gains: Dict[str, float] = {}
        for arm, alone in contrasts:
            found = gain((arm, alone), state)
            if found is not None:
                gains[f"{arm.corpus}, {arm.name}"] = found
        drawn = partial(bars, values=gains, unit="gain in F1 over the corpus alone")
        return Report(self.name, self.title, records, tables, [Figure("gains", f"{self.title}: gains", drawn)])
