"""Is a difference more than chance? Paired tests over seeds, a paired bootstrap over units, Holm's correction."""

from dataclasses import dataclass
from typing import Any, Dict, List, Optional, Sequence

import numpy as np
from numpy.typing import NDArray

LEAST_SEEDS = 3
"""Tests over fewer pairs say nothing."""

RESAMPLES = 5000


@dataclass(frozen=True)
class Difference:
    """One system beside another on a corpus; F1 in percent, differences of the second minus the first.

    t_test, wilcoxon: p of paired tests over seeds, ``None`` with fewer than ``LEAST_SEEDS`` of them. difference, low,
    high, bootstrap: of F1 pooled over seeds, its 95 % interval and p by a paired bootstrap over ``units`` units
    (``unit`` says of which kind). holm: the bootstrap's p, corrected for all comparisons of the table;
    ``significant`` at 0.05.
    """

    corpus: str
    first: str
    second: str
    seeds: int
    difference: float
    low: float
    high: float
    bootstrap: float
    unit: str
    units: int
    t_test: Optional[float] = None
    wilcoxon: Optional[float] = None
    holm: Optional[float] = None

    @property
    def significant(self) -> bool:
        """Whether the difference stands after correction."""
        return self.holm is not None and self.holm < 0.05


def over_seeds(first: Sequence[float], second: Sequence[float]) -> Dict[str, Optional[float]]:
    """Return the p-values of the two-sided paired t-test and Wilcoxon's signed-rank test of scores by seed.

    Wilcoxon's p is exact, ties or not, as far as all signs can be tried (13 seeds), and cannot be below
    ``2 ** (1 - n)`` with n seeds. Scores that differ by the same amount in every pair
    leave the t-test without a spread to measure by: then, and where nothing differs, there is no p-value.
    """
    from scipy.stats import PermutationMethod, ttest_rel, wilcoxon

    differences = np.round(np.subtract(second, first), 6)  # equal amounts are ties, whatever their last bits
    if len(differences) < LEAST_SEEDS or not differences.any():
        return {"t_test": None, "wilcoxon": None}
    spread = np.ptp(differences) > 1e-9
    t_test = float(ttest_rel(second, first).pvalue) if spread else None
    signs = PermutationMethod(rng=np.random.default_rng(0))
    return {"t_test": t_test, "wilcoxon": float(wilcoxon(differences, method=signs).pvalue)}


def f1(tp: Any, fp: Any, fn: Any) -> Any:
    """Return F1 in percent of counts (numbers or arrays), 0 where there is nothing."""
    return 200 * tp / np.maximum(2 * tp + fp + fn, 1)


def _difference(sums: NDArray[Any]) -> Any:
    """[..., 6] counts of two systems -> F1 of the second minus that of the first."""
    first, second = np.split(np.moveaxis(sums, -1, 0), 2)
    return f1(*second) - f1(*first)


def over_units(
    first: NDArray[Any], second: NDArray[Any], resamples: int = RESAMPLES, seed: int = 0
) -> Dict[str, float]:
    """Return ``difference``, ``low``, ``high`` (95 %, percentile) and ``bootstrap`` (two-sided p) of a paired
    bootstrap.

    first, second: i64[U,3], true and false positives and false negatives of the same units. The p-value is the share of
    resampled differences that lie as far from the one found as that lies from 0 (Efron and Tibshirani 1993, 16.4),
    itself counted in.
    """
    from scipy.stats import bootstrap

    counts = np.hstack([first, second]).astype("float64")
    found, units = float(_difference(counts.sum(axis=0))), len(counts)
    if units < 2:
        return {"difference": found, "low": found, "high": found, "bootstrap": 1.0}

    def drawn(numbers: NDArray[Any], axis: int = -1) -> NDArray[Any]:
        """How often each unit was drawn says all: a product of matrices is much faster than their counts in a row."""
        rows = numbers.reshape(-1, units)
        places = rows + units * np.arange(len(rows))[:, None]
        times = np.bincount(places.ravel(), minlength=rows.size).reshape(rows.shape)
        return _difference(times.astype("float64") @ counts).reshape(numbers.shape[:-1])

    rng, how = np.random.default_rng(seed), {"vectorized": True, "method": "percentile"}
    done = bootstrap((np.arange(units),), drawn, n_resamples=resamples, batch=200, rng=rng, **how)
    away = np.abs(done.bootstrap_distribution - found) >= abs(found) - 1e-12
    low, high = map(float, done.confidence_interval)
    return {"difference": found, "low": low, "high": high, "bootstrap": float((away.sum() + 1) / (resamples + 1))}


def in_blocks(counts: NDArray[Any], size: int) -> NDArray[Any]:
    """i64[U,3] -> the sums over ``size`` units in a row, of fewer at the end: [ceil(U / size), 3]."""
    return np.add.reduceat(counts, np.arange(0, len(counts), size), axis=0)


def holm(p_values: Sequence[float]) -> List[float]:
    """Return the p-values corrected for their number (Holm 1979): the i-th smallest of m times m - i + 1, never below
    a smaller one's, at most 1."""
    order = np.argsort(p_values, kind="stable")
    steps = np.asarray(p_values, dtype="float64")[order] * np.arange(len(order), 0, -1)
    corrected = np.empty(len(order))
    corrected[order] = np.minimum(1, np.maximum.accumulate(steps))
    return corrected.tolist()
