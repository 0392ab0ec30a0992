"""Indices for rows of unlike lengths that lie one after the other."""

import numpy as np


def ranges(firsts: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """``counts[i]`` numbers from ``firsts[i]`` on, for each i, in one row: i64[n], i64[n] -> i64[sum(counts)]."""
    return np.repeat(firsts - (np.cumsum(counts) - counts), counts) + np.arange(int(counts.sum()))
