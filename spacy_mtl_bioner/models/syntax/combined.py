"""Combined feature attention: a context word and its label make one feature."""

from typing import List, Optional

import torch
from thinc.api import Model
from torch import nn

from ..batch import TokenBatch
from ..checks import at_least
from .base import FeatureAttention, SyntaxInput, attention, weighted_sum, weights_of
from .items import BatchItems


def CombinedFeatureAttention(
    features: Model[TokenBatch, BatchItems], label_width: Optional[int] = None
) -> Model[SyntaxInput, torch.Tensor]:
    """(f32[B,T,H], TokenBatch) -> f32[B,T,2H]: CFA of Zhang & Chen 2022.

    For a token with hidden vector ``h`` and its items k, a context word with hidden vector ``h_k`` and the label
    vector ``l_k``::

        e_k = W [h_k ; l_k] + b,   a = sum_k softmax_k(h . e_k / sqrt(H)) e_k,   y = [a ; h]

    features (Model): A feature source: ``PosFeatures``, ``ConstituentFeatures`` or ``DependencyFeatures``.
    label_width (Optional[int]): Numbers a label; ``null``: H (768 in the paper, the best of its widths).
    RAISES (MTLError): MTL200 for a width below 1.
    """
    at_least(1, "CombinedFeatureAttention", label_width=label_width)
    return attention("combined_feature_attention", CombinedModule, features, label_width=label_width)


class CombinedModule(FeatureAttention):
    """``W [h ; l]`` is a sum of what a word and a label give, so that each is multiplied once and not once an item."""

    def __init__(self, inputs: int, labels: List[str], label_width: Optional[int]) -> None:
        super().__init__(labels, label_width or inputs)
        self.width = 2 * inputs
        self.scale = inputs**-0.5
        self.words = nn.Linear(inputs, inputs)
        self.kinds = nn.Linear(label_width or inputs, inputs, bias=False)
        for linear in (self.words, self.kinds):
            bound = (6.0 / (2 * inputs + (label_width or inputs))) ** 0.5  # Xavier's, of W as a whole
            nn.init.uniform_(linear.weight, -bound, bound)
        nn.init.zeros_(self.words.bias)

    def forward(self, hidden: torch.Tensor, items: BatchItems) -> torch.Tensor:
        """(f32[B,T,H], BatchItems) -> f32[B,T,2H]."""
        flat = hidden.flatten(0, 1)
        features = self.words(flat).index_select(0, items.context)
        features = features + self.kinds(self.labels).index_select(0, self.rows_of(items))
        weights = weights_of(flat, features, items.owners, self.scale)
        return torch.cat([weighted_sum(weights, features, items.owners, len(flat)).view(hidden.shape), hidden], dim=-1)
