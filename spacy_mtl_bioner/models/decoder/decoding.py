"""From the probabilities of a softmax head to one tag a token: one option a class."""

from dataclasses import dataclass
from typing import Callable, NamedTuple

import torch
from torch import Tensor

from ...layers.crf_viterbi import crf_decode

UNSEEN = -1e9
"""Added for what training never showed: such a step is taken where no other path exists, and nowhere else."""


class Seen(NamedTuple):
    """What the training tags showed: bool[K] at a sentence's start, bool[K,K] (from, to), bool[K] at its end."""

    start: Tensor
    transitions: Tensor
    end: Tensor

    def penalties(self) -> "Seen":
        """f64: 0 for what was seen, ``UNSEEN`` for the rest. Before any training, 0 everywhere."""
        if not self.start.any():
            return Seen(*(torch.zeros_like(table, dtype=torch.float64) for table in self))
        return Seen(*((~table).double() * UNSEEN for table in self))


Decoding = Callable[[Tensor, Tensor, Seen], Tensor]
"""(log probabilities f32[B,T,K], lengths i64[B], ``Seen``) -> tags i64[B,T], whatever at padding."""


@dataclass(frozen=True)
class GreedyDecoding:
    """Each token's most probable tag, whatever its neighbors'."""

    def __call__(self, log_probs: Tensor, lengths: Tensor, seen: Seen) -> Tensor:
        return log_probs.argmax(-1)


@dataclass(frozen=True)
class BinaryViterbi:
    """The most probable of the tag sequences whose every step was seen in training."""

    def __call__(self, log_probs: Tensor, lengths: Tensor, seen: Seen) -> Tensor:
        start, transitions, end = seen.penalties()
        return crf_decode(log_probs.double(), lengths, transitions, start, end)


@dataclass(frozen=True)
class ForwardScores:
    """Each token's tag of the best path *up to that token*, which need not go on to the next token's tag."""

    def __call__(self, log_probs: Tensor, lengths: Tensor, seen: Seen) -> Tensor:
        start, transitions, _ = seen.penalties()
        steps = log_probs.double().unbind(1)
        scores = steps[0] + start
        best = [scores.argmax(-1)]
        for emissions in steps[1:]:
            scores = emissions + (scores[:, :, None] + transitions).amax(1)
            best.append(scores.argmax(-1))
        return torch.stack(best, 1)


def greedy() -> Decoding:
    """Independent tags: the published choice of Crichton et al. 2017 for their convolutional networks."""
    return GreedyDecoding()


def binary_transition_viterbi(published: bool = False) -> Decoding:
    """Tag sequences made of steps that training showed, all of them alike (transitions of 0 or 1).

    published (bool): As the published program has it: no back-pointers, each token takes the best tag of its own
        forward score, and sentences may end anywhere, so that unseen and even illegal sequences remain possible.
    """
    return ForwardScores() if published else BinaryViterbi()
