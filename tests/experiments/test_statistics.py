"""Statistics against their definitions, counted out, and against scipy's own permutation test."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import permutation_test

from spacy_mtl_bioner.experiments.statistics import f1, holm, in_blocks, over_seeds, over_units


def test_f1_in_percent():
    assert f1(2, 1, 1) == pytest.approx(100 * 2 * 2 / 6)
    assert f1(0, 0, 0) == 0
    assert f1(np.array([1, 0]), np.array([0, 2]), np.array([0, 1])).tolist() == [100, 0]


def test_paired_tests_over_seeds():
    """Student's own sleep data (1908), whose t = -4.06 and p = 0.0028 are known; Wilcoxon by every sign."""
    first = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
    second = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]
    assert over_seeds(first, second)["t_test"] == pytest.approx(0.002833, abs=1e-6)
    differences = np.array([0.5, 1.25, -0.25, 2.0])
    ranks = np.array([2, 3, 1, 4])
    sums = [sum(r for r, sign in zip(ranks, signs) if sign > 0) for signs in product((1, -1), repeat=4)]
    low = 1  # the rank of the one negative difference
    expected = 2 * np.mean([s <= low for s in sums])
    found = over_seeds([80, 80, 80, 80], (80 + differences).tolist())
    assert found["wilcoxon"] == pytest.approx(expected)


def test_too_few_seeds_or_nothing_to_test():
    none = {"t_test": None, "wilcoxon": None}
    assert over_seeds([1, 2], [2, 4]) == over_seeds([1, 2, 3], [1, 2, 3]) == none
    same = over_seeds([80, 81, 82], [81, 82, 83])
    assert same["t_test"] is None and same["wilcoxon"] == 0.25


def test_ties_and_zeros_leave_the_test_exact():
    """Of three differences all of one sign a quarter of the signs is as extreme, equal amounts or not."""
    assert over_seeds([0, 0, 0], [0.5, 0.5, 0.7])["wilcoxon"] == 0.25
    assert over_seeds([0.1, 0, 0, 0], [0.1, 0.5, 0.6, 0.7])["wilcoxon"] == 0.25


def test_many_seeds_give_one_p():
    """Where not all signs are tried, the same are."""
    first, second = np.random.default_rng(0).normal(size=(2, 15))
    assert over_seeds(first, second) == over_seeds(first, second)


def units(seed, count, shift=0.0):
    """Counts of two systems on the same units; the second finds ``shift`` more."""
    rng = np.random.default_rng(seed)
    gold = rng.integers(0, 4, count)
    sides = []
    for rate in (0.6, 0.6 + shift):
        tp = rng.binomial(gold, rate)
        sides.append(np.stack([tp, rng.binomial(2, 0.2, count), gold - tp], axis=1))
    return sides


def test_the_bootstrap_against_every_resample():
    """Of four units there are 4 ** 4 resamples; the distribution of the bootstrap is theirs."""
    first = np.array([[2, 0, 1], [0, 1, 2], [1, 0, 0], [3, 1, 0]])
    second = np.array([[3, 0, 0], [1, 1, 1], [1, 1, 0], [2, 0, 1]])

    def difference(chosen):
        one, other = first[chosen].sum(0), second[chosen].sum(0)
        return f1(*other) - f1(*one)

    every = np.array([difference(list(chosen)) for chosen in product(range(4), repeat=4)])
    found = over_units(first, second, resamples=20000)
    assert found["difference"] == pytest.approx(difference([0, 1, 2, 3]))
    exact = np.mean(np.abs(every - found["difference"]) >= abs(found["difference"]) - 1e-12)
    assert found["bootstrap"] == pytest.approx(exact, abs=0.015)
    low, high = np.quantile(every, [0.025, 0.975])
    assert (found["low"], found["high"]) == (pytest.approx(low, abs=2), pytest.approx(high, abs=2))


@pytest.mark.parametrize("shift", [0.0, 0.06, 0.3])
def test_the_bootstrap_beside_a_permutation_test(shift):
    first, second = units(3, 300, shift)

    def statistic(swapped, axis):
        """Swapping the systems of a unit is flipping its sign: samples are which system is the second."""
        one = np.where(swapped[..., None] > 0, first, second).sum(-2)
        other = np.where(swapped[..., None] > 0, second, first).sum(-2)
        return f1(*np.moveaxis(other, -1, 0)) - f1(*np.moveaxis(one, -1, 0))

    signs = (np.ones(len(first)), -np.ones(len(first)))
    rng = np.random.default_rng(0)
    permuted = permutation_test(
        signs,
        lambda x, y, axis: statistic(x, axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=3000,
        batch=200,
        rng=rng,
    )
    found = over_units(first, second)
    assert found["difference"] == pytest.approx(permuted.statistic)
    assert found["bootstrap"] == pytest.approx(permuted.pvalue, abs=0.06)
    assert (found["low"] > 0) == (shift == 0.3)


def test_the_bootstrap_of_one_unit_or_equal_systems_says_nothing():
    one = np.array([[1, 0, 1]])
    assert over_units(one, one + 1)["bootstrap"] == 1
    first, _ = units(1, 50)
    assert over_units(first, first) == {"difference": 0, "low": 0, "high": 0, "bootstrap": 1}


def test_the_bootstrap_is_repeatable():
    first, second = units(5, 80, 0.1)
    assert over_units(first, second) == over_units(first, second)


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == [] and holm([0.7, 0.9]) == [1, 1]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8), st.floats(0.001, 0.999))
def test_holm_rejects_as_its_step_down_procedure(p_values, alpha):
    """Reject the smallest while p <= alpha / (how many are left); stop at the first that is not."""
    rejected, order = set(), sorted(range(len(p_values)), key=lambda i: p_values[i])
    for done, i in enumerate(order):
        if p_values[i] * (len(order) - done) > alpha:
            break
        rejected.add(i)
    assert {i for i, p in enumerate(holm(p_values)) if p <= alpha} == rejected


def test_blocks_are_sums_in_a_row():
    counts = np.arange(21).reshape(7, 3)
    assert in_blocks(counts, 3).tolist() == [sum(counts[i : i + 3]).tolist() for i in (0, 3, 6)]
    assert in_blocks(counts, 7).tolist() == in_blocks(counts, 99).tolist() == [counts.sum(axis=0).tolist()]


def test_what_comes_in_clusters_is_less_certain_in_blocks():
    """Gains of one document among ten: units taken one by one say that it is no chance, whole documents do not."""
    first = np.tile([1, 0, 1], (200, 1))
    second = first.copy()
    second[:20] = [2, 0, 0]
    alone, blocks = over_units(first, second), over_units(in_blocks(first, 20), in_blocks(second, 20))
    assert alone["difference"] == blocks["difference"] > 2
    assert alone["bootstrap"] < 0.01 and alone["low"] > 1
    assert blocks["bootstrap"] > 0.2 and blocks["low"] == 0
