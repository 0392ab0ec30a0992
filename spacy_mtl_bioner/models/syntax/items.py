"""Feature items: what a token's attention attends over, a variable number a token, without a loop over tokens."""

from typing import NamedTuple

import numpy as np
import torch

from ...layers.transfer import to_device
from ..batch import TokenBatch, Tokens
from ..ragged import ranges


class Items(NamedTuple):
    """The items of all tokens of a call. Token i has those from ``offsets[i]`` to ``offsets[i + 1]``.

    offsets: i64[N+1]; context: i64[M], the token that each item brings; labels: u64[M], hashes of its label.
    """

    offsets: np.ndarray
    context: np.ndarray
    labels: np.ndarray


class BatchItems(NamedTuple):
    """The items of a batch, as rows of its features flattened to [B*T,H].

    owners, context: i64[M] on the batch's device, ``owners`` ascending; labels: u64[M] in NumPy.
    """

    owners: torch.Tensor
    context: torch.Tensor
    labels: np.ndarray


def gather(tokens: Tokens, owners: np.ndarray, context: np.ndarray, labels: np.ndarray) -> Items:
    """Order items by their owners. Items from outside the owner's sentence, or the documents, do not count."""
    inside = (context >= 0) & (context < len(tokens))
    owners, context, labels = owners[inside], context[inside], labels[inside]
    same = tokens.sentence_of[owners] == tokens.sentence_of[context]
    owners, context, labels = owners[same], context[same], labels[same]
    order = np.argsort(owners, kind="stable")
    offsets = np.concatenate([[0], np.cumsum(np.bincount(owners, minlength=len(tokens)))])
    return Items(offsets, context[order], labels[order])


def in_batch(items: Items, batch: TokenBatch) -> BatchItems:
    """The items of a batch's tokens."""
    first, counts = items.offsets[batch.flat], np.diff(items.offsets)[batch.flat]
    at = ranges(first, counts)
    owners = np.repeat(np.flatnonzero(batch.mask_array), counts)
    context = owners + items.context[at] - np.repeat(batch.flat, counts)
    return BatchItems(
        to_device(owners, batch.device), to_device(context, batch.device), items.labels[at]
    )
