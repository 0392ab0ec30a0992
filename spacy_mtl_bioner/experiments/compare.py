"""The comparison of systems: which trainings it wants, in which order, and which partner each system gets."""

from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any, Dict, List, Optional, Tuple

from ..errors import E303, MTLError
from .plots import f1_by_system, lines
from .queue import State
from .report import Figure, Report
from .significance import Pair, compare_all
from .study import records_of
from .systems import Partners, System
from .tables import by_group, cost_table, differences_table, results_table
from .training import Training

_WANTED = "a corpus beside {0}, to train the system {1} with"


@dataclass(frozen=True)
class Comparison:
    """Systems on main corpora, and jointly on all of ``together``.

    A system that takes partners is trained with each of ``partners`` at the first seed; its partner for a main corpus
    is the best of them on devel, and the further seeds are trained with that one. So every system's first seed comes
    before any further one, and nothing is chosen on test.

    Raises MTLError (MTL303) where there is nothing to train, or a system would not be trained on a main corpus, for
    want of a partner, and there is no joint training of it either.
    """

    systems: Tuple[System, ...]
    mains: Tuple[str, ...] = ()
    partners: Tuple[Partners, ...] = ()
    seeds: Tuple[int, ...] = (0,)
    together: Tuple[str, ...] = ()
    name: str = "compare"

    def __post_init__(self) -> None:
        several = any(not system.alone for system in self.systems)
        if not self.mains and not (self.together and several):
            expected = "a corpus, or --together and a system whose config lists several corpora"
            raise MTLError(E303(option="--main", found="", expected=expected))
        if self.together and not several:
            expected = "a system whose config lists several corpora beside it"
            raise MTLError(E303(option="--together", found=",".join(self.together), expected=expected))
        for main, system in product(self.mains, self.systems):
            if not self.together and not self.candidates(system, main):
                found = ",".join("+".join(partners) for partners in self.partners)
                raise MTLError(E303(option="--partners", found=found, expected=_WANTED.format(main, system.name)))

    def __call__(self, state: State) -> List[Training]:
        """Return the plan: see ``queue.Plan``."""
        first, later = self.seeds[0], self.seeds[1:]
        joint = [system for system in self.systems if self.together and not system.alone]
        trials = {(main, system): self.trials(system, main) for main in self.mains for system in self.systems}
        ranks = max(map(len, trials.values()), default=0)
        wanted = [found[rank] for rank in range(ranks) for found in trials.values() if rank < len(found)]
        wanted += [system.train(None, self.together, first) for system in joint]
        for seed in later:
            for main, system in trials:
                chosen = self.chosen(system, main, state)
                if chosen is not None:
                    wanted.append(system.train(main, chosen, seed))
            wanted += [system.train(None, self.together, seed) for system in joint]
        return wanted

    def trials(self, system: System, main: str) -> List[Training]:
        """Return the trainings of the first seed, among which the partner is chosen."""
        return [system.train(main, partners, self.seeds[0]) for partners in self.candidates(system, main)]

    def candidates(self, system: System, main: str) -> List[Partners]:
        """Return the partners to try; a corpus is no partner of its own."""
        if system.alone:
            return [()]
        found = (tuple(corpus for corpus in partners if corpus != main) for partners in self.partners)
        return list(dict.fromkeys(partners for partners in found if partners))

    def chosen(self, system: System, main: str, state: State) -> Optional[Partners]:
        """Return the partners that are best on devel, once every candidate has finished or failed; the first of
        equals. ``None`` while that is open, and where none finished. Where there is no choice, it is made."""
        trials = self.trials(system, main)
        decided = len(trials) == 1 or all(state.settled(training) for training in trials)
        return self.best(system, main, state) if decided else None

    def best(self, system: System, main: str, state: State) -> Optional[Partners]:
        """Return the partners that are best on devel among those that have finished; where there is no choice, it is
        made."""
        candidates = self.candidates(system, main)
        if len(candidates) == 1:
            return candidates[0]
        return best_on_devel(dict(zip(candidates, self.trials(system, main))), state)

    def report(self, state: State) -> Report:
        """Return tables of results, other partners, differences from the first system, and cost; F1 and curves."""
        rows = self._chosen_trainings(state)
        records = records_of(self(state), state)
        chosen = records_of([training for found in rows.values() for training in found], state)
        others = [record for record in records if record not in chosen]
        report = Report(self.name, "Comparison of systems", records, [results_table(chosen)])
        if others:
            title = "Partners that were not chosen, at the first seed"
            report.tables.append(results_table(others, "other_partners", title))
        differences = compare_all(self._pairs(rows), state)
        if differences:
            title = f"Differences from {self.systems[0].name}"
            report.tables.append(differences_table(differences, title=title))
        report.tables.append(cost_table(chosen))
        scores = _scores(chosen)
        if scores:
            drawn = partial(f1_by_system, scores=scores)
            report.figures.append(Figure("systems", "F1 by system, a point a seed", drawn))
        for main in self.mains:
            curves = _curves({s.name: found for (corpus, s), found in rows.items() if corpus == main}, state)
            drawn = partial(lines, curves=curves, x=f"pass over {main}", y="F1 on devel, %")
            report.figures.append(Figure(f"curves_{main}", f"Learning curves, {main}, first seed", drawn))
        return report

    def _chosen_trainings(self, state: State) -> Dict[Tuple[Optional[str], System], List[Training]]:
        """The finished trainings with the partners that are best so far, by main corpus (``None``: joint) and
        system."""
        rows: Dict[Tuple[Optional[str], System], List[Training]] = {}
        for main, system in product(self.mains, self.systems):
            partners = self.best(system, main, state)
            rows[main, system] = [] if partners is None else [system.train(main, partners, s) for s in self.seeds]
        for system in self.systems:
            if self.together and not system.alone:
                rows[None, system] = [system.train(None, self.together, seed) for seed in self.seeds]
        return {key: [t for t in found if state.result(t) is not None] for key, found in rows.items()}

    def _pairs(self, rows: Dict[Tuple[Optional[str], System], List[Training]]) -> List[Pair]:
        """Each system beside the first of the comparison, a main corpus; and where it was trained jointly, a corpus:
        beside the first so trained or, where that takes no partner, alone."""
        first = self.systems[0]
        found: List[Pair] = [
            (main, first.name, system.name, rows[main, first], rows[main, system])
            for main, system in product(self.mains, self.systems[1:])
        ]
        for corpus, system in product(self.together, self.systems):
            base = None if (None, first) in rows else corpus
            if (None, system) in rows and (base, first) in rows and (base is not None or system != first):
                names = first.name if base else f"{first.name}, jointly", f"{system.name}, jointly"
                found.append((corpus, *names, rows[base, first], rows[None, system]))
        return found


