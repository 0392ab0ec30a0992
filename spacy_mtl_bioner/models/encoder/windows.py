"""Windows of neighboring tokens, gathered for a whole batch at once and never across a sentence border."""

from typing import Tuple

import numpy as np
import torch

from ...layers.transfer import to_device
from ..batch import TokenBatch


def lay_out(batch: TokenBatch, left: int, right: int) -> Tuple[np.ndarray, np.ndarray]:
    """The batch's sentences one after the other, each with ``left`` rows of padding before and ``right`` after it.

    Returns i64[P], for each of these rows its row in ``with_padding``'s table; and i64[N], for each token of the batch
    (in the order of ``batch.flat``) the row with which its window of ``left + 1 + right`` rows begins.
    """
    sizes = batch.lengths + left + right
    firsts = np.cumsum(sizes) - sizes
    steps = np.arange(sizes.sum()) - np.repeat(firsts + left, sizes)
    sentences = np.repeat(np.arange(len(sizes)), sizes)
    inside = (steps >= 0) & (steps < batch.lengths[sentences])
    rows = np.where(inside, sentences * batch.shape[1] + steps, batch.mask_array.size)
    return rows, np.flatnonzero(inside) - left


def with_padding(x: torch.Tensor, padding: torch.Tensor) -> torch.Tensor:
    """f32[B,T,D] and f32[D] -> f32[B*T+1,D]: every row of the batch, and the padding as the last."""
    return torch.cat([x.flatten(0, 1), padding.to(x.dtype)[None]])


def gather(table: torch.Tensor, rows: np.ndarray) -> torch.Tensor:
    """Rows of f32[R,D] side by side: i64[n,k] -> f32[n,k*D]."""
    flat = to_device(rows.reshape(-1), table.device)
    return table.index_select(0, flat).view(len(rows), -1)


def put_back(vectors: torch.Tensor, batch: TokenBatch) -> torch.Tensor:
    """f32[N,H], a vector a token -> f32[B,T,H], zero at padding."""
    rows, steps = batch.shape
    if len(vectors) < rows * steps:
        at = to_device(np.flatnonzero(batch.mask_array), vectors.device)
        vectors = vectors.new_zeros(rows * steps, vectors.shape[1]).index_copy(0, at, vectors)
    return vectors.view(rows, steps, -1)
