"""Convolutions over a window of tokens without pooling, computed once a sentence."""

from typing import List, Tuple

import numpy as np
import torch
from thinc.api import Model
from torch import nn

from ...errors import E220, MTLError
from ..batch import TokenBatch
from ..checks import at_least
from .base import encoder_layer
from .windows import gather, lay_out, put_back, with_padding


def WindowCNN(
    left: int = 3,
    right: int = 3,
    widths: List[int] = [3, 4, 5],
    filters: int = 100,
    hidden: int = 1200,
    learn_padding: bool = False,
) -> Model[Tuple[torch.Tensor, TokenBatch], torch.Tensor]:
    """(f32[B,T,D], TokenBatch) -> f32[B,T,hidden]: the convolutional network of Crichton et al. 2017.

    A token is seen in its window of ``left + 1 + right`` tokens, padded at sentence borders. ``filters`` filters of
    each of the ``widths`` answer at every position of the window (5 + 4 + 3 = 12 of the published sizes) with ReLU;
    nothing is pooled: all answers (1,200) pass a dense layer with ReLU. The published dropout of 0.75 belongs to the
    decoder.

    left, right (int): Tokens of context.
    widths (List[int]): Tokens that a filter sees, a filter bank each.
    filters (int): Filters a bank.
    hidden (int): Units of the dense layer.
    learn_padding (bool): Train the vector outside of the sentence, which starts uniform in +-0.05. Published: not.
    RAISES (MTLError): MTL220 for sizes that leave no window or no position of a filter, MTL200 for no units.
    """
    at_least(1, "WindowCNN", filters=filters, hidden=hidden)
    window = left + 1 + right
    if left < 0 or right < 0 or not widths or not all(0 < width <= window for width in widths):
        raise MTLError(E220(layer="WindowCNN", left=left, right=right, widths=widths, window=window))
    settings = {"left": left, "right": right, "widths": list(widths), "filters": filters, "hidden": hidden}
    return encoder_layer("window_cnn", WindowConvolution, hidden, **settings, learn_padding=learn_padding)


class WindowConvolution(nn.Module):
    """A filter's answer at a place of the sentence is the same in each window that holds the place. So the filters run
    once over the padded sentence, and a window's answers are rows of theirs, gathered for the dense layer."""

    capturable = True

    def __init__(
        self, inputs: int, left: int, right: int, widths: List[int], filters: int, hidden: int, learn_padding: bool
    ) -> None:
        super().__init__()
        self.left, self.right, self.widths = left, right, widths
        self.padding = nn.Parameter(torch.empty(inputs).uniform_(-0.05, 0.05), requires_grad=learn_padding)
        self.banks = nn.ModuleList(nn.Linear(width * inputs, filters) for width in widths)
        self.positions = [left + 1 + right - width + 1 for width in widths]
        self.dense = nn.Linear(filters * sum(self.positions), hidden)
        for linear in [*self.banks, self.dense]:
            nn.init.xavier_uniform_(linear.weight)
            nn.init.zeros_(linear.bias)

    def forward(self, x: torch.Tensor, batch: TokenBatch) -> torch.Tensor:
        """(f32[B,T,D], TokenBatch) -> f32[B,T,hidden], zero at padding."""
        return self.of_tokens(x, batch) if x.device.type == "cpu" else self.of_all(x, batch)

    def of_tokens(self, x: torch.Tensor, batch: TokenBatch) -> torch.Tensor:
        """Without the windows of padding: fewest numbers."""
        rows, starts = lay_out(batch, self.left, self.right)
        # The last rows see the last one again where they would leave the batch; no window holds their answers.
        seen = np.minimum(np.arange(len(rows))[:, None] + np.arange(max(self.widths)), len(rows) - 1)
        inputs = gather(with_padding(x, self.padding), rows[seen])
        answers = []
        for bank, positions in zip(self.banks, self.positions):
            answer = torch.relu_(bank(inputs[:, : bank.in_features]))
            answers.append(gather(answer, starts[:, None] + np.arange(positions)))
        return put_back(torch.relu_(self.dense(torch.cat(answers, dim=1))), batch)

    def of_all(self, x: torch.Tensor, batch: TokenBatch) -> torch.Tensor:
        """The windows of padding too, so that there are no rows to look up: fewest steps, which count on a GPU."""
        inside, padding = batch.mask[:, :, None], self.padding.to(x.dtype)
        before, after = (padding.expand(len(x), count, -1) for count in (self.left, self.right))
        rows = torch.cat([before, torch.where(inside, x, padding), after], dim=1)
        answers = []
        for bank, width, positions in zip(self.banks, self.widths, self.positions):
            answer = torch.relu_(bank(_side_by_side(rows, width)))
            answers.append(_side_by_side(answer, positions))
        return torch.relu_(self.dense(torch.cat(answers, dim=2))) * inside


def _side_by_side(rows: torch.Tensor, width: int) -> torch.Tensor:
    """f32[B,T,D] -> f32[B,T+1-width,width*D]: each row and those after it."""
    return rows.unfold(1, width, 1).transpose(2, 3).flatten(2)
