"""A conditional random field whose transition scores are read off the features of each token."""

from functools import partial
from typing import Optional, Tuple, Union

import torch
from thinc.api import Model
from torch import nn

from ...layers.crf_position import position_decode, position_nll, position_span_scores
from ...layers.dropout import drop
from ...layers.torch_layer import torch_layer
from ...types import CorpusSpec
from ..batch import TokenBatch
from ..checks import rates
from .base import UNLIKELY, Decoded, HeadInput, emission_layer, init_head, read_tags
from .tagset import TagSet


def PositionCRF(
    scheme: str = "IOBES", dropout: float = 0.0, emissions: bool = True, end: bool = False, constrained: bool = True
) -> Model[HeadInput, Union[torch.Tensor, Decoded]]:
    """As ``CRF``, but the score of tag j after tag i at a token is a linear function of the token's features:
    f32[H] -> [K,K] (Ma & Hovy 2016, section 2.3), plus f32[H] -> [K] for tag j alone.

    Both are what Wang Xi et al. 2019 compute; Wang Xuan et al. 2018 have the transitions alone (``emissions`` false).
    Their programs also sum over paths through a padding tag, which is left out here.

    Scores take memory for K*K numbers a token, in float32 and again in float64: 12 bytes * B * T * K * K, for a batch
    of 4096 padded tokens and 21 tags (five labels) 22 MB; lower ``batch_tokens`` where there are many labels.

    scheme (str): How entities become tags: IOB2 or IOBES.
    dropout (float): Share of features dropped.
    emissions (bool): Whether a tag has a score besides that of its transition.
    end (bool): Whether the last token's features also score the end of the sentence.
    constrained (bool): Whether tag sequences that the scheme forbids have no probability. The published programs let
        them compete; they are then read as conlleval reads them.
    RAISES (MTLError): MTL200 for a dropout out of its range, MTL007 and MTL132 for a scheme that no head can decode.
    """
    rates("PositionCRF", dropout=dropout)
    attrs = {"scheme": scheme, "dropout": dropout, "emissions": emissions, "end": end, "constrained": constrained}
    return torch_layer("position_crf", PositionHead, init=init_head, dims={"nI": None, "nO": None}, attrs=attrs)


class PositionHead(nn.Module):
    """Linear maps to the scores of a token's transitions, of its tag, of a sentence's first tag and of its last."""

    def __init__(
        self,
        inputs: int,
        kind: str,
        labels: list,
        scheme: str,
        dropout: float,
        emissions: bool,
        end: bool,
        constrained: bool,
    ) -> None:
        super().__init__()
        self.tagset = TagSet(CorpusSpec(kind, tuple(labels)), scheme)
        self.dropout = dropout
        size = self.tagset.size
        self.links = emission_layer(inputs, size * size)
        self.start = emission_layer(inputs, size)
        self.emit = emission_layer(inputs, size) if emissions else None
        self.end = emission_layer(inputs, size) if end else None
        self.tag_axes = {name: 2 if name.startswith("links") else 1 for name, _ in self.named_parameters()}
        for name, legal in zip(("start", "links", "end"), self.tagset.legal()):
            forbidden = torch.from_numpy(~legal) & constrained
            self.register_buffer(f"{name}_forbidden", forbidden, persistent=False)

    def forward(
        self, features: torch.Tensor, batch: TokenBatch, tags: Optional[torch.Tensor] = None, scores: bool = False
    ) -> Union[torch.Tensor, Decoded]:
        """Loss f64[B] or decoded tags; scores are float32 at least, whatever the precision of the features."""
        features = drop(features, self.dropout, self.training)
        with torch.autocast(features.device.type, enabled=False):
            chain = self.chain(features.float(), batch.length_tensor)
            if tags is not None:
                return position_nll(*chain, tags, batch.length_tensor)
            best = position_decode(*chain, batch.length_tensor)
            score = partial(position_span_scores, *chain, batch.length_tensor, best) if scores else None
            return read_tags(self.tagset, best, batch, score)

    def chain(self, features: torch.Tensor, lengths: torch.Tensor) -> Tuple[torch.Tensor, torch.Tensor]:
        """f32[B,T,H] -> first f32[B,K] and links f32[T-1,B,K,K] of ``layers.crf_position``."""
        size, ahead = self.tagset.size, features.transpose(0, 1)
        weight, bias = self.links.weight.view(size, size, -1), self.links.bias.view(size, size)
        start_weight, start_bias = self.start.weight, self.start.bias
        if self.emit is not None:  # a score of tag j is one of each transition to j
            weight, bias = weight + self.emit.weight, bias + self.emit.bias
            start_weight, start_bias = start_weight + self.emit.weight, start_bias + self.emit.bias
        first = nn.functional.linear(ahead[0], start_weight, start_bias)
        links = nn.functional.linear(ahead[1:], weight.flatten(0, 1), bias.flatten()).unflatten(2, (size, size))
        first = first.masked_fill(self.start_forbidden, -torch.inf)
        links = links.masked_fill_(self.links_forbidden, -torch.inf)
        return self._close(features, lengths, first, links)

    def _close(
        self, features: torch.Tensor, lengths: torch.Tensor, first: torch.Tensor, links: torch.Tensor
    ) -> Tuple[torch.Tensor, torch.Tensor]:
        """Add the score of the end to that of each last token."""
        rows = torch.arange(len(lengths), device=lengths.device)
        end = first.new_zeros(first.shape) if self.end is None else self.end(features[rows, lengths - 1])
        end = end.masked_fill(self.end_forbidden, -torch.inf)
        first = torch.where((lengths == 1).unsqueeze(1), first + end, first)
        longer = (lengths > 1).nonzero().squeeze(1)
        at = (lengths[longer] - 2, longer)
        return first, links.index_put_(at, end[longer].unsqueeze(1), accumulate=True)

    @torch.no_grad()
    def take_over(self, old: "PositionHead") -> None:
        """Copy the weights of the tags that ``old`` has; new labels come after the old ones, so tags keep their ids.
        New tags start unlikely whatever the features, so that the old ones are found as before."""
        size, known = self.tagset.size, old.tagset.size
        for ours, theirs in ((self.emit, old.emit), (self.end, old.end), (self.start, old.start)):
            if ours is not None and theirs is not None:
                ours.weight.zero_()
                ours.weight[:known], ours.bias[:known] = theirs.weight, theirs.bias
        self.links.weight.zero_()
        self.links.bias.view(size, size)[:, known:] = UNLIKELY
        self.start.bias[known:] = UNLIKELY
        for ours, theirs in ((self.links.weight, old.links.weight), (self.links.bias, old.links.bias)):
            ours.view(size, size, -1)[:known, :known] = theirs.view(known, known, -1)
