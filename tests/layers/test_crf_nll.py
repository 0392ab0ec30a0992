"""The CRF loss against enumeration, log-sum-exp under autograd, numeric gradients and pytorch-crf."""

import math
import warnings
from typing import List, Tuple

import pytest
import torch
from torch import Tensor

from spacy_mtl_bioner.layers.crf_lattice import build_lattice
from spacy_mtl_bioner.layers.crf_logspace import LogSpacePosterior
from spacy_mtl_bioner.layers.crf_nll import crf_nll
from spacy_mtl_bioner.layers.crf_posterior import Posterior
from spacy_mtl_bioner.layers.crf_scaled import ScaledPosterior

from .crf_oracle import Problem, all_paths, free, iob2, iobes, problem, reference_nll

RAGGED = [4, 1, 3, 2, 4, 1]
LEGAL = [free(1), free(2), free(4), iob2(1)]


def with_gradients(given: Problem) -> Tuple[Tensor, List[Tensor]]:
    emissions, tags, lengths, *rest = given
    inputs = [value.clone().requires_grad_() for value in (emissions, *rest)]
    loss = crf_nll(inputs[0], tags, lengths, *inputs[1:])
    return loss.detach(), list(torch.autograd.grad(loss.sum(), inputs))


def assert_close(found: Tensor, expected: Tensor, tolerance: float = 1e-3) -> None:
    """Within the tolerance, relative where the expected value is above 1; NaN and infinity never are."""
    error = (found.double() - expected).abs() / expected.abs().clamp(min=1.0)
    assert bool((error <= tolerance).all()), float(error.max())


