"""The chain with a matrix a token against enumeration, numeric gradients, and the chain with one matrix."""

import itertools
import math
from typing import Dict, List, Tuple

import pytest
import torch
from torch import Tensor

from spacy_mtl_bioner.layers.crf_marginals import span_scores
from spacy_mtl_bioner.layers.crf_nll import crf_nll
from spacy_mtl_bioner.layers.crf_position import PositionPosterior, position_decode, position_nll, position_span_scores
from spacy_mtl_bioner.layers.crf_viterbi import crf_decode

from .crf_oracle import Problem, free, iob2, iobes, legal_walk, problem

Chain = Tuple[Tensor, Tensor, Tensor, Tensor]
"""first, links, tags, lengths, as ``position_nll`` takes them."""


def chain_of(given: Problem, noise: float = 0.0, seed: int = 0) -> Chain:
    """The same scores as those of a problem with one matrix, with ``noise`` added to each token's; NaN as padding."""
    T = given.emissions.shape[1]
    first = given.start + given.emissions[:, 0]
    links = (given.emissions[:, 1:].unsqueeze(2) + given.transitions).transpose(0, 1).contiguous()
    generator = torch.Generator().manual_seed(seed)
    links = links + (torch.rand(links.shape, generator=generator) * 2 - 1) * noise
    for row, length in enumerate(given.lengths.tolist()):
        if length == 1:
            first[row] += given.end
        elif T > 1:
            links[length - 2, row] += given.end
    return first, links, given.tags, given.lengths


def path_scores(chain: Chain, row: int) -> Dict[Tuple[int, ...], float]:
    """Score of each legal path of a sentence, by enumeration in float64."""
    first, links, _, lengths = chain
    first, links = first[row].double().tolist(), links[:, row].double().tolist()
    found = {}
    for path in itertools.product(range(len(first)), repeat=int(lengths[row])):
        score = first[path[0]] + sum(links[t][i][j] for t, (i, j) in enumerate(zip(path, path[1:])))
        if score > -math.inf:
            found[path] = score
    return found


def log_sum(scores: List[float]) -> float:
    top = max(scores)
    return top + math.log(sum(math.exp(score - top) for score in scores))


@pytest.mark.parametrize("legal", [free(1), free(3), iob2(1)])
@pytest.mark.parametrize("scale", [1.0, 1000.0])
@pytest.mark.parametrize("width", [1, 2, 3, 4])
def test_all_paths_written_out(legal: Tuple[Tensor, Tensor, Tensor], scale: float, width: int) -> None:
    """Loss, best path, tag and pair probabilities, and steps."""
    lengths = [min(n, width) for n in (4, 1, 3, 2, 4)]
    chain = chain_of(problem(lengths, legal, scale, seed=width), noise=2 * scale)
    first, links, tags, _ = chain
    loss, decoded = position_nll(*chain), position_decode(first, links, chain[3])
    posterior = PositionPosterior(first, links, chain[3])
    marginals, pairs = posterior.marginals(), posterior.pairs()
    for row, length in enumerate(lengths):
        scores = path_scores(chain, row)
        total = log_sum(list(scores.values()))
        gold = scores[tuple(tags[row, :length].tolist())]
        assert float(loss[row]) == pytest.approx(total - gold, rel=1e-6, abs=1e-5 * scale)
        assert tuple(decoded[row, :length].tolist()) == max(scores, key=lambda path: scores[path])
        assert not decoded[row, length:].any() and not pairs[length - 1 :, row].any()
        expected, together = torch.zeros(width, len(first[0])), torch.zeros(max(width - 1, 0), *links.shape[2:])
        for path, score in scores.items():
            expected[range(length), path] += math.exp(score - total)
            together[range(length - 1), path[:-1], path[1:]] += math.exp(score - total)
        torch.testing.assert_close(marginals[:length, row].float(), expected[:length], rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(pairs[:, row].float(), together, rtol=1e-4, atol=1e-5)
        before, after = tags.clamp(min=0).t()[:-1], decoded.t()[1:]
        steps = posterior.steps(before, after)
        for t in range(length - 1):
            i, j = int(before[t, row]), int(after[t, row])
            if expected[t, i] > 1e-3:
                assert float(steps[t, row]) == pytest.approx(float(together[t, i, j] / expected[t, i]), abs=1e-4)
        assert (steps[length - 1 :, row] == 1).all()


@pytest.mark.parametrize("legal", [free(2), iob2(1)])
@pytest.mark.parametrize("scale", [2.0, 900.0])
def test_numeric_gradients(legal: Tuple[Tensor, Tensor, Tensor], scale: float) -> None:
    first, links, tags, lengths = chain_of(problem([3, 1, 2], legal, scale).double(), noise=scale)
    allowed = [first > -math.inf, ~(links == -math.inf)]
    weights = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64)

    def loss(*scores: Tensor) -> Tensor:
        full = (score.masked_fill(~allow, -math.inf) for score, allow in zip(scores, allowed))
        return position_nll(*full, tags, lengths) * weights

    inputs = [score.nan_to_num(nan=0.0, neginf=0.0).requires_grad_() for score in (first, links)]
    assert torch.autograd.gradcheck(loss, inputs, atol=1e-5)


