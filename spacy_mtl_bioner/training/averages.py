"""Running averages of parameters, dense or a row at a time."""

import torch
from torch import Tensor


class Decays:
    """How much of the average stays at step t: min(limit, (1 + t) / (10 + t)), as thinc's averages have it."""

    def __init__(self, limit: float) -> None:
        self.limit = limit
        self._logs = torch.zeros(1, dtype=torch.float64)

    def at(self, step: int) -> float:
        """The decay of step ``step`` (from 1)."""
        return min(self.limit, (1.0 + step) / (10.0 + step))

    def between(self, last: Tensor, step: int) -> Tensor:
        """The product of the decays of steps last+1 .. step, f32 for each of ``last`` i64[n]."""
        if len(self._logs) <= step:
            steps = torch.arange(1, 2 * step + 1, dtype=torch.float64)
            logs = torch.log(torch.clamp((1.0 + steps) / (10.0 + steps), max=max(self.limit, 1e-30))).cumsum(0)
            self._logs = torch.cat([logs.new_zeros(1), logs])
        self._logs = self._logs.to(last.device)  # and there they stay: a copy a step would make a GPU wait
        return torch.exp(self._logs[step] - self._logs[last]).float()


class RowAverages:
    """The running average of a table of which each step touches few rows.

    An untouched row's weights stand still, so its average moves toward them by a factor that is known in closed form:
    rows catch up when they are touched or read, and the result is that of averaging the whole table at every step.

    weights: f32[N,D], the table itself (shared).
    """

    def __init__(self, weights: Tensor, decays: Decays) -> None:
        self.weights = weights
        self.decays = decays
        self.average = weights.clone()
        self.last = torch.zeros(len(weights), dtype=torch.int64, device=weights.device)
        self.step = 0

    def update(self, rows: Tensor, before: Tensor, after: Tensor) -> None:
        """One step that moved ``rows`` i64[n] from ``before`` to ``after``, f32[n,D]."""
        kept = self.decays.between(self.last[rows], self.step)[:, None]
        average = torch.lerp(before, self.average[rows], kept)
        self.step += 1
        self.average[rows] = torch.lerp(after, average, self.decays.at(self.step))
        self.last[rows] = self.step

    def caught_up(self) -> Tensor:
        """f32[N,D]: the average of every row as of now."""
        kept = self.decays.between(self.last, self.step)[:, None]
        torch.lerp(self.weights, self.average, kept, out=self.average)
        self.last.fill_(self.step)
        return self.average
