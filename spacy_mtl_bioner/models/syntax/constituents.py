"""The words of the phrase that a token is in."""

from functools import partial
from typing import Any, Callable, List, Optional, Tuple

import numpy as np
from thinc.api import Model

from ...layers.torch_layer import no_backprop
from ..batch import TokenBatch, Tokens
from ..checks import at_least
from ..ragged import ranges
from .annotation import CHUNK_TAGS
from .items import BatchItems, Items, gather, in_batch


def ConstituentFeatures(longest: int = 64, labels: Optional[List[str]] = None) -> Model[TokenBatch, BatchItems]:
    """TokenBatch -> all words of each token's phrase, itself among them, each with the phrase's label.

    Tian et al. 2020 and Zhang & Chen 2022: the phrase is the nearest constituent whose label is on the CoNLL chunk
    list, here as ``Token._.chunk`` has it (IOB2). A token outside of any phrase ("O") has no items.

    longest (int): A token of a longer phrase gets about so many words, those nearest to it, so that a phrase of a
        thousand words costs a thousand times 64 items and not a million.
    labels (Optional[List[str]]): The phrases ("NP") that get a vector; ``null``: those of the training documents.
    RAISES (MTLError): MTL200 for ``longest`` below 1; MTL450 in use, for a document without phrases.
    """
    at_least(1, "ConstituentFeatures", longest=longest)
    return Model("constituent_features", forward, attrs={"layer": CHUNK_TAGS, "labels": labels, "longest": longest})


def forward(model: Model, batch: TokenBatch, is_train: bool) -> Tuple[BatchItems, Callable[[Any], Any]]:
    """Find the items of the whole call once, and take the batch's."""
    longest = model.attrs["longest"]
    items = batch.tokens.once(("constituent_features", longest), partial(find, longest=longest))
    return in_batch(items, batch), no_backprop


def find(tokens: Tokens, longest: int) -> Items:
    """The items of each token, from left to right."""
    labels, begins = phrases(tokens)
    places = np.arange(len(tokens))
    starts = np.flatnonzero(begins)
    phrase = np.cumsum(begins) - 1
    first, end = starts[phrase], np.append(starts[1:], len(tokens))[phrase]
    first = np.maximum(first, places - longest // 2)
    end = np.where(labels == 0, first, np.minimum(end, places + (longest + 1) // 2))
    counts = end - first
    owners = np.repeat(places, counts)
    context = ranges(first, counts)
    return gather(tokens, owners, context, labels[owners])


def phrases(tokens: Tokens) -> Tuple[np.ndarray, np.ndarray]:
    """u64[N], the hash of each token's phrase label (0: none), and bool[N], whether a phrase, or a stretch without
    one, begins there. As conlleval reads IOB2: "I-" after another label begins a phrase too."""
    found, kinds = np.unique(CHUNK_TAGS.of(tokens), return_inverse=True)
    if not len(found):
        return found, np.zeros(0, dtype=bool)
    strings = tokens.vocab.strings
    names = [strings[tag] for tag in found.tolist()]
    label_of = np.asarray([strings.add(name[2:]) if name[1:2] == "-" else 0 for name in names], dtype="uint64")
    opens = np.asarray([name.startswith("B-") for name in names], dtype=bool)
    labels, begins = label_of[kinds], opens[kinds]
    begins[1:] |= (labels[1:] != labels[:-1]) | (np.diff(tokens.sentence_of) > 0)
    begins[:1] = True
    return labels, begins
