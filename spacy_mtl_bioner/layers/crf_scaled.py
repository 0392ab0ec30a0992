"""Forward-backward in scaled probability space: small matrix products instead of log-sum-exp (Rabiner 1989, V.A)."""

import torch
from torch import Tensor

from .crf_lattice import Lattice

_RESCALE = 4  # steps between divisions by the state's sum
_TOLERANCE = 1e-5  # relative weight that lost mass may have


class ScaledPosterior:
    """The distribution over tag paths of each sentence of a lattice; the same face as ``LogSpacePosterior``.

    Both directions run as one recursion, the backward one over reversed time: ``ahead = state @ links`` and
    ``state = ahead * potential``.

    ``reliable`` bool[B] is a proof, not a guess. An operation that underflows loses less than the smallest normal
    number, so a message is right to K^2 times that, absolutely, a step; where each entry of each message ``ahead`` is
    far above it, each entry is right *relatively*, and so by induction are all of them and what is built from them.
    Entries that no transition reaches are zero in truth. The other sentences hold zeros: compute them elsewhere.
    """

    def __init__(self, lattice: Lattice) -> None:
        self.lattice = lattice
        T, B, K1 = lattice.scores.shape
        potential = lattice.scores.exp()
        links = lattice.transitions.exp()
        self.links = links
        potential = torch.stack([potential, potential.flip(0)], 1)
        both = torch.stack([links, links.t()])
        ahead = torch.ones_like(potential)
        state = torch.empty_like(potential)
        scale = potential.new_ones(T, 2, B, 1)
        for t in range(T):
            if t:
                torch.bmm(state[t - 1], both, out=ahead[t])
            torch.mul(ahead[t], potential[t], out=state[t])
            if t % _RESCALE == _RESCALE - 1 or t == T - 1:
                torch.sum(state[t], 2, keepdim=True, out=scale[t])
                state[t] /= scale[t]
        self.log_z = scale[:, 0, :, 0].double().log().sum(0)
        self.forward = state[:, 0]
        self.backward = ahead[:, 1].flip(0)
        self.right = state[:, 1].flip(0)
        joint = self.forward * self.backward
        self.total = joint.sum(2, keepdim=True)
        self.reliable = self._reliable(ahead, scale)
        lost = ~self.reliable
        if lost.any():
            for part in (self.forward, self.right, joint):
                part[:, lost] = 0.0
            self.total[:, lost] = 1.0
            self.backward[:, lost] = 1.0
        self.marginals = joint / self.total

    def _reliable(self, ahead: Tensor, scale: Tensor) -> Tensor:
        T, _, _, K1 = ahead.shape
        smallest = 4 * K1 * K1 * T * torch.finfo(ahead.dtype).tiny / _TOLERANCE
        legal = self.lattice.transitions > float("-inf")
        unreachable = ~torch.stack([legal.any(0), legal.any(1)])
        inside = self.lattice.scores[..., -1] < 0
        # the end state before the end, and tags after it, have no say
        low = ahead[1:].masked_fill(unreachable.unsqueeze(1), 1.0)
        weak = low[:, 0, :, :-1].amin(2).masked_fill_(~inside[1:], 1.0) * scale[:-1, 0, :, 0]
        weak2 = low[:, 1, :, :-1].amin(2).masked_fill_(~inside[:-1].flip(0), 1.0) * scale[:-1, 1, :, 0]
        ok = (weak >= smallest).all(0) & (weak2 >= smallest).all(0) & (self.total[..., 0] >= smallest).all(0)
        return ok & (scale[-1, :, :, 0] >= smallest).all(0)

    def counts(self, weights: Tensor) -> Tensor:
        """[K + 1, K + 1]: expected number of uses of each transition, sentences weighted by ``weights`` [B]."""
        left = self.forward[:-1] * (weights.to(self.total.dtype).unsqueeze(1) / self.total[:-1])
        return self.links * (left.flatten(0, 1).t() @ self.right[1:].flatten(0, 1))

    def steps(self, before: Tensor, after: Tensor) -> Tensor:
        """[T - 1, B]: P(tag ``after[t]`` at t + 1 | tag ``before[t]`` at t, sentence); both i64[T - 1, B]."""
        right = self.right[1:].gather(2, after.unsqueeze(2)).squeeze(2)
        left = self.backward[:-1].gather(2, before.unsqueeze(2)).squeeze(2)
        return right * self.links[before, after] / left
