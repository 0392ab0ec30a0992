"""A linear-chain conditional random field as a corpus' head."""

from functools import partial
from typing import Optional, Tuple, Union

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
from .base import UNLIKELY, Decoded, HeadInput, init_head, read_tags
from .tagset import TagSet


def CRF(scheme: str = "IOBES", dropout: float = 0.0) -> Model[HeadInput, Union[torch.Tensor, Decoded]]:
    """With gold tags: the negative log likelihood f64[B]. Without: the best legal tags (Viterbi) as ``Decoded``.

    Linear f32[H]->[K] emissions, a transition matrix, start and end scores (Lafferty et al. 2001; Lample et al. 2016).
    Tag sequences that the scheme forbids have no probability in training and are never decoded.

    scheme (str): How entities become tags: IOB2 or IOBES.
    dropout (float): Share of features dropped.
    """
    attrs = {"scheme": scheme, "dropout": dropout}
    return torch_layer("crf", CRFHead, init=init_head, dims={"nI": None, "nO": None}, attrs=attrs)


class CRFHead(nn.Module):
    """Scores of transitions that the scheme forbids are minus infinity and have no gradient."""

    tag_axes = {"emit.weight": 1, "emit.bias": 1, "transitions": 2, "start": 1, "end": 1}

    def __init__(self, inputs: int, kind: str, labels: list, scheme: str, dropout: float) -> None:
        super().__init__()
        self.tagset = TagSet(CorpusSpec(kind, tuple(labels)), scheme)
        self.dropout = dropout
        size = self.tagset.size
        self.emit = nn.Linear(inputs, size)
        nn.init.xavier_uniform_(self.emit.weight)
        nn.init.zeros_(self.emit.bias)
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
        with torch.autocast(features.device.type, enabled=False):
            emissions = nn.functional.linear(features.float(), self.emit.weight, self.emit.bias)
            scored = (emissions, batch.length_tensor, *self._scores())
            if tags is not None:
                return crf_nll(emissions, tags, *scored[1:])
            best = crf_decode(*scored)
            score = partial(span_scores, *scored, best) if scores else None
            return read_tags(self.tagset, best, batch, score)

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
