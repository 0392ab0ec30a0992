"""Decoding against enumeration, a float64 search and pytorch-crf."""

from typing import List, Tuple

import pytest
import torch
from torch import Tensor

from spacy_mtl_bioner.layers import crf_viterbi
from spacy_mtl_bioner.layers.crf_viterbi import crf_decode

from .crf_oracle import Problem, all_paths, free, iob2, iobes, problem


def path_score(given: Problem, row: int, path: List[int]) -> float:
    emissions = given.emissions[row, : len(path)].double()
    score = given.start[path[0]].double() + given.end[path[-1]].double() + sum(emissions[range(len(path)), path])
    return float(score + sum(given.transitions[i, j].double() for i, j in zip(path, path[1:])))


def best_score(given: Problem, row: int) -> float:
    """Score of the best path, by the textbook recursion in float64."""
    one = given.row(row).double()
    best = one.start + one.emissions[0, 0]
    for local in one.emissions[0, 1:]:
        best = (best.unsqueeze(1) + one.transitions).amax(0) + local
    return float((best + one.end).amax())


@pytest.mark.parametrize("legal", [free(1), free(2), free(4), iob2(1)])
@pytest.mark.parametrize("width", [1, 2, 3, 4])
def test_best_of_all_paths_written_out(legal: Tuple[Tensor, Tensor, Tensor], width: int) -> None:
    given = problem([min(n, width) for n in [4, 1, 3, 2, 4, 1]], legal, scale=3.0, seed=width)
    decoded = crf_decode(*given.scores)
    assert decoded.shape == given.tags.shape and decoded.dtype == torch.int64
    for row, length in enumerate(given.lengths.tolist()):
        scores = all_paths(given.row(row))
        assert tuple(decoded[row, :length].tolist()) == max(scores, key=lambda path: scores[path])
        assert not decoded[row, length:].any()


@pytest.mark.parametrize("scale", [1.0, 1000.0])
@pytest.mark.parametrize("legal", [free(3), iob2(6), iobes(3)])
@pytest.mark.parametrize("prefer_illegal", [False, True])
def test_long_sentences_and_large_scores(
    legal: Tuple[Tensor, Tensor, Tensor], scale: float, prefer_illegal: bool
) -> None:
    given = problem([500, 40, 2, 1], legal, scale)
    if prefer_illegal:
        given = given._replace(emissions=given.emissions + torch.eye(len(legal[1]))[2] * 1000.0)
    decoded = crf_decode(*given.scores)
    for row, length in enumerate(given.lengths.tolist()):
        found = path_score(given, row, decoded[row, :length].tolist())
        expected = best_score(given, row)
        assert found > float("-inf")
        assert found == pytest.approx(expected, rel=1e-6, abs=1e-3)


@pytest.mark.parametrize("size", [1, 3, 11, 33])
def test_same_as_pytorch_crf(size: int) -> None:
    peer = pytest.importorskip("torchcrf").CRF(size, batch_first=True)
    given = problem([12, 1, 9, 5], free(size), scale=3.0)
    mask = torch.arange(12) < given.lengths.unsqueeze(1)
    expected = peer.decode(given.emissions.nan_to_num(), mask=mask)
    scores = (peer.transitions, peer.start_transitions, peer.end_transitions)
    decoded = crf_decode(given.emissions, given.lengths, *scores)
    assert [decoded[row, :length].tolist() for row, length in enumerate(given.lengths.tolist())] == expected


def test_ties_do_not_depend_on_batch_or_padding() -> None:
    """Whole-number scores tie in most steps."""
    lengths = [7, 30, 1, 18, 30, 2]
    given = problem(lengths, iob2(3), scale=1.4)
    given = given._replace(**{name: getattr(given, name).round() for name in ("emissions", "transitions", "start")})
    given = given._replace(end=torch.zeros_like(given.end))
    decoded = crf_decode(*given.scores)
    wide = torch.cat([given.emissions, torch.full((6, 11, 7), 1e3)], 1)
    order = torch.tensor([3, 5, 0, 4, 2, 1])
    shuffled = crf_decode(wide[order], given.lengths[order], *given[3:])
    for row, length in enumerate(lengths):
        alone = crf_decode(*given.row(row).scores)[0]
        assert alone.tolist() == decoded[row, :length].tolist()
        assert shuffled[order.tolist().index(row), :length].tolist() == alone.tolist()


def test_ties_go_to_the_lower_tag_at_the_end() -> None:
    flat = torch.zeros(2, 5, 4)
    assert not crf_decode(flat, torch.tensor([5, 3]), *free(4)).any()


def test_block_size_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    given = problem([20, 11], iobes(2), scale=2.0)
    expected = crf_decode(*given.scores)
    monkeypatch.setattr(crf_viterbi, "_BLOCK", 1)
    assert torch.equal(crf_decode(*given.scores), expected)
