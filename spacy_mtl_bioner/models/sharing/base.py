"""What every sharing part takes and gives."""

from dataclasses import dataclass, field
from typing import Callable, Dict, Tuple

import torch
from thinc.api import Model

from ..batch import TokenBatch

SharingInput = Tuple[TokenBatch, Tuple[str, ...]]
"""A batch and the corpora whose features are wanted."""


@dataclass
class Features:
    """of: {corpus: f32[B,T,H]}; losses: named auxiliary losses (scalars) that join the training loss."""

    of: Dict[str, torch.Tensor]
    losses: Dict[str, torch.Tensor] = field(default_factory=dict)


SharingBuilder = Callable[[Model], Model[SharingInput, Features]]
"""A sharing part that waits for the embedding part, which it may share or copy."""
