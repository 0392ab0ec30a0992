"""The comparison of systems: which trainings it wants, in which order, and which partner each system gets."""

from dataclasses import dataclass
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple

from .protocol import describe
from .queue import State
from .training import Training


class System(NamedTuple):
    """A name in tables, and the config of pipeline and model."""

    name: str
    config: Path

    @property
    def alone(self) -> bool:
        """Whether it trains on one corpus and takes no partner."""
        return describe(self.config).alone

    def train(self, main: Optional[str], corpora: Sequence[str], seed: int) -> Training:
        """Return a training: of ``main`` with partners ``corpora``, or (``None``) of all of them together."""
        fixed = describe(self.config).fixed
        named = (*corpora, *fixed) if main is None else (main, *corpora, *fixed)
        return Training(self.name, self.config, tuple(dict.fromkeys(named)), main, seed)


Partners = Tuple[str, ...]
"""The partners of one training, usually one."""


@dataclass(frozen=True)
class Comparison:
    """Systems on main corpora, and jointly on all of ``together``.

    A system that takes partners is trained with each of ``partners`` at the first seed; its partner for a main corpus is
    the best of them on devel, and the further seeds are trained with that one. So every system's first seed comes before
    any further one, and nothing is chosen on test.
    """

    systems: Tuple[System, ...]
    mains: Tuple[str, ...] = ()
    partners: Tuple[Partners, ...] = ()
    seeds: Tuple[int, ...] = (0,)
    together: Tuple[str, ...] = ()

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
        equals. ``None`` while that is open, and where none finished."""
        candidates = self.candidates(system, main)
        trials = self.trials(system, main)
        if not all(state.settled(training) for training in trials):
            return None
        return best_on_devel(dict(zip(candidates, trials)), state)


def best_on_devel(trials: Dict[Partners, Training], state: State) -> Optional[Partners]:
    """Return the partners whose training has the highest F1 on devel."""
    devel: Dict[Partners, float] = {}
    for partners, training in trials.items():
        result = state.result(training)
        if result is not None:
            devel[partners] = result["records"][0]["devel_f1"]
    return max(devel, key=lambda partners: devel[partners], default=None)
