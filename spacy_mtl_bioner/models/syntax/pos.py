"""Parts of speech of the words around a token."""

from functools import partial
from typing import Any, Callable, List, Optional, Tuple

import numpy as np
from thinc.api import Model

from ...layers.torch_layer import no_backprop
from ..batch import TokenBatch, Tokens
from ..checks import at_least
from .annotation import POS
from .items import BatchItems, Items, gather, in_batch


def PosFeatures(window: int = 1, labels: Optional[List[str]] = None) -> Model[TokenBatch, BatchItems]:
    """TokenBatch -> the words up to ``window`` places from each token, itself among them, each with its ``tag_``.

    Tian et al. 2020 and Zhang & Chen 2022, whose window is 1.

    window (int): Words on either side.
    labels (Optional[List[str]]): The tags that get a vector; ``null``: those of the training documents.
    RAISES (MTLError): MTL200 for a negative window; MTL450 in use, for a document without tags.
    """
    at_least(0, "PosFeatures", window=window)
    return Model("pos_features", forward, attrs={"layer": POS, "labels": labels, "window": window})


def forward(model: Model, batch: TokenBatch, is_train: bool) -> Tuple[BatchItems, Callable[[Any], Any]]:
    """Find the items of the whole call once, and take the batch's."""
    window = model.attrs["window"]
    items = batch.tokens.once(("pos_features", window), partial(find, window=window))
    return in_batch(items, batch), no_backprop


def find(tokens: Tokens, window: int) -> Items:
    """The items of each token, from left to right."""
    tags = POS.of(tokens)
    context = (np.arange(len(tokens))[:, None] + np.arange(-window, window + 1)[None, :]).reshape(-1)
    owners = np.repeat(np.arange(len(tokens)), 2 * window + 1)
    return gather(tokens, owners, context, tags[np.clip(context, 0, max(len(tokens) - 1, 0))])
