"""The posterior over tag paths of a batch: fast where that is provably right, else in float64, else in log space."""

from typing import List, Tuple, Union

from torch import Tensor

from .crf_lattice import GoldPath, Lattice, build_lattice
from .crf_logspace import LogSpacePosterior
from .crf_scaled import ScaledPosterior

Part = Union[ScaledPosterior, LogSpacePosterior]


class Posterior:
    """P(tag path | sentence) for emissions [B, T, K], lengths i64[B], transitions [K, K], start [K], end [K]; or
    those of several CRFs, as in ``build_lattice``.

    The whole batch is tried in its own precision (``first``); ``others`` are (rows, posterior) of the sentences that
    it could not serve, in float64.
    """

    def __init__(self, emissions: Tensor, lengths: Tensor, transitions: Tensor, start: Tensor, end: Tensor) -> None:
        self.first = ScaledPosterior(build_lattice(emissions, lengths, transitions, start, end))
        self.others: List[Tuple[Tensor, Part]] = []
        if self.first.all_reliable:
            return
        scores = [value.double() for value in (transitions, start, end)]
        chains = list(zip(*scores)) if transitions.dim() == 3 else [scores]
        lost, each = (~self.first.reliable).nonzero().squeeze(1), len(lengths) // len(chains)
        for chain, own in enumerate(chains):
            rows = lost[lost // each == chain]
            if len(rows):
                self._serve(rows, build_lattice(emissions[rows].double(), lengths[rows], *own))

    def _serve(self, rows: Tensor, lattice: Lattice) -> None:
        """Add what serves the sentences ``rows`` of one CRF, whose lattice is in float64."""
        scaled = ScaledPosterior(lattice)
        lost = (~scaled.reliable).nonzero().squeeze(1)
        if len(lost) < len(rows):
            self.others.append((rows, scaled))
        if len(lost):
            exact = LogSpacePosterior(lattice._replace(scores=lattice.scores[:, lost]))
            self.others.append((rows[lost], exact))

    def nll(self, gold: GoldPath) -> Tensor:
        """f64[B]: negative log likelihood of the paths ``gold``."""
        loss = self.first.log_z - gold.score(self.first.lattice)
        for rows, part in self.others:
            loss[rows] = part.log_z - GoldPath(gold.tags[:, rows], gold.pairs[:, rows]).score(part.lattice)
        return loss.clamp_(min=0.0)

    def marginals(self) -> Tensor:
        """[T, B, K + 1]: P(state at t)."""
        for rows, part in self.others:
            self.first.marginals[:, rows] = part.marginals.to(self.first.marginals.dtype)
        return self.first.marginals

    def counts(self, weights: Tensor) -> Tensor:
        """[K + 1, K + 1]: expected number of uses of each transition, sentences weighted by ``weights`` [B]."""
        total = self.first.counts(weights)
        for rows, part in self.others:
            total += part.counts(weights[rows])
        return total

    def steps(self, before: Tensor, after: Tensor) -> Tensor:
        """[T - 1, B]: P(state ``after[t]`` at t + 1 | state ``before[t]`` at t, sentence); both i64[T - 1, B]."""
        result = self.first.steps(before, after)
        for rows, part in self.others:
            result[:, rows] = part.steps(before[:, rows], after[:, rows]).to(result.dtype)
        return result
