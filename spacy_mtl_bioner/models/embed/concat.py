"""Several embeddings side by side."""

from typing import Any, Callable, Optional, Tuple

import torch
from thinc.api import Model

from ...layers.torch_layer import no_backprop, run
from ..batch import TokenBatch
from ..lexicon import Lexicon
from .char_cnn import CharCNN
from .word_vectors import WordVectors


def ConcatEmbed(*parts: Model[TokenBatch, torch.Tensor]) -> Model[TokenBatch, torch.Tensor]:
    """TokenBatch -> f32[B,T,D], D the sum of the parts' widths, in the order of the config."""
    return Model("concat_embed", forward, init=init, dims={"nO": None}, layers=list(parts))


def WordsAndCharacters() -> Model[TokenBatch, torch.Tensor]:
    """TokenBatch -> f32[B,T,D]: ``WordVectors`` and ``CharCNN`` with their usual settings, the component's default. It
    has a name of its own because spaCy merges a default block into a config's block of the same name, parts and all:
    a config of ``ConcatEmbed`` without a character part would get this one's."""
    return ConcatEmbed(WordVectors(), CharCNN())


def forward(model: Model, batch: TokenBatch, is_train: bool) -> Tuple[torch.Tensor, Callable[[Any], Any]]:
    """The parts' vectors of each token, concatenated."""
    return torch.cat([run(part, batch, is_train) for part in model.layers], dim=-1), no_backprop


def init(model: Model, X: Optional[Lexicon] = None, Y: object = None) -> None:
    """Initialize the parts and add their widths."""
    for part in model.layers:
        part.initialize(X=X)
    if all(part.has_dim("nO") for part in model.layers):
        model.set_dim("nO", sum(part.get_dim("nO") for part in model.layers), force=True)
