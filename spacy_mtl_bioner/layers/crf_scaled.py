"""Forward-backward in scaled probability space: small matrix products instead of log-sum-exp (Rabiner 1989, V.A)."""

from typing import Tuple

import torch
from torch import Tensor

from .crf_lattice import Lattice, chain_of
from .recording import is_recording, sure

_RESCALE = 4  # steps between divisions by the sum of a state
_TOLERANCE = 1e-5  # relative weight that mass lost to underflow may have


class ScaledPosterior:
    """The distribution over tag paths of each sentence of a lattice; the same face as ``LogSpacePosterior``.

    Both directions run as one recursion, the backward one in reversed time: a message ``ahead = state @ links``, then
    ``state = ahead * potential``.

    ``reliable`` bool[B] is a proof, not a guess. An operation that underflows is off by less than ``tiny``, the
    smallest normal number, so a step puts an absolute error of at most 4 (K + 1) mass tiny into an entry of a message,
    ``mass`` being the largest sum of a state. Where each entry of each message stays far above this, each is right
    relatively, by induction over the steps, and so is what is computed from them. (Entries that no transition leads
    to are 0 and right.) Other sentences hold no results.
    """

    def __init__(self, lattice: Lattice) -> None:
        self.lattice = lattice
        T, B, K1 = lattice.scores.shape
        self.links = lattice.transitions.exp()
        self.order = torch.arange(2 * T - 1, 0, -2, device=self.links.device)  # backward rows of [2T, ...], by time
        state = self.links.new_empty((T, 2, B, K1))
        torch.exp(lattice.scores, out=state[:, 0])
        state.view(2 * T, -1)[1::2] = state.view(2 * T, -1).index_select(0, self.order - 1)
        both = torch.stack((self.links, self.links.transpose(-2, -1))).flatten(0, -3)
        ahead, scale = _recursion(state.view(T, len(both), -1, K1), both)
        ahead, scale = ahead.view(T, 2, B, K1), scale.view(T, 2, B)
        self.state, self.ahead = state.view(2 * T, B, K1), ahead.view(2 * T, B, K1)
        self.marginals = self.ahead.index_select(0, self.order).mul_(state[:, 0])
        self.total = self.marginals.sum(2, keepdim=True)
        self.log_z = scale[:, 0].log().sum(0, dtype=torch.float64)
        self.reliable = self._reliable(ahead, scale)
        self.all_reliable = sure(self.reliable)
        if not self.all_reliable:
            self._clear(~self.reliable)
        self.marginals.div_(self.total)

    def _reliable(self, ahead: Tensor, scale: Tensor) -> Tensor:
        """bool[B]: no message and no product of both directions came near the smallest normal number."""
        T, _, _, K1 = ahead.shape
        floor = 4 * T * K1 * torch.finfo(ahead.dtype).tiny / _TOLERANCE
        mass = ahead[..., -1].amax(0)  # all that a state holds may go to the end state, or come from it
        legal = self.lattice.transitions[..., :-1, :-1] > float("-inf")
        unreachable = ~torch.stack((legal.any(-2), legal.any(-1))).view(2, -1, 1, K1 - 1)
        if is_recording() or bool(unreachable.any()):
            ahead = ahead.clone()
            ahead.view(T, 2, unreachable.shape[1], -1, K1)[..., :-1].masked_fill_(unreachable, 1.0)
        low = ahead.amin(3)
        low[:, 0].masked_fill_(self.lattice.scores[..., -1] == 0, 1.0)  # past the end, only the end state matters
        low[1:] *= scale[:-1]  # before the division it was so small
        joint = (self.total.squeeze(2) * scale[:, 0]).amin(0)
        return (low.amin(0) >= floor * mass).all(0) & (joint >= floor * mass.prod(0))

    def _clear(self, lost: Tensor) -> None:
        """Let the sentences ``lost`` bool[B] add nothing, and no NaN, to sums over the batch."""
        for part in (self.state, self.marginals):
            part[:, lost] = 0.0
        for part in (self.ahead, self.total):
            part[:, lost] = 1.0

    def counts(self, weights: Tensor) -> Tensor:
        """[K + 1, K + 1]: expected number of uses of each transition, sentences weighted by ``weights`` [B]; of a
        single CRF."""
        left = self.state[:-2:2] * (weights.to(self.links.dtype).unsqueeze(1) / self.total[:-1])
        right = self.state.index_select(0, self.order[1:])
        total = torch.empty_like(self.links)  # given as ``out``, so that autocast cannot lower the precision
        return torch.mm(left.flatten(0, 1).t(), right.flatten(0, 1), out=total).mul_(self.links)

    def steps(self, before: Tensor, after: Tensor) -> Tensor:
        """[T - 1, B]: P(state ``after[t]`` at t + 1 | state ``before[t]`` at t, sentence); both i64[T - 1, B]."""
        sentence = torch.arange(before.shape[1], device=before.device)
        order = self.order.unsqueeze(1)
        chain = (chain_of(self.links, len(sentence)),) if self.links.dim() == 3 else ()
        step = self.state[order[1:], sentence, after] * self.links[(*chain, before, after)]
        return step / self.ahead[order[:-1], sentence, before]


def _recursion(state: Tensor, links: Tensor) -> Tuple[Tensor, Tensor]:
    """Messages [T, D, B, K + 1] and divisors [T, D, B], in order of the steps, with ``links`` [D, K + 1, K + 1]: one
    matrix a direction and CRF.

    ``state`` [T, D, B, K + 1] holds the potentials and is overwritten with the states.
    """
    T = len(state)
    ahead, scale = torch.empty_like(state), state.new_ones(state.shape[:3])
    ahead[0] = 1.0
    before = None
    for t, (message, now) in enumerate(zip(ahead.unbind(0), state.unbind(0)), start=1):
        if before is not None:
            torch.bmm(before, links, out=message)
        now.mul_(message)
        if t % _RESCALE == 0 or t == T:
            divisor = torch.sum(now, 2, out=scale[t - 1])
            now.div_(divisor.unsqueeze(2))
        before = now
    return ahead, scale
