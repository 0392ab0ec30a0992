"""What is seen of a running queue: a bar with what runs now, a line for each end, results written as they come."""

from types import TracebackType
from typing import Any, Callable, List, Optional, Set, Type

from tqdm import tqdm

from .queue import State
from .training import Training


class Progress:
    """Watches a queue (``queue.Watch``); ``write`` is called with what is known whenever a training has ended."""

    def __init__(self, write: Callable[[State], Any]) -> None:
        self.write, self.settled = write, -1
        self.shown: Any = None
        self.reported: Set[Training] = set()

    def __enter__(self) -> "Progress":
        self.bar = tqdm(unit="training", dynamic_ncols=True)
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.bar.close()

    def __call__(self, wanted: List[Training], state: State, running: List[Training]) -> None:
        """Show and write what changed."""
        settled = [training for training in wanted if state.settled(training)]
        first = self.settled < 0
        if len(settled) != self.settled:
            self.settled = len(settled)
            self.write(state)
            self._report([training for training in settled if training not in self.reported], state, silent=first)
        shown = len(wanted), len(settled), "; ".join(training.title() for training in running)
        if shown != self.shown:
            self.shown = shown
            self.bar.total, self.bar.n = shown[:2]
            self.bar.set_postfix_str(shown[2])

    def _report(self, ended: List[Training], state: State, silent: bool) -> None:
        """A line for each ended training, but for those of earlier runs."""
        self.reported.update(ended)
        for training in () if silent else ended:
            self.bar.write(f"{training.title()}: {self._outcome(training, state)}")

    @staticmethod
    def _outcome(training: Training, state: State) -> str:
        if training in state.failures:
            return f"FAILED, {state.failures[training]}"
        records = (state.result(training) or {})["records"]
        figures = ", ".join(f"{r['corpus']} {r.get('f1', r.get('accuracy'))}" for r in records)
        return f"{figures} (test), {records[0]['minutes']} min"