def _scores(records: List[Dict[str, Any]]) -> Dict[str, Dict[str, List[float]]]:
    """Corpus -> system -> F1 of each seed."""
    scores: Dict[str, Dict[str, List[float]]] = {}
    for group, found in by_group(records).items():
        values = [record["f1"] for record in found if "f1" in record]
        if values:
            scores.setdefault(group.corpus, {})[group.title()] = values
    return scores


def _curves(trainings: Dict[str, List[Training]], state: State) -> Dict[str, List[Tuple[float, float]]]:
    """Pass and F1 on devel of the first finished seed of each system."""
    results = {name: state.result(found[0]) for name, found in trainings.items() if found}
    curves = {name: result["curve"] for name, result in results.items() if result}
    return {name: [(p["pass"], 100 * p["score"]) for p in curve] for name, curve in curves.items() if curve}


def best_on_devel(trials: Dict[Partners, Training], state: State) -> Optional[Partners]:
    """Return the partners whose training has the highest F1 on devel, accuracy for a corpus of tags."""
    devel: Dict[Partners, float] = {}
    for partners, training in trials.items():
        result = state.result(training)
        if result is not None:
            record = result["records"][0]
            devel[partners] = record.get("devel_f1", record.get("devel_accuracy", 0.0))
    return max(devel, key=lambda partners: devel[partners], default=None)
