"""What every syntax part takes and gives, the one that does nothing, and what those that attend have in common."""

from typing import Any, Callable, List, Optional, Tuple, Type

import numpy as np
import torch
from spacy.strings import get_string_id
from thinc.api import Model
from torch import nn

from ...errors import E451, MTLError
from ...layers.torch_layer import no_backprop, run, shim_of, torch_layer
from ...layers.transfer import to_device
from ..batch import TokenBatch
from ..lexicon import Lexicon
from .items import BatchItems

SyntaxInput = Tuple[torch.Tensor, TokenBatch]
"""Features f32[B,T,H] of one corpus and their batch, whose documents carry the syntactic annotation."""


def no_syntax() -> Model[SyntaxInput, torch.Tensor]:
    """f32[B,T,H] -> the same. Without a dimension ``nO`` it leaves each corpus the width that sharing gave it."""
    return Model("no_syntax", _forward, dims={"nI": None})


def _forward(model: Model, X: SyntaxInput, is_train: bool) -> Tuple[torch.Tensor, Callable[[Any], Any]]:
    return X[0], no_backprop


def attention(
    name: str, module_class: Type["FeatureAttention"], features: Model[TokenBatch, BatchItems], **sizes: Any
) -> Model[SyntaxInput, torch.Tensor]:
    """A syntax part: the items that ``features`` finds, attended over by a module.

    The labels that get a vector are those of the training documents, or those that ``features`` was given; they are
    kept with the weights, and any other label has the unknown one's.

    module_class: built as ``module_class(inputs=H, labels=..., **sizes)``.
    """
    inner = torch_layer(name, module_class, init=_built_by_parent, attrs=sizes)
    dims = {"nI": None, "nO": None}
    return Model(f"{name}_over_{features.name}", forward, init=init, dims=dims, layers=[features, inner])


def forward(model: Model, X: SyntaxInput, is_train: bool) -> Tuple[torch.Tensor, Callable[[Any], Any]]:
    """(f32[B,T,H], TokenBatch) -> f32[B,T,nO]."""
    (hidden, batch), (features, inner) = X, model.layers
    return run(inner, (hidden, run(features, batch, is_train)), is_train), no_backprop


def init(model: Model, X: Optional[Lexicon] = None, Y: object = None) -> None:
    """Build the module when the input's width and the labels are known. Raises MTL451 where there are no labels."""
    features, inner = model.layers
    if X is None or not model.has_dim("nI") or shim_of(inner).built:
        return
    layer = features.attrs["layer"]
    labels = features.attrs["labels"] or sorted(X.labels[layer.name])
    if not labels:
        raise MTLError(E451(part=model.name, what=layer.what, copied=layer.copied))
    module = shim_of(inner).build(inputs=model.get_dim("nI"), labels=labels, **inner.attrs)
    model.set_dim("nO", module.width, force=True)


def _built_by_parent(model: Model, X: object = None, Y: object = None) -> None:
    return None


class FeatureAttention(nn.Module):
    """A vector a label; row 0 is the unknown label's, which starts at zero.

    width: numbers a token that come out. Sums over a token's items are empty, so zero, where it has none.
    """

    width: int

    def __init__(self, labels: List[str], label_width: int) -> None:
        super().__init__()
        hashes = np.asarray([get_string_id(label) for label in labels], dtype="uint64")
        self.order = np.argsort(hashes)
        self.hashes = hashes[self.order]
        bound = (3.0 / label_width) ** 0.5
        self.labels = nn.Parameter(torch.empty(1 + len(labels), label_width).uniform_(-bound, bound))
        with torch.no_grad():
            self.labels[0] = 0.0

    def rows_of(self, items: BatchItems) -> torch.Tensor:
        """i64[M], the row of each item's label."""
        at = np.minimum(np.searchsorted(self.hashes, items.labels), len(self.hashes) - 1)
        rows = np.where(self.hashes[at] == items.labels, 1 + self.order[at], 0)
        return to_device(rows, self.labels.device)


def weights_of(queries: torch.Tensor, keys: torch.Tensor, owners: torch.Tensor, scale: float = 1.0) -> torch.Tensor:
    """f32[N,D] queries of tokens, f32[M,D] keys of items, i64[M] -> f32[M]: ``softmax(scale * q . k)`` within each
    token's items, in float32 at least."""
    exact = torch.promote_types(queries.dtype, torch.float32)
    scores = (queries.index_select(0, owners).to(exact) * keys.to(exact)).sum(dim=-1) * scale
    highest = scores.new_full(queries.shape[:1], -torch.inf)
    highest = highest.scatter_reduce(0, owners, scores.detach(), "amax")
    shares = torch.exp(scores - highest[owners])
    totals = shares.new_zeros(queries.shape[:1]).index_add(0, owners, shares)
    return shares / totals[owners]


def weighted_sum(weights: torch.Tensor, values: torch.Tensor, owners: torch.Tensor, size: int) -> torch.Tensor:
    """f32[M], f32[M,D], i64[M] -> f32[size,D]: each token's sum of its items' values."""
    return values.new_zeros(size, values.shape[-1]).index_add(0, owners, values * weights.to(values.dtype)[:, None])