@pytest.mark.parametrize("legal", LEGAL)
@pytest.mark.parametrize("width", [1, 2, 3, 4])
def test_loss_is_that_of_all_paths_written_out(legal: Tuple[Tensor, Tensor, Tensor], width: int) -> None:
    given = problem([min(n, width) for n in RAGGED], legal, scale=3.0, seed=width)
    loss = crf_nll(*given)
    for row in range(len(RAGGED)):
        one = given.row(row)
        scores = all_paths(one)
        gold = scores[tuple(one.tags[0].tolist())]
        expected = math.log(sum(math.exp(score - gold) for score in scores.values()))
        assert loss[row] == pytest.approx(expected, rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("scale", [1.0, 20.0, 100.0, 1000.0])
@pytest.mark.parametrize("legal", [free(3), iob2(1), iob2(5), iobes(2)])
@pytest.mark.parametrize("lengths", [[1, 1], [2, 1, 2], [40, 7, 33, 1], [500, 499, 3]])
def test_loss_and_gradients_agree_with_log_space(
    lengths: List[int], legal: Tuple[Tensor, Tensor, Tensor], scale: float
) -> None:
    given = problem(lengths, legal, scale)
    loss, gradients = with_gradients(given)
    expected_loss, expected = reference_nll(given)
    assert_close(loss, expected_loss)
    for found, other in zip(gradients, expected):
        assert_close(found, other)
    for value, gradient in zip(given[3:], gradients[1:]):
        assert bool((gradient[value == float("-inf")] == 0).all())
    for row, length in enumerate(lengths):
        assert bool((gradients[0][row, length:] == 0).all())


@pytest.mark.parametrize("scale", [30.0, 60.0, 90.0, 300.0, 1000.0])
@pytest.mark.parametrize("length", [1, 2, 40, 500])
@pytest.mark.parametrize("legal", [iob2(2), iobes(1)])
def test_illegal_tags_preferred(legal: Tuple[Tensor, Tensor, Tensor], length: int, scale: float) -> None:
    """Each token prefers, by ``scale``, the tag I-1 or I-2 where no B opened it; so legal paths are all improbable."""
    given = problem([length, max(1, length // 2)], legal)
    emissions = given.emissions.clone()
    emissions[:, :, 2] += scale
    emissions[:, 1::3, -1] += 2 * scale
    given = given._replace(emissions=emissions)
    loss, gradients = with_gradients(given)
    expected_loss, expected = reference_nll(given)
    assert_close(loss, expected_loss)
    for found, other in zip(gradients, expected):
        assert_close(found, other)


@pytest.mark.parametrize("gap", [20.0, 50.0, 80.0, 200.0, 1000.0])
def test_a_path_lost_from_both_sides_is_found(gap: float) -> None:
    """Two tags that never meet: the one that both ends dislike is the better, thanks to the middle."""
    transitions = torch.tensor([[0.0, -5 * gap], [-5 * gap, 0.0]])
    emissions = torch.zeros(1, 15, 2)
    emissions[0, :5, 1] = emissions[0, 10:, 1] = -gap / 5
    emissions[0, 5:10, 1] = gap / 2
    tags = torch.zeros(1, 15, dtype=torch.int64)
    given = Problem(emissions, tags, torch.tensor([15]), transitions, torch.zeros(2), torch.zeros(2))
    loss, gradients = with_gradients(given)
    expected_loss, expected = reference_nll(given)
    assert_close(loss, expected_loss, 1e-5)
    for found, other in zip(gradients, expected):
        assert_close(found, other, 1e-4)


def test_the_fast_way_serves_ordinary_input() -> None:
    """Emission gaps of trained models, all schemes, long sentences: no sentence needs float64."""
    for legal in (free(5), iob2(1), iob2(34), iobes(5)):
        given = problem([500, 40, 1], legal, scale=15.0)
        assert not Posterior(*given.scores).others


def test_each_way_gives_the_same() -> None:
    given = problem([40, 7, 1], iobes(3), scale=4.0).double()
    lattice = build_lattice(*given.scores)
    scaled, logs = ScaledPosterior(lattice), LogSpacePosterior(lattice)
    weights = torch.tensor([1.0, 0.5, 3.0], dtype=torch.float64)
    before, after = torch.randint(14, (2, 39, 3), generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(scaled.log_z, logs.log_z)
    torch.testing.assert_close(scaled.marginals, logs.marginals)
    torch.testing.assert_close(scaled.counts(weights), logs.counts(weights))
    torch.testing.assert_close(scaled.steps(before, after), logs.steps(before, after))


@pytest.mark.parametrize("legal", [free(2), iob2(1)])
@pytest.mark.parametrize("scale", [2.0, 900.0])
def test_numeric_gradients(legal: Tuple[Tensor, Tensor, Tensor], scale: float) -> None:
    given = problem([3, 1, 2], legal, scale).double()
    finite = [value > float("-inf") for value in given[3:]]
    weights = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64)

    def loss(emissions: Tensor, *parameters: Tensor) -> Tensor:
        full = (value.masked_fill(~legal, float("-inf")) for value, legal in zip(parameters, finite))
        return crf_nll(emissions, given.tags, given.lengths, *full) * weights

    inputs = [value.nan_to_num(neginf=0.0).requires_grad_() for value in (given.emissions, *given[3:])]
    assert torch.autograd.gradcheck(loss, inputs, atol=1e-5)


@pytest.mark.parametrize("size", [1, 3, 11, 33])
def test_same_as_pytorch_crf(size: int) -> None:
    peer = pytest.importorskip("torchcrf").CRF(size, batch_first=True)
    given = problem([12, 1, 9, 5], free(size), scale=3.0)
    scores = [value.detach() for value in (peer.transitions, peer.start_transitions, peer.end_transitions)]
    loss, gradients = with_gradients(Problem(*given[:3], *scores))
    mask = torch.arange(12) < given.lengths.unsqueeze(1)
    emissions = given.emissions.nan_to_num().requires_grad_()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        other = -peer(emissions, given.tags.clamp(min=0), mask=mask, reduction="none")
    other.sum().backward()
    torch.testing.assert_close(loss.float(), other.detach(), rtol=1e-4, atol=1e-4)
    parameters = (peer.transitions, peer.start_transitions, peer.end_transitions)
    for found, tensor in zip(gradients, (emissions, *parameters)):
        torch.testing.assert_close(found, tensor.grad, rtol=1e-3, atol=1e-4)


def test_alone_as_in_a_batch() -> None:
    given = problem([9, 40, 1, 17], iobes(2), scale=5.0)
    loss, gradients = with_gradients(given)
    for row in range(4):
        one = given.row(row)
        alone, gradient = with_gradients(one)
        torch.testing.assert_close(alone[0], loss[row], rtol=1e-5, atol=1e-5)
        torch.testing.assert_close(gradient[0][0], gradients[0][row, : int(one.lengths)], rtol=1e-4, atol=1e-5)


def test_weights_of_sentences_reach_each_gradient() -> None:
    given = problem([6, 3], iob2(2), scale=2.0)
    inputs = [value.clone().requires_grad_() for value in (given.emissions, *given[3:])]
    loss = crf_nll(inputs[0], given.tags, given.lengths, *inputs[1:])
    found = torch.autograd.grad(loss, inputs, torch.tensor([2.0, -0.5], dtype=torch.float64))
    _, first = with_gradients(given.row(0))
    _, second = with_gradients(given.row(1))
    for whole, one, other in zip(found[1:], first[1:], second[1:]):
        torch.testing.assert_close(whole, 2.0 * one - 0.5 * other)


def test_gradients_of_frozen_scores_are_not_needed() -> None:
    given = problem([6, 3], iob2(2))
    emissions = given.emissions.clone().requires_grad_()
    crf_nll(emissions, *given[1:]).sum().backward()
    _, gradients = with_gradients(given)
    torch.testing.assert_close(emissions.grad, gradients[0])
    assert not crf_nll(*given).requires_grad


def test_autocast_and_half_precision() -> None:
    """Autocast changes nothing; half-precision emissions are computed in float32 and get a gradient of their kind."""
    given = problem([6, 3, 40], iob2(2), scale=4.0)
    given = given._replace(emissions=given.emissions.bfloat16().float())
    expected_loss, expected = with_gradients(given)
    with torch.autocast("cpu", torch.bfloat16):
        loss, gradients = with_gradients(given)
    torch.testing.assert_close([loss, *gradients], [expected_loss, *expected])
    loss, gradients = with_gradients(given._replace(emissions=given.emissions.bfloat16()))
    torch.testing.assert_close(loss, expected_loss)
    assert gradients[0].dtype == torch.bfloat16
    torch.testing.assert_close(gradients[0].float(), expected[0], rtol=1e-2, atol=1e-6)


def test_backward_twice_gives_the_same() -> None:
    given = problem([6, 3], iob2(2))
    emissions = given.emissions.clone().requires_grad_()
    loss = crf_nll(emissions, *given[1:]).sum()
    first = torch.autograd.grad(loss, emissions, retain_graph=True)
    torch.testing.assert_close(torch.autograd.grad(loss, emissions), first)


def test_an_unreachable_tag_does_not_slow_the_batch_down() -> None:
    """A tag that is forbidden altogether is no reason to leave float32."""
    transitions, start, end = free(4)
    transitions[:, 2] = transitions[2] = start[2] = end[2] = float("-inf")
    given = problem([30, 4, 1], (transitions, start, end), scale=3.0)
    assert not Posterior(*given.scores).others
    loss, gradients = with_gradients(given)
    expected_loss, expected = reference_nll(given)
    torch.testing.assert_close(loss, expected_loss, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(gradients[1].double(), expected[1], rtol=1e-4, atol=1e-4)
    assert not gradients[0].nan_to_num()[..., 2].any()
