"""The best tag path of a linear-chain CRF (Viterbi 1967), values forward, arguments only along the best path."""

import torch
from torch import Tensor

from .crf_lattice import build_lattice

_RESCALE = 8  # steps between subtractions of the running maximum, which keep float32 sums near zero


@torch.no_grad()
def crf_decode(emissions: Tensor, lengths: Tensor, transitions: Tensor, start: Tensor, end: Tensor) -> Tensor:
    """i64[B, T]: the best legal tag path of each sentence, 0 at padding.

    emissions [B, T, K]; lengths i64[B], from 1 to T; transitions [K, K] (score of tag j after tag i), start [K] and
    end [K], -inf where illegal. A legal path must exist. Of equal paths, the one with the lowest tag at the last
    position where they differ; neither padding nor the rest of the batch has a say.
    """
    B, T, K = emissions.shape
    scores, links = build_lattice(emissions, lengths, transitions, start, end)
    best = [scores[0]]
    for t, score in enumerate(scores[1:].unbind(0), start=1):
        value = (best[-1].unsqueeze(2) + links).amax(1).add_(score)
        if t % _RESCALE == 0:
            value -= value.amax(1, keepdim=True)
        best.append(value)
    into = links.t().contiguous()
    tags = torch.full((B,), K, device=emissions.device)
    path = []
    for value in reversed(best):
        tags = into.index_select(0, tags).add_(value).argmax(1)
        path.append(tags)
    decoded = torch.stack(path[::-1], 1)
    return decoded.masked_fill_(decoded == K, 0)
