"""A batch of sentences that are longer than in the text, because an encoder reads marks around them."""

from typing import Sequence

import numpy as np

from .batch import TokenBatch


class FramedBatch(TokenBatch):
    """All sentences of a batch once for each of k frames: frame i adds ``before[i]`` steps in front of a sentence and
    ``after[i]`` behind it. For encoders, which know lengths and steps; it has no words to embed.

    rows: i64[k*B,T'], the step of the flattened batch, [B*T], that is read at each step (0 at the frames).
    """

    def __init__(self, batch: TokenBatch, before: Sequence[int], after: Sequence[int]) -> None:
        self._begin()
        self.tokens, self.gold, self.device, self.losses = batch.tokens, None, batch.device, batch.losses
        count, steps = batch.shape
        added = np.asarray(before) + np.asarray(after)
        self.sentences = np.tile(batch.sentences, len(added))
        self.lengths = (batch.lengths + added[:, None]).reshape(-1)
        self.shape = (len(self.lengths), steps + int(added.max(initial=0)))
        self.mask_array = np.arange(self.shape[1])[None, :] < self.lengths[:, None]
        self.rows = np.zeros(self.shape, dtype="int64")
        words = np.arange(count * steps).reshape(count, steps)
        for i, first in enumerate(before):
            self.rows[i * count : (i + 1) * count, first : first + steps] = words
