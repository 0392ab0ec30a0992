"""What the CRF kernels are held against: all paths written out, and plain log-sum-exp in float64 under autograd."""

import itertools
from typing import Dict, List, NamedTuple, Tuple

import torch
from torch import Tensor


class Problem(NamedTuple):
    """Arguments of ``crf_nll`` in its order."""

    emissions: Tensor
    tags: Tensor
    lengths: Tensor
    transitions: Tensor
    start: Tensor
    end: Tensor

    @property
    def scores(self) -> Tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """Arguments of ``crf_decode`` in its order."""
        return self.emissions, self.lengths, self.transitions, self.start, self.end

    def row(self, index: int) -> "Problem":
        """One sentence without padding."""
        n = int(self.lengths[index])
        one = slice(index, index + 1)
        return self._replace(emissions=self.emissions[one, :n], tags=self.tags[one, :n], lengths=self.lengths[one])

    def double(self) -> "Problem":
        """The same in float64."""
        return Problem(*(value.double() if value.is_floating_point() else value for value in self))


def iob2(labels: int) -> Tuple[Tensor, Tensor, Tensor]:
    """Transition, start and end scores (0 or -inf) of O, B-1, I-1, B-2, I-2, ..."""
    size = 1 + 2 * labels
    transitions, start = torch.zeros(size, size), torch.zeros(size)
    for inner in range(2, size, 2):
        transitions[:, inner] = start[inner] = float("-inf")
        transitions[inner - 1, inner] = transitions[inner, inner] = 0.0
    return transitions, start, torch.zeros(size)


def iobes(labels: int) -> Tuple[Tensor, Tensor, Tensor]:
    """The same for O, B-1, I-1, E-1, S-1, ..."""
    size = 1 + 4 * labels
    opens = {0, *range(1, size, 4), *range(4, size, 4)}
    transitions = torch.full((size, size), float("-inf"))
    start, end = torch.full((size,), float("-inf")), torch.full((size,), float("-inf"))
    for before in range(size):
        prefix = (before - 1) % 4 if before else 3
        after = opens if prefix in (2, 3) else {before - prefix + 1, before - prefix + 2}
        transitions[before, list(after)] = 0.0
        end[before] = 0.0 if prefix in (2, 3) else float("-inf")
    start[list(opens)] = 0.0
    return transitions, start, end


def free(size: int) -> Tuple[Tensor, Tensor, Tensor]:
    """Everything is legal."""
    return torch.zeros(size, size), torch.zeros(size), torch.zeros(size)


def legal_walk(length: int, legal: Tuple[Tensor, Tensor, Tensor], generator: torch.Generator) -> List[int]:
    """A random legal path: backwards over what can still reach the end."""
    transitions, start, end = (value > float("-inf") for value in legal)
    alive = [start]
    for _ in range(length - 1):
        alive.append((alive[-1].unsqueeze(1) & transitions).any(0))
    path: List[int] = []
    allowed = end
    for reach in reversed(alive):
        choices = (reach & allowed).nonzero().squeeze(1)
        path.append(int(choices[torch.randint(len(choices), (1,), generator=generator)]))
        allowed = transitions[:, path[-1]]
    return path[::-1]


def problem(
    lengths: List[int], legal: Tuple[Tensor, Tensor, Tensor], scale: float = 1.0, seed: int = 0, width: int = 0
) -> Problem:
    """Random scores, uniform within +-scale for emissions and +-2 elsewhere, random legal gold, NaN in the padding."""
    generator = torch.Generator().manual_seed(seed)
    K, T = len(legal[1]), max([width, *lengths])
    emissions = (torch.rand(len(lengths), T, K, generator=generator) * 2 - 1) * scale
    tags = torch.full((len(lengths), T), -1)
    for row, length in enumerate(lengths):
        emissions[row, length:] = float("nan")
        tags[row, :length] = torch.tensor(legal_walk(length, legal, generator))
    noisy = [value + torch.rand(value.shape, generator=generator) * 4 - 2 for value in legal]
    return Problem(emissions, tags, torch.tensor(lengths), *noisy)


def all_paths(one: Problem) -> Dict[Tuple[int, ...], float]:
    """Score of each legal path of a batch of one sentence, by enumeration."""
    emissions = one.emissions[0].double()
    transitions, start, end = one.transitions.double(), one.start.double(), one.end.double()
    found = {}
    for path in itertools.product(range(emissions.shape[1]), repeat=len(emissions)):
        score = start[path[0]] + end[path[-1]] + sum(emissions[t, tag] for t, tag in enumerate(path))
        score = score + sum(transitions[i, j] for i, j in zip(path, path[1:]))
        if score > float("-inf"):
            found[path] = float(score)
    return found


def reference_nll(given: Problem) -> Tuple[Tensor, Tuple[Tensor, Tensor, Tensor, Tensor]]:
    """Loss f64[B] by log-sum-exp and the gradients of its sum by autograd, a sentence at a time.

    Illegal scores are -1e9 here, so that autograd meets no infinities.
    """
    given = given.double()
    finite = (given.emissions.nan_to_num(), *(value.clamp(min=-1e9) for value in given[3:]))
    inputs = [value.clone().requires_grad_() for value in finite]
    emissions, transitions, start, end = inputs
    losses = []
    for row, length in enumerate(given.lengths.tolist()):
        local, tags = emissions[row, :length], given.tags[row, :length]
        alpha = start + local[0]
        for score in local[1:]:
            alpha = torch.logsumexp(alpha.unsqueeze(1) + transitions, 0) + score
        gold = start[tags[0]] + end[tags[-1]] + local.gather(1, tags.unsqueeze(1)).sum()
        losses.append(torch.logsumexp(alpha + end, 0) - gold - transitions[tags[:-1], tags[1:]].sum())
    loss = torch.stack(losses)
    return loss.detach(), torch.autograd.grad(loss.sum(), inputs)
