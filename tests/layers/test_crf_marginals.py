"""Tag and span probabilities against the sum over all paths that have them."""

import math
from typing import Tuple

import pytest
import torch
from torch import Tensor

from spacy_mtl_bioner.layers.crf_marginals import crf_marginals, span_scores
from spacy_mtl_bioner.layers.crf_viterbi import crf_decode

from .crf_oracle import Problem, all_paths, free, iob2, iobes, problem


def probabilities(one: Problem) -> "dict[tuple[int, ...], float]":
    scores = all_paths(one)
    top = max(scores.values())
    total = sum(math.exp(score - top) for score in scores.values())
    return {path: math.exp(score - top) / total for path, score in scores.items()}


@pytest.mark.parametrize("legal", [free(1), free(3), iob2(1)])
@pytest.mark.parametrize("scale", [2.0, 1000.0])
@pytest.mark.parametrize("width", [1, 2, 4])
def test_marginals(legal: Tuple[Tensor, Tensor, Tensor], scale: float, width: int) -> None:
    given = problem([min(n, width) for n in (4, 1, 3)], legal, scale)
    found = crf_marginals(*given.scores)
    assert found.dtype == torch.float32 and found.shape == given.emissions.shape
    for row, length in enumerate(given.lengths.tolist()):
        expected = torch.zeros(found.shape[1:])
        for path, probability in probabilities(given.row(row)).items():
            expected[range(length), path] += probability
        torch.testing.assert_close(found[row], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("scale", [1.0, 6.0, 100.0, 1000.0])
@pytest.mark.parametrize("width", [1, 2, 5])
@pytest.mark.parametrize("padded", [0, 2])
def test_spans_under_iob2(scale: float, width: int, padded: int) -> None:
    """All stretches of all sentences, as if the tags B I I ... were decoded there."""
    given = problem([width, max(1, width - 2)], iob2(1), scale, width=width + padded)
    for start in range(width):
        for stop in range(start + 1, width + 1):
            tags = torch.zeros_like(given.tags)
            tags[:, start:stop], tags[:, start] = 2, 1
            rows = [row for row in range(2) if stop <= given.lengths[row]]
            ones = torch.ones(len(rows), dtype=torch.int64)
            spans = (torch.tensor(rows), ones * start, ones * stop, ones * 2)
            found = span_scores(*given.scores, tags, spans)
            for row, score in zip(rows, found.tolist()):
                wanted = (1, *[2] * (stop - start - 1))
                expected = 0.0
                for path, probability in probabilities(given.row(row)).items():
                    expected += probability * (path[start:stop] == wanted and path[stop : stop + 1] != (2,))
                assert score == pytest.approx(expected, abs=1e-5)


def test_spans_under_iobes() -> None:
    given = problem([4, 3], iobes(1), scale=3.0)
    tags = torch.tensor([[0, 1, 2, 3], [4, 1, 3, 0]])
    rows, first = torch.tensor([0, 1, 1]), torch.tensor([1, 0, 1])
    stop = torch.tensor([4, 1, 3])
    found = span_scores(*given.scores, tags, (rows, first, stop, torch.full((3,), -1)))
    for row, i, j, score in zip(rows.tolist(), first.tolist(), stop.tolist(), found.tolist()):
        wanted = tuple(tags[row, i:j].tolist())
        found_paths = probabilities(given.row(row)).items()
        assert score == pytest.approx(sum(p for path, p in found_paths if path[i:j] == wanted), abs=1e-5)


def test_many_spans_at_once_in_a_large_batch() -> None:
    """Each span of the decoded path of one call has the score that it has alone; none is no problem."""
    given = problem([40, 33, 1, 12], iob2(2), scale=3.0)
    tags = crf_decode(*given.scores)
    spans = []
    for row, length in enumerate(given.lengths.tolist()):
        path = tags[row, :length].tolist()
        for start in (t for t, tag in enumerate(path) if tag in (1, 3)):
            stop = start + 1
            while stop < length and path[stop] == path[start] + 1:
                stop += 1
            spans.append((row, start, stop, path[start] + 1))
    assert len(spans) > 5
    together = span_scores(*given.scores, tags, tuple(torch.tensor(spans).t()))
    for (row, *rest), score in zip(spans, together.tolist()):
        one = given.row(row)
        path = tags[row : row + 1, : int(one.lengths)]
        alone = span_scores(*one.scores, path, tuple(torch.tensor([[0, *rest]]).t()))
        assert 0.0 < score <= 1.0 and alone.item() == pytest.approx(score, abs=1e-5)
    none = torch.zeros(4, 0, dtype=torch.int64)
    assert span_scores(*given.scores, tags, tuple(none)).shape == (0,)
