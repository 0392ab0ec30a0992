"""What every sharing part takes and gives."""

from typing import Callable, Dict, Optional, Tuple

import torch
from thinc.api import Model

from ..batch import TokenBatch

SharingInput = Tuple[TokenBatch, Tuple[str, ...]]
"""A batch and the corpora whose features are wanted. Auxiliary losses of training go to ``TokenBatch.losses``."""

Features = Dict[str, torch.Tensor]
"""{corpus: f32[B,T,H]}; corpora whose features are the same share one tensor object."""

SharingBuilder = Callable[[Model], Model[SharingInput, Features]]
"""A sharing part that waits for the embedding part, which it may share or copy."""


def width_of(sharing: Model[SharingInput, Features], corpus: str) -> Optional[int]:
    """H of a corpus' features: what ``attrs["widths"]`` says, where corpora differ, else the part's ``nO``."""
    return sharing.attrs.get("widths", {}).get(corpus, sharing.maybe_get_dim("nO"))


def set_width(sharing: Model[SharingInput, Features], width: Optional[int]) -> None:
    """Set H. An encoder that is as wide as its input (``Identity``) does not know it before the weights are there."""
    if width is not None:
        sharing.set_dim("nO", width, force=True)
