"""A linear-chain conditional random field as a corpus' head."""

from functools import partial
from typing import Hashable, List, Optional, Sequence, Tuple, Union

import torch
from thinc.api import Model
from torch import nn

from ...layers.crf_marginals import span_scores
from ...layers.crf_nll import crf_nll
from ...layers.crf_viterbi import crf_decode
from ...layers.dropout import drop
from ...layers.torch_layer import torch_layer
from ...types import CorpusSpec
from ..batch import TokenBatch
from ..checks import rates
from .base import UNLIKELY, Decoded, HeadInput, emission_layer, head_by_head, init_head, read_tags
from .tagset import TagSet


def CRF(scheme: str = "IOBES", dropout: float = 0.0) -> Model[HeadInput, Union[torch.Tensor, Decoded]]:
    """With gold tags: the negative log likelihood f64[B]. Without: the best legal tags (Viterbi) as ``Decoded``.

    Linear f32[H]->[K] emissions, a transition matrix, start and end scores (Lafferty et al. 2001; Lample et al. 2016).
    Tag sequences that the scheme forbids have no probability in training and are never decoded.

    scheme (str): How entities become tags: IOB2 or IOBES.
    dropout (float): Share of features dropped.
    RAISES (MTLError): MTL200 for a dropout out of its range, MTL007 and MTL132 for a scheme that no head can decode.
    """
    rates("CRF", dropout=dropout)
    attrs = {"scheme": scheme, "dropout": dropout}
    return torch_layer("crf", CRFHead, init=init_head, dims={"nI": None, "nO": None}, attrs=attrs)


class CRFHead(nn.Module):
    """Scores of transitions that the scheme forbids are minus infinity and have no gradient."""

    capturable = True
    tag_axes = {"emit.weight": 1, "emit.bias": 1, "transitions": 2, "start": 1, "end": 1}

    def __init__(self, inputs: int, kind: str, labels: list, scheme: str, dropout: float) -> None:
        super().__init__()
        self.tagset = TagSet(CorpusSpec(kind, tuple(labels)), scheme)
        self.dropout = dropout
        size = self.tagset.size
        self.emit = emission_layer(inputs, size)
        self.transitions = nn.Parameter(torch.zeros(size, size))
        self.start = nn.Parameter(torch.zeros(size))
        self.end = nn.Parameter(torch.zeros(size))
        for name, legal in zip(("start", "transitions", "end"), self.tagset.legal()):
            self.register_buffer(f"{name}_forbidden", torch.from_numpy(~legal), persistent=False)

    def forward(
        self, features: torch.Tensor, batch: TokenBatch, tags: Optional[torch.Tensor] = None, scores: bool = False
    ) -> Union[torch.Tensor, Decoded]:
        """Loss or decoded tags; always in float32, whatever the precision of the features."""
        features = drop(features, self.dropout, self.training)
        if tags is None:
            return self.decode_together([self], features, batch, scores)[0]
        with torch.autocast(features.device.type, enabled=False):
            emissions = nn.functional.linear(features.float(), self.emit.weight, self.emit.bias)
            return crf_nll(emissions, tags, batch.length_tensor, *self._scores())

    @property
    def family(self) -> Hashable:
        """Heads of the same family decode together: all that their tags may differ in are the names of labels, and
        their number a little."""
        rounded = 1 << (self.tagset.size - 1).bit_length()
        return CRFHead, self.tagset.spec.kind, self.tagset.scheme, rounded

    @staticmethod
    def decode_together(
        heads: Sequence["CRFHead"], features: torch.Tensor, batch: TokenBatch, scores: bool
    ) -> List[Decoded]:
        """What each of some heads of one family decodes from the same features: the sentences of all as one batch,
        since what small steps cost hardly grows with their size. Tags that a head lacks are impossible."""
        size = max(head.tagset.size for head in heads)
        chains = [head._padded(size) for head in heads]
        weight, bias = torch.cat([chain[0] for chain in chains]), torch.cat([chain[1] for chain in chains])
        links = [chain[2:] for chain in chains]
        with torch.autocast(features.device.type, enabled=False):
            emissions = nn.functional.linear(features.float(), weight, bias).unflatten(2, (len(heads), size))
            emissions, lengths = emissions.permute(2, 0, 1, 3).flatten(0, 1), batch.length_tensor.repeat(len(heads))
            scored = (emissions, lengths, *(links[0] if len(heads) == 1 else map(torch.stack, zip(*links))))
            best = crf_decode(*scored)
            score = partial(span_scores, *scored, best) if scores else None
            return head_by_head(read_tags(heads[0].tagset, best, batch, score), len(heads))

    def _padded(self, size: int) -> Tuple[torch.Tensor, ...]:
        """Weight and bias of emissions, transitions, start and end of at least ``size`` tags."""
        more = size - self.tagset.size
        parts = self.emit.weight, self.emit.bias, *self._scores()
        if not more:
            return parts
        by = (0, 0, 0, more), (0, more), (0, more, 0, more), (0, more), (0, more)
        fill = 0.0, *[-torch.inf] * 4
        return tuple(nn.functional.pad(part, pad, value=value) for part, pad, value in zip(parts, by, fill))

    def _scores(self) -> Tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        return (
            self.transitions.masked_fill(self.transitions_forbidden, -torch.inf),
            self.start.masked_fill(self.start_forbidden, -torch.inf),
            self.end.masked_fill(self.end_forbidden, -torch.inf),
        )

    @torch.no_grad()
    def take_over(self, old: "CRFHead") -> None:
        """Copy the weights of the tags that ``old`` has; new labels come after the old ones, so tags keep their ids.
        New tags start unlikely whatever the features, so that the old ones are found as before."""
        size = old.tagset.size
        self.emit.weight.zero_()
        self.emit.bias.fill_(UNLIKELY)
        self.emit.weight[:size] = old.emit.weight
        self.emit.bias[:size] = old.emit.bias
        self.transitions[:size, :size] = old.transitions
        self.start[:size] = old.start
        self.end[:size] = old.end
