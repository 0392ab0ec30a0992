"""What every syntax part takes and gives, and the one that does nothing."""

from typing import Any, Callable, Tuple

import torch
from thinc.api import Model

from ...layers.torch_layer import no_backprop
from ..batch import TokenBatch

SyntaxInput = Tuple[torch.Tensor, TokenBatch]
"""Features f32[B,T,H] of one corpus and their batch, whose documents carry the syntactic annotation."""


def no_syntax() -> Model[SyntaxInput, torch.Tensor]:
    """f32[B,T,H] -> the same. Without a dimension ``nO`` it leaves each corpus the width that sharing gave it."""
    return Model("no_syntax", _forward, dims={"nI": None})


def _forward(model: Model, X: SyntaxInput, is_train: bool) -> Tuple[torch.Tensor, Callable[[Any], Any]]:
    return X[0], no_backprop
