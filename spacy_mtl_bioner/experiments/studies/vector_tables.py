"""Several tables of word vectors under the same systems."""

from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path
from typing import Dict, List, Tuple

from ...errors import E303, MTLError
from ..arms import Arm, Contrast, by_seed, contrasts_table, tables_of_tests
from ..plots import f1_by_system
from ..queue import State
from ..report import Figure, Report
from ..study import records_of
from ..systems import Partners, System
from ..training import Training


@dataclass(frozen=True)
class VectorTables:
    """Each system on each main corpus with each table (a name and the folder of its vectors), held against the first.
    Systems that take partners get ``partners``, the same for all tables. Raises MTLError (MTL303) for one table, and
    for such a system without a partner."""

    systems: Tuple[System, ...]
    mains: Tuple[str, ...]
    tables: Tuple[Tuple[str, Path], ...]
    partners: Partners = ()
    seeds: Tuple[int, ...] = (0,)
    name: str = "vector_tables"

    def __post_init__(self) -> None:
        if len(self.tables) < 2:
            found = ",".join(name for name, _ in self.tables)
            raise MTLError(E303(option="--tables", found=found, expected="at least two"))
        several = [system.name for system in self.systems if not system.alone]
        for main in self.mains if several else ():
            if not set(self.partners) - {main}:
                expected = f"a partner of {main} for {', '.join(several)}"
                raise MTLError(E303(option="--partners", found=",".join(self.partners), expected=expected))

    def __call__(self, state: State) -> List[Training]:
        """Return the plan: see ``queue.Plan``."""
        return by_seed([*(first for _, first in self.contrasts()), *(arm for arm, _ in self.contrasts())])

    def arm(self, main: str, system: System, table: Tuple[str, Path]) -> Arm:
        """Return the trainings of a system with a table."""
        partners = () if system.alone else tuple(partner for partner in self.partners if partner != main)
        vectors = (("paths.vectors", str(table[1])),)
        trainings = (system.train(main, partners, seed, overrides=vectors) for seed in self.seeds)
        return Arm(main, f"{system.name}, {table[0]}", tuple(trainings))

    def contrasts(self) -> List[Contrast]:
        """Return each table beside the first."""
        every = product(self.mains, self.systems, self.tables[1:])
        return [
            (self.arm(main, system, table), self.arm(main, system, self.tables[0])) for main, system, table in every
        ]

    def report(self, state: State) -> Report:
        """Return F1 of each table and its difference from the first, tests; a point a seed."""
        contrasts = self.contrasts()
        scores: Dict[str, Dict[str, List[float]]] = {}
        for arm in dict.fromkeys(found for arm, first in contrasts for found in (first, arm)):
            values = [record["f1"] for record in arm.records(state) if "f1" in record]
            if values:
                scores.setdefault(arm.corpus, {})[arm.name] = values
        tables = [contrasts_table(contrasts, state), *tables_of_tests(contrasts, state)]
        figures = [
            Figure("tables", "F1 by table of word vectors, a point a seed", partial(f1_by_system, scores=scores))
        ]
        return Report(
            self.name, "Tables of word vectors", records_of(self(state), state), tables, figures if scores else []
        )
