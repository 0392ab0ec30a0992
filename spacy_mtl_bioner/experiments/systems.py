"""A system: a name and a config, and the trainings that it makes."""

from pathlib import Path
from typing import NamedTuple, Optional, Sequence, Tuple

from .protocol import describe
from .training import Overrides, Training, Variant


class System(NamedTuple):
    """A name in tables, and the config of pipeline and model."""

    name: str
    config: Path

    @property
    def alone(self) -> bool:
        """Whether it trains on one corpus and takes no partner."""
        return describe(self.config).alone

    def train(
        self,
        main: Optional[str],
        corpora: Sequence[str],
        seed: int,
        variants: Tuple[Tuple[str, Variant], ...] = (),
        overrides: Overrides = (),
    ) -> Training:
        """Return a training: of ``main`` with partners ``corpora``, or (``None``) of all of them together."""
        fixed = describe(self.config).fixed
        named = (*corpora, *fixed) if main is None else (main, *corpora, *fixed)
        return Training(self.name, self.config, tuple(dict.fromkeys(named)), main, seed, overrides, variants)


Partners = Tuple[str, ...]
"""The partners of one training, usually one."""