@pytest.mark.parametrize("legal", [free(4), iob2(3), iobes(2)])
@pytest.mark.parametrize("scale", [1.0, 30.0, 1000.0])
def test_one_matrix_for_all_tokens_is_the_other_chain(legal: Tuple[Tensor, Tensor, Tensor], scale: float) -> None:
    """Loss, gradients, best path and span scores."""
    given = problem([60, 7, 1, 33, 2], legal, scale)
    emissions = given.emissions.nan_to_num().requires_grad_()
    given = given._replace(emissions=emissions)
    first, links, tags, lengths = chain_of(given)
    loss = position_nll(first, links, tags, lengths)
    expected = crf_nll(*given)
    torch.testing.assert_close(loss, expected, rtol=1e-5, atol=1e-4 * scale)
    ours, theirs = (torch.autograd.grad(total.sum(), emissions, retain_graph=True)[0] for total in (loss, expected))
    torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-3)
    best = position_decode(first, links, lengths)
    assert torch.equal(best, crf_decode(*given.scores))
    rows, starts = torch.tensor([0, 0, 1, 3]), torch.tensor([0, 57, 2, 32])
    spans = (rows, starts, starts + torch.tensor([2, 3, 4, 1]), torch.tensor([-1, 2, 2, -1]))
    found = position_span_scores(first, links, lengths, best, spans)
    torch.testing.assert_close(found, span_scores(*given.scores, best, spans), rtol=1e-3, atol=1e-3)


def test_alone_as_in_a_batch() -> None:
    given = problem([9, 40, 1, 17], iobes(2), scale=5.0)
    first, links, tags, lengths = chain_of(given, noise=3.0)
    loss, best = position_nll(first, links, tags, lengths), position_decode(first, links, lengths)
    for row, length in enumerate(lengths.tolist()):
        one = slice(row, row + 1)
        alone = (first[one], links[: length - 1, one])
        torch.testing.assert_close(position_nll(*alone, tags[one, :length], lengths[one])[0], loss[row])
        assert torch.equal(position_decode(*alone, lengths[one])[0], best[row, :length])


def test_weights_of_sentences_reach_each_gradient() -> None:
    generator = torch.Generator().manual_seed(0)
    paths = torch.tensor([legal_walk(4, free(3), generator) for _ in range(2)])
    first, links = torch.randn(2, 3, generator=generator), torch.randn(3, 2, 3, 3, generator=generator)
    inputs = [first.requires_grad_(), links.requires_grad_()]
    loss = position_nll(*inputs, paths, torch.tensor([4, 2]))
    weights = loss.new_tensor([[1, 1], [2, -3]])
    ones, weighted = (torch.autograd.grad(loss, inputs, w, retain_graph=True) for w in weights)
    torch.testing.assert_close(weighted[0], ones[0] * torch.tensor([[2.0], [-3.0]]))
    torch.testing.assert_close(weighted[1], ones[1] * torch.tensor([2.0, -3.0]).view(1, 2, 1, 1))
    assert not ones[1][1:, 1].any() and ones[1].dtype == torch.float32
