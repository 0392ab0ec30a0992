"""Forward-backward in log space: slow, and right for every finite input. The scaled one falls back to it."""

import torch
from torch import Tensor

from .crf_lattice import Lattice


class LogSpacePosterior:
    """The distribution over tag paths of each sentence of a lattice, by log-sum-exp (give it float64).

    ``log_z`` f64[B] is the shifted log partition; ``marginals`` [T, B, K + 1] are P(state at t).
    """

    def __init__(self, lattice: Lattice) -> None:
        scores, links = lattice
        self.lattice = lattice
        forward = [scores[0]]
        for score in scores[1:]:
            forward.append(torch.logsumexp(forward[-1].unsqueeze(2) + links, 1) + score)
        backward = [torch.zeros_like(scores[0])]
        for score in scores[1:].flip(0):
            backward.append(torch.logsumexp(links + (backward[-1] + score).unsqueeze(1), 2))
        self.forward = torch.stack(forward)
        self.backward = torch.stack(backward[::-1])
        self.log_z = torch.logsumexp(forward[-1], 1).double()
        self.marginals = (self.forward + self.backward - self.log_z.unsqueeze(1)).exp()

    def counts(self, weights: Tensor) -> Tensor:
        """[K + 1, K + 1]: expected number of uses of each transition, sentences weighted by ``weights`` [B]."""
        links = self.lattice.transitions
        right = self.lattice.scores + self.backward - self.log_z.unsqueeze(1)
        total = torch.zeros_like(links)
        for before, after in zip(self.forward[:-1], right[1:]):
            pairs = before.unsqueeze(2) + links + after.unsqueeze(1)
            total += torch.tensordot(weights.to(total.dtype), pairs.exp(), 1)
        return total

    def steps(self, before: Tensor, after: Tensor) -> Tensor:
        """[T - 1, B]: P(state ``after[t]`` at t + 1 | state ``before[t]`` at t, sentence); both i64[T - 1, B]."""
        right = (self.lattice.scores + self.backward)[1:].gather(2, after.unsqueeze(2)).squeeze(2)
        left = self.backward[:-1].gather(2, before.unsqueeze(2)).squeeze(2)
        return (right + self.lattice.transitions[before, after] - left).exp()
