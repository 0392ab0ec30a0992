"""The best tag path of a linear-chain CRF (Viterbi 1967): values forward, arguments only along the best path."""

import torch
from torch import Tensor

from .crf_lattice import build_lattice, chain_of

_RESCALE = 8  # steps between subtractions of the running maximum, which keep sums small, hence precise
_BLOCK = 1 << 18  # entries of a block of (target, source, sentence) sums: they stay in the cache


def crf_decode(emissions: Tensor, lengths: Tensor, transitions: Tensor, start: Tensor, end: Tensor) -> Tensor:
    """i64[B, T]: the best legal tag path of each sentence, 0 at padding.

    emissions [B, T, K]; lengths i64[B], from 1 to T; transitions [K, K] (score of tag j after tag i), start [K] and
    end [K], -inf where illegal; or those of several CRFs, as in ``build_lattice``. A legal path must exist. Of equal
    paths, the one with the lower tag at the last position where they differ; neither padding nor the rest of the batch
    has a say.
    """
    with torch.inference_mode():
        scores, links = build_lattice(emissions, lengths, transitions, start, end)
        values = _values(scores.transpose(1, 2).contiguous(), links)
        path = _backtrack(values, links)
    decoded = path.t().contiguous()
    return decoded.masked_fill(decoded == emissions.shape[2], 0)


def _values(scores: Tensor, links: Tensor) -> Tensor:
    """[T, B, K1]: score of the best path into each state, up to a constant a step; scores [T, K1, B]."""
    T, K1, B = scores.shape
    width = max(1, min(K1, _BLOCK // (K1 * B)))
    into = links.permute(*reversed(range(links.dim()))).unsqueeze(-1).contiguous()  # target, source, (CRF,) sentence
    values = scores.view(T, *into.shape[1:-1], -1)  # each step reads its scores just before it replaces them
    block = scores.new_empty((width, *values.shape[1:]))
    into = into.split(width)
    blocks = [block[: len(part)] for part in into]
    best = torch.empty_like(values[0])
    pieces = list(zip(into, blocks, best.split(width)))
    steps = values.unbind(0)
    before = steps[0]
    for t, now in enumerate(steps[1:], start=1):
        source = before.unsqueeze(0)
        for part, sums, target in pieces:
            torch.add(source, part, out=sums)
            torch.amax(sums, 1, out=target)
        now.add_(best)
        if t % _RESCALE == 0:
            now.sub_(now.amax(0))
        before = now
    return scores.transpose(1, 2).contiguous()


def _backtrack(values: Tensor, links: Tensor) -> Tensor:
    """i64[T, B]: the best states, from the last, which the end state follows at no cost."""
    T, B, K1 = values.shape
    into = links.transpose(-2, -1).contiguous().view(-1, K1)
    path = torch.empty((T, B), dtype=torch.int64, device=values.device)
    first = chain_of(links, B) * K1 if links.dim() == 3 else None
    now = torch.full_like(path[0], K1 - 1)
    for value, before in zip(reversed(values.unbind(0)), reversed(path.unbind(0))):
        row = now if first is None else now + first
        torch.argmax(into.index_select(0, row).add_(value), 1, out=before)
        now = before
    return path
