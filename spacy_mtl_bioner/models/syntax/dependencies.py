"""The governor and the dependents of a token."""

from typing import Any, Callable, List, Optional, Tuple

import numpy as np
from spacy.attrs import HEAD
from thinc.api import Model

from ...layers.torch_layer import no_backprop
from ..batch import TokenBatch, Tokens
from .annotation import DEPENDENCIES
from .items import BatchItems, Items, gather, in_batch


def DependencyFeatures(labels: Optional[List[str]] = None) -> Model[TokenBatch, BatchItems]:
    """TokenBatch -> the governor of each token, then its dependents, each with the relation that joins the two.

    Tian et al. 2020 and Zhang & Chen 2022. The root of a sentence has no governor.

    labels (Optional[List[str]]): The relations that get a vector; ``null``: those of the training documents.
    RAISES (MTLError): MTL450 in use, for a document without a parse.
    """
    return Model("dependency_features", forward, attrs={"layer": DEPENDENCIES, "labels": labels})


def forward(model: Model, batch: TokenBatch, is_train: bool) -> Tuple[BatchItems, Callable[[Any], Any]]:
    """Find the items of the whole call once, and take the batch's."""
    return in_batch(batch.tokens.once("dependency_features", find), batch), no_backprop


def find(tokens: Tokens) -> Items:
    """The items of each token: governor first, dependents from left to right."""
    relations, heads = DEPENDENCIES.of(tokens), heads_of(tokens)
    governed = np.flatnonzero(heads >= 0)
    owners, context = np.concatenate([governed, heads[governed]]), np.concatenate([heads[governed], governed])
    return gather(tokens, owners, context, np.tile(relations[governed], 2))


def heads_of(tokens: Tokens) -> np.ndarray:
    """i64[N], the governor of each token among the tokens, -1 for a root.

    White space is no token: what hangs from white space hangs from whatever that hangs from.
    """
    offsets = [doc.to_array([HEAD]).reshape(-1).astype("int64") for doc in tokens.docs if len(doc)]
    total = int(tokens.doc_starts[-1])
    places = np.arange(total)
    heads = places + np.concatenate([*offsets, np.zeros(0, dtype="int64")])
    number = np.full(total, -1)
    number[tokens.at] = np.arange(len(tokens))
    upward = np.where(number < 0, heads, places)
    if len(tokens) < total:
        for _ in range(total.bit_length()):
            upward = upward[upward]
    above = upward[heads]
    return np.where(above == places, -1, number[above])[tokens.at]
