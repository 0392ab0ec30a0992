"""Where hashes stand in a sorted table."""

import numpy as np


def find(keys: np.ndarray, hashes: np.ndarray) -> np.ndarray:
    """i64[n]: 1 + the index of each of ``hashes`` u64[n] in ``keys`` u64[m], ascending; 0 where it is not there."""
    if not len(keys):
        return np.zeros(len(hashes), dtype="int64")
    at = np.minimum(np.searchsorted(keys, hashes), len(keys) - 1)
    return np.where(keys[at] == hashes, at + 1, 0)
