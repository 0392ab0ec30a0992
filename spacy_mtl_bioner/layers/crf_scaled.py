"""Forward-backward in scaled probability space: small matrix products instead of log-sum-exp (Rabiner 1989, V.A)."""

import torch
from torch import Tensor

from .crf_lattice import Lattice

_RESCALE = 4  # steps between divisions by the sum of a state
_TOLERANCE = 1e-5  # relative weight that mass lost to underflow may have


class ScaledPosterior:
    """The distribution over tag paths of each sentence of a lattice; the same face as ``LogSpacePosterior``.

    Both directions run as one recursion, the backward one in reversed time: a message ``ahead = state @ links``, then
    ``state = ahead * potential``.

    ``reliable`` bool[B] is a proof, not a guess. An operation that underflows is off by less than the smallest normal
    number, so a step puts an absolute error of at most about K^2 times that number into a message. Where each entry
    of each message stays far above this, each entry is right relatively, by induction over the steps, and so is what
    is computed from them. (Entries that no transition leads to are 0 and right.) The other sentences hold no results.
    """

    def __init__(self, lattice: Lattice) -> None:
        self.lattice = lattice
        T, B, K1 = lattice.scores.shape
        self.links = lattice.transitions.exp()
        odd = torch.arange(2 * T - 1, 0, -2, device=lattice.scores.device)  # backward rows of [2T, ...], time order
        potential = torch.empty((T, 2, B, K1), dtype=self.links.dtype, device=self.links.device)
        torch.exp(lattice.scores, out=potential[:, 0])
        potential.view(2 * T, -1)[1::2] = potential.view(2 * T, -1).index_select(0, odd - 1)
        ahead, state, scale = _recursion(potential, torch.stack((self.links, self.links.t())))
        self.forward = state[:, 0]
        self.ahead = ahead.view(2 * T, B, K1).index_select(0, odd)
        self.backward = state.view(2 * T, B, K1).index_select(0, odd)
        self.marginals = self.forward * self.ahead
        self.total = self.marginals.sum(2, keepdim=True)
        self.log_z = scale[:, 0].log().sum(0, dtype=torch.float64).squeeze(1)
        self.reliable = self._reliable(ahead, scale)
        if not bool(self.reliable.all()):
            self._clear(~self.reliable)
        self.marginals /= self.total

    def _reliable(self, ahead: Tensor, scale: Tensor) -> Tensor:
        """bool[B]: no message, sum or product of a sentence came near the smallest normal number."""
        T, _, _, K1 = ahead.shape
        floor = 4 * T * K1 * K1 * torch.finfo(ahead.dtype).tiny / _TOLERANCE
        legal = self.lattice.transitions[:-1, :-1] > float("-inf")
        unreachable = ahead.new_ones((2, 1, K1))
        unreachable[:, 0, :-1] -= torch.stack((legal.any(0), legal.any(1))).to(ahead.dtype)
        low = (ahead + unreachable).amin(3)
        low[:, 0].masked_fill_(self.lattice.scores[..., -1] == 0, 1.0)  # past the end, only the end state matters
        least = low.amin(0) * scale.amin(0).clamp(max=1.0).squeeze(2)
        return (least >= floor).all(0) & (self.total.amin(0).squeeze(1) >= floor)

    def _clear(self, lost: Tensor) -> None:
        """Let the sentences ``lost`` bool[B] add nothing, and no NaN, to sums over the batch."""
        for part in (self.forward, self.backward, self.marginals):
            part[:, lost] = 0.0
        for part in (self.ahead, self.total):
            part[:, lost] = 1.0

    def counts(self, weights: Tensor) -> Tensor:
        """[K + 1, K + 1]: expected number of uses of each transition, sentences weighted by ``weights`` [B]."""
        left = self.forward[:-1] * (weights.to(self.links.dtype).unsqueeze(1) / self.total[:-1])
        return (left.flatten(0, 1).t() @ self.backward[1:].flatten(0, 1)).mul_(self.links)

    def steps(self, before: Tensor, after: Tensor) -> Tensor:
        """[T - 1, B]: P(state ``after[t]`` at t + 1 | state ``before[t]`` at t, sentence); both i64[T - 1, B]."""
        right = self.backward[1:].gather(2, after.unsqueeze(2)).squeeze(2)
        left = self.ahead[:-1].gather(2, before.unsqueeze(2)).squeeze(2)
        return right * self.links[before, after] / left


def _recursion(potential: Tensor, links: Tensor) -> "tuple[Tensor, Tensor, Tensor]":
    """Messages and states [T, 2, B, K + 1] and divisors [ceil(T / _RESCALE), 2, B, 1], all in order of the steps."""
    T, _, B, _ = potential.shape
    ahead, state = torch.empty_like(potential), torch.empty_like(potential)
    scale = potential.new_empty((-(-T // _RESCALE), 2, B, 1))
    ahead[0] = 1.0
    before = None
    divisors = iter(scale.unbind(0))
    for t, (message, now, local) in enumerate(zip(ahead.unbind(0), state.unbind(0), potential.unbind(0)), start=1):
        if before is not None:
            torch.bmm(before, links, out=message)
        torch.mul(message, local, out=now)
        if t % _RESCALE == 0 or t == T:
            divisor = next(divisors)
            torch.sum(now, 2, keepdim=True, out=divisor)
            now.div_(divisor)
        before = now
    return ahead, state, scale
