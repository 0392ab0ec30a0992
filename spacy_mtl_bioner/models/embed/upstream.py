"""The vectors of an upstream spaCy component (``tok2vec`` or ``transformer``) as the embedding."""

from typing import Any, Callable, Optional, Tuple

import torch
from thinc.api import Model

from ...layers.torch_layer import no_backprop
from ..batch import TokenBatch
from ..lexicon import Lexicon


def Upstream() -> Model[TokenBatch, torch.Tensor]:
    """TokenBatch -> f32[B,T,W]: what the model's ``tok2vec`` slot gives; W is its width."""
    return Model("upstream", forward, init=init, dims={"nO": None})


def forward(model: Model, batch: TokenBatch, is_train: bool) -> Tuple[torch.Tensor, Callable[[Any], Any]]:
    """Gather the flat upstream vectors into the batch; the root returns their gradient to the component."""
    return batch.tokens.upstream[batch.positions], no_backprop


def init(model: Model, X: Optional[Lexicon] = None, Y: object = None) -> None:
    """Take the width of the upstream component."""
    if X is not None and X.upstream_width is not None:
        model.set_dim("nO", X.upstream_width, force=True)
