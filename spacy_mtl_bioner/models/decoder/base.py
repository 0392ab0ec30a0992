"""What every decoder takes and gives."""

from typing import NamedTuple, Optional, Tuple, Union

import numpy as np
import torch

from ..batch import TokenBatch
from .tagset import SpanArrays


class Decoded(NamedTuple):
    """tags: i64[B,T]; spans: the entities they say; scores: f32[n], the probability of each, or None."""

    tags: np.ndarray
    spans: Optional[SpanArrays]
    scores: Optional[np.ndarray]


HeadInput = Union[Tuple[torch.Tensor, TokenBatch, torch.Tensor], Tuple[torch.Tensor, TokenBatch, None, bool]]
"""Features f32[B,T,H] and their batch with gold tags i64[B,T], or without and whether scores are wanted."""
