"""A softmax over the tags of each token as a corpus' head."""

from functools import partial
from typing import Any, Callable, Optional, Tuple, Union

import torch
from thinc.api import Model
from torch import nn

from ...layers.dropout import drop
from ...layers.shim import MTLShim
from ...layers.torch_layer import no_backprop, shim_of
from ...types import CorpusSpec
from ..batch import TokenBatch
from ..checks import rates
from .base import UNLIKELY, Decoded, HeadInput, emission_layer, init_head, read_tags
from .decoding import Decoding, Seen, greedy
from .tagset import TagSet


def Softmax(
    scheme: str = "IOBES", dropout: float = 0.0, decoding: Optional[Decoding] = None
) -> Model[HeadInput, Union[torch.Tensor, Decoded]]:
    """With gold tags: the cross-entropy f32[B], summed over a sentence's tokens. Without: tags as ``Decoded``.

    Linear f32[H]->[K] and a softmax a token (Crichton et al. 2017, whose networks drop 0.75 of the features here and
    nowhere else). Tokens are independent: where the tags that are decoded do not follow the scheme, entities are read
    leniently (``TagSet.spans``). An entity's score is the probability of its tags, and that it ends there.

    scheme (str): How entities become tags: IOB2 or IOBES.
    dropout (float): Share of features dropped.
    decoding (Optional[Decoding]): How tags are chosen; by default each token's most probable one.
    RAISES (MTLError): MTL200 for a dropout out of its range, MTL007 and MTL132 for a scheme that no head can decode.
    """
    rates("Softmax", dropout=dropout)
    attrs = {"scheme": scheme, "dropout": dropout, "decoding": greedy() if decoding is None else decoding}
    dims = {"nI": None, "nO": None}
    return Model("softmax", forward, init=init_head, dims=dims, attrs=attrs, shims=[MTLShim(SoftmaxHead)])


def forward(
    model: Model, X: HeadInput, is_train: bool
) -> Tuple[Union[torch.Tensor, Decoded], Callable[[Any], Any]]:
    """The loss of gold tags, or the decoded tags. The config says the decoding, so that it is none of the weights."""
    module = shim_of(model).module
    if module.training != is_train:
        module.train(is_train)
    features, batch, gold = X[:3]
    logits = module(features)
    if gold is not None:
        if is_train:
            module.notice(gold, batch)
        return _cross_entropy(logits, gold, batch), no_backprop
    log_probs = logits.detach().log_softmax(-1).masked_fill(~batch.mask[:, :, None], 0.0)
    tags = model.attrs["decoding"](log_probs, batch.length_tensor, module.seen)
    score = partial(_scores, log_probs, tags, batch) if X[3] else None
    return read_tags(module.tagset, tags, batch, score), no_backprop


def _cross_entropy(logits: torch.Tensor, gold: torch.Tensor, batch: TokenBatch) -> torch.Tensor:
    losses = nn.functional.cross_entropy(logits.flatten(0, 1), gold.flatten(), reduction="none")
    return losses.view(gold.shape).masked_fill(~batch.mask, 0.0).sum(1)


def _scores(
    log_probs: torch.Tensor, tags: torch.Tensor, batch: TokenBatch, where: Tuple[torch.Tensor, ...]
) -> torch.Tensor:
    """f32[n]: the product of the probabilities of an entity's tags. Where no tag says that it ends (IOB2), the next
    token's chance of another tag than the one that would go on is a factor too."""
    rows, starts, ends, more = where
    own = log_probs.gather(2, tags[:, :, None])[:, :, 0]
    sums = nn.functional.pad(own.double().cumsum(1), (1, 0))
    scores = torch.exp(sums[rows, ends] - sums[rows, starts])
    could = torch.nonzero((more >= 0) & (ends < batch.length_tensor[rows]))[:, 0]
    scores[could] *= -torch.expm1(log_probs[rows[could], ends[could], more[could]].double())
    return scores.float()


class SoftmaxHead(nn.Module):
    """Emissions, and which tags training showed at the start, one after another, and at the end of a sentence."""

    capturable = True
    tag_axes = {"emit.weight": 1, "emit.bias": 1, "start_seen": 1, "transitions_seen": 2, "end_seen": 1}

    def __init__(self, inputs: int, kind: str, labels: list, scheme: str, dropout: float) -> None:
        super().__init__()
        self.tagset = TagSet(CorpusSpec(kind, tuple(labels)), scheme)
        self.dropout = dropout
        size = self.tagset.size
        self.emit = emission_layer(inputs, size)
        for name, shape in (("start", (size,)), ("transitions", (size, size)), ("end", (size,))):
            self.register_buffer(f"{name}_seen", torch.zeros(shape, dtype=torch.bool))

    @property
    def seen(self) -> Seen:
        """What training has shown so far."""
        return Seen(self.start_seen, self.transitions_seen, self.end_seen)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """f32[B,T,H] -> f32[B,T,K], in float32 whatever the precision of the features."""
        features = drop(features, self.dropout, self.training)
        with torch.autocast(features.device.type, enabled=False):
            return self.emit(features.float())

    @torch.no_grad()
    def notice(self, gold: torch.Tensor, batch: TokenBatch) -> None:
        """Remember the steps of gold tags i64[B,T]."""
        size = len(self.start_seen)
        self.start_seen.index_fill_(0, gold[:, 0], True)
        self.end_seen.index_fill_(0, gold.gather(1, batch.length_tensor[:, None] - 1)[:, 0], True)
        pairs = torch.where(batch.mask[:, 1:], gold[:, :-1] * size + gold[:, 1:], size * size)
        met = self.start_seen.new_zeros(size * size + 1).index_fill_(0, pairs.flatten(), True)  # the last: at padding
        self.transitions_seen |= met[:-1].view(size, size)

    @torch.no_grad()
    def take_over(self, old: "SoftmaxHead") -> None:
        """Copy what ``old`` knows of its tags; new labels come after the old ones, so tags keep their ids. New tags
        start unlikely whatever the features, so that the old ones are found as before."""
        size = old.tagset.size
        self.emit.weight.zero_()
        self.emit.bias.fill_(UNLIKELY)
        self.emit.weight[:size] = old.emit.weight
        self.emit.bias[:size] = old.emit.bias
        self.transitions_seen[:size, :size] = old.transitions_seen
        self.start_seen[:size] = old.start_seen
        self.end_seen[:size] = old.end_seen
