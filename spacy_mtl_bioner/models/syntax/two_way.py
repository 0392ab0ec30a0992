"""Two-way attention: context words and their labels are attended over apart."""

from typing import List

import torch
from thinc.api import Model

from ..batch import TokenBatch
from .base import FeatureAttention, SyntaxInput, attention, weighted_sum, weights_of
from .items import BatchItems


def TwoWayAttention(features: Model[TokenBatch, BatchItems]) -> Model[SyntaxInput, torch.Tensor]:
    """(f32[B,T,H], TokenBatch) -> f32[B,T,3H]: TWA, the two-way attention of Tian et al. 2020 (ACL, for segmentation
    and tagging), which Zhang & Chen 2022 compare CFA with.

    For a token with hidden vector ``h`` and its items k, a context word with hidden vector ``h_k`` and the label
    vector ``l_k`` of H numbers::

        c = sum_k softmax_k(h . h_k) h_k,   s = sum_k softmax_k(h . l_k) l_k,   y = [c ; s ; h]

    Tian et al. embed context words in a table of their own; here, as in CFA, the encoder's vectors stand for them.

    features (Model): A feature source: ``PosFeatures``, ``ConstituentFeatures`` or ``DependencyFeatures``.
    """
    return attention("two_way_attention", TwoWayModule, features)


class TwoWayModule(FeatureAttention):
    """Has no weights but the labels' vectors."""

    def __init__(self, inputs: int, labels: List[str]) -> None:
        super().__init__(labels, inputs)
        self.width = 3 * inputs

    def forward(self, hidden: torch.Tensor, items: BatchItems) -> torch.Tensor:
        """(f32[B,T,H], BatchItems) -> f32[B,T,3H]."""
        flat = hidden.flatten(0, 1)
        ways = []
        for table, rows in ((flat, items.context), (self.labels, self.rows_of(items))):
            vectors = table.index_select(0, rows)
            weights = weights_of(flat, vectors, items.owners)
            ways.append(weighted_sum(weights, vectors, items.owners, len(flat)).view(hidden.shape))
        return torch.cat([*ways, hidden], dim=-1)
