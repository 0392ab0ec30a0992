"""What every decoder takes and gives, and what all of them do alike."""

from typing import Callable, List, NamedTuple, Optional, Tuple, Union

import numpy as np
import torch
from thinc.api import Model
from torch import nn

from ...layers.torch_layer import shim_of
from ...layers.transfer import to_device
from ...types import CorpusSpec
from ..batch import TokenBatch
from .tagset import SpanArrays, TagSet

UNLIKELY = -6.0
"""Score of a tag that joins a trained head."""


class Decoded(NamedTuple):
    """tags: i64[B,T]; spans: the entities they say; scores: f32[n], the probability of each, or None."""

    tags: np.ndarray
    spans: Optional[SpanArrays]
    scores: Optional[np.ndarray]


HeadInput = Union[Tuple[torch.Tensor, TokenBatch, torch.Tensor], Tuple[torch.Tensor, TokenBatch, None, bool]]
"""Features f32[B,T,H] and their batch with gold tags i64[B,T], or without and whether scores are wanted."""


def emission_layer(inputs: int, outputs: int) -> nn.Linear:
    """f32[...,H] -> scores f32[...,K], with Xavier-uniform weights and no bias at first."""
    linear = nn.Linear(inputs, outputs)
    nn.init.xavier_uniform_(linear.weight)
    nn.init.zeros_(linear.bias)
    return linear


def init_head(model: Model, X: object = None, Y: Optional[CorpusSpec] = None) -> None:
    """Build the head for the labels of ``Y`` from the node's attributes; a head that has weights keeps those of its
    old labels (its module's ``take_over``)."""
    shim = shim_of(model)
    if Y is None or not model.has_dim("nI"):
        return
    old = shim.module if shim.built else None
    if old is not None and old.tagset.spec == Y:
        return
    settings = {name: value for name, value in model.attrs.items() if not callable(value)}  # callables stay the node's
    head = shim.build(inputs=model.get_dim("nI"), kind=Y.kind, labels=list(Y.labels), **settings)
    if old is not None:
        head.take_over(old)
    model.set_dim("nO", head.tagset.size, force=True)


def read_tags(
    tagset: TagSet,
    best: torch.Tensor,
    batch: TokenBatch,
    score: Optional[Callable[[Tuple[torch.Tensor, ...]], torch.Tensor]],
) -> Decoded:
    """The entities that tags i64[B,T] say (or i64[G*B,T]: of the batch again and again, once a head); ``score`` gives
    the probability of each from its row, first token, one past its last token, and the tag that would continue it
    (``layers.crf_marginals.Spans``); None: no scores."""
    tags = best.cpu().numpy()
    if tagset.spec.kind == "tags":
        return Decoded(tags, None, None)
    spans = tagset.spans(tags, np.tile(batch.mask_array, (len(tags) // len(batch.mask_array), 1)))
    if score is None:
        return Decoded(tags, spans, None)
    where = (*spans[:3], tagset.continuation(spans.labels))
    return Decoded(tags, spans, score(tuple(to_device(array, best.device) for array in where)).cpu().numpy())


def head_by_head(decoded: Decoded, heads: int) -> List[Decoded]:
    """What each of some heads found, of the sentences of all of them one after the other."""
    tags, spans, scores = decoded
    sentences = len(tags) // heads
    parts = [tags[i * sentences : (i + 1) * sentences] for i in range(heads)]
    if spans is None:
        return [Decoded(part, None, None) for part in parts]
    found = []
    cuts = np.searchsorted(spans.rows, np.arange(heads + 1) * sentences).tolist()
    for i, (a, b) in enumerate(zip(cuts, cuts[1:])):
        own = SpanArrays(*(array[a:b] for array in spans))._replace(rows=spans.rows[a:b] - i * sentences)
        found.append(Decoded(parts[i], own, None if scores is None else scores[a:b]))
    return found
