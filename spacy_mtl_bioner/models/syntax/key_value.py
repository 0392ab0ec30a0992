"""Key-value memory: context words say how much, their labels say what."""

from typing import List, Optional

import torch
from thinc.api import Model

from ..batch import TokenBatch
from ..checks import at_least
from .base import FeatureAttention, SyntaxInput, attention, weighted_sum, weights_of
from .items import BatchItems


def KeyValueMemory(
    features: Model[TokenBatch, BatchItems], label_width: Optional[int] = None
) -> Model[SyntaxInput, torch.Tensor]:
    """(f32[B,T,H], TokenBatch) -> f32[B,T,L+H]: KVMN, the key-value memory of BioKMNER (Tian et al. 2020, BMC
    Bioinformatics).

    For a token with hidden vector ``h`` and its items k, a context word with hidden vector ``h_k`` (the key) and the
    label vector ``l_k`` of L numbers (the value)::

        a = sum_k softmax_k(h . h_k) l_k,   y = [a ; h]

    Tian et al. embed keys in a table of their own; here, as in CFA, the encoder's vectors stand for them.

    features (Model): A feature source: ``PosFeatures``, ``ConstituentFeatures`` or ``DependencyFeatures``.
    label_width (Optional[int]): L; ``null``: H.
    RAISES (MTLError): MTL200 for a width below 1.
    """
    at_least(1, "KeyValueMemory", label_width=label_width)
    return attention("key_value_memory", KeyValueModule, features, label_width=label_width)


class KeyValueModule(FeatureAttention):
    """Has no weights but the labels' vectors."""

    def __init__(self, inputs: int, labels: List[str], label_width: Optional[int]) -> None:
        super().__init__(labels, label_width or inputs)
        self.width = (label_width or inputs) + inputs

    def forward(self, hidden: torch.Tensor, items: BatchItems) -> torch.Tensor:
        """(f32[B,T,H], BatchItems) -> f32[B,T,L+H]."""
        flat, labels = hidden.flatten(0, 1), self.labels.index_select(0, self.rows_of(items))
        weights = weights_of(flat, flat.index_select(0, items.context), items.owners)
        answers = weighted_sum(weights, labels, items.owners, len(flat))
        return torch.cat([answers.view(*hidden.shape[:2], -1), hidden], dim=-1)
