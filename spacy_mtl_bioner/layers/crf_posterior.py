"""The posterior over tag paths of a batch: fast where that is provably right, else in float64, else in log space."""

from typing import List, Tuple, Union

import torch
from torch import Tensor

from .crf_lattice import build_lattice, time_first
from .crf_logspace import LogSpacePosterior
from .crf_scaled import ScaledPosterior

Part = Union[ScaledPosterior, LogSpacePosterior]


class Posterior:
    """P(tag path | sentence) for emissions [B, T, K], lengths i64[B], transitions [K, K], start [K], end [K].

    ``parts`` are (rows of the batch, their posterior): first all rows in the emissions' own precision, then only
    those it could not serve; a later part overrides.
    """

    def __init__(self, emissions: Tensor, lengths: Tensor, transitions: Tensor, start: Tensor, end: Tensor) -> None:
        self.shape = emissions.shape
        self.lengths = lengths
        inputs = (transitions, start, end)
        first = ScaledPosterior(build_lattice(emissions, lengths, *inputs))
        rows = torch.arange(len(lengths), device=lengths.device)
        self.parts: List[Tuple[Tensor, Part]] = [(rows, first)]
        if bool(first.reliable.all()):
            return
        rows = rows[~first.reliable]
        doubles = tuple(value.double() for value in inputs)
        lattice = build_lattice(emissions[rows].double(), lengths[rows], *doubles)
        second = ScaledPosterior(lattice)
        self.parts.append((rows, second))
        lost = ~second.reliable
        if bool(lost.any()):
            lattice = lattice._replace(scores=lattice.scores[:, lost])
            self.parts.append((rows[lost], LogSpacePosterior(lattice)))

    def nll(self, tags: Tensor) -> Tensor:
        """f64[B]: negative log likelihood of the tag paths i64[B, T]."""
        gold = time_first(tags, self.lengths, self.shape[2])
        loss = torch.empty(self.shape[0], dtype=torch.float64, device=tags.device)
        for rows, part in self.parts:
            loss[rows] = part.log_z - part.lattice.score(gold[:, rows])
        return loss.clamp_(min=0.0)

    def marginals(self) -> Tensor:
        """[B, T, K]: P(tag at t), 0 at padding."""
        result = self.parts[0][1].marginals[..., :-1].transpose(0, 1).contiguous()
        for rows, part in self.parts[1:]:
            result[rows] = part.marginals[..., :-1].transpose(0, 1).to(result.dtype)
        return result

    def counts(self, weights: Tensor) -> Tensor:
        """[K, K]: expected number of uses of each transition, sentences weighted by ``weights`` [B]."""
        return sum(part.counts(weights[rows])[:-1, :-1] for rows, part in self.parts)

    def steps(self, before: Tensor, after: Tensor) -> Tensor:
        """f64[T - 1, B]: P(tag ``after[t]`` at t + 1 | tag ``before[t]`` at t, sentence); both i64[T - 1, B]."""
        result = torch.empty(before.shape, dtype=torch.float64, device=before.device)
        for rows, part in self.parts:
            result[:, rows] = part.steps(before[:, rows], after[:, rows]).double()
        return result
