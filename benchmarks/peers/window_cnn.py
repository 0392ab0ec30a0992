"""The published arithmetic of a window CNN (Crichton et al. 2017), in plain PyTorch.

Written from the paper's sizes, as a yardstick of speed: every token is an example of its own, a matrix of seven frozen
vectors over which 100 filters of each height 3, 4 and 5 slide, 1,200 ReLU units, dropout of 0.75, a softmax, Adam.
Tokens and their windows are arrays made beforehand, off the clock. This is the arithmetic, not the authors' program.
"""

from typing import List, NamedTuple, Sequence

import torch
from spacy.tokens import Doc
from spacy.vectors import Vectors
from torch import Tensor, nn

SIDE, HEIGHTS, FILTERS, UNITS, DROPOUT, RATE = 3, (3, 4, 5), 100, 1200, 0.75, 1e-4


class Tokens(NamedTuple):
    """N tokens. windows: i64[N,7], rows of the table; tags: i64[N]."""

    windows: Tensor
    tags: Tensor


class WindowNetwork(nn.Module):
    """Rows 0 and 1 of the table are the unknown word and padding."""

    def __init__(self, vectors: Vectors, tags: Sequence[str]) -> None:
        super().__init__()
        table = torch.empty(len(vectors.data) + 2, vectors.shape[1]).uniform_(-0.05, 0.05)
        table[2:] = torch.from_numpy(vectors.data)
        self.vectors, self.tags = vectors, {tag: i for i, tag in enumerate(tags)}
        self.table = nn.Embedding.from_pretrained(table)
        self.banks = nn.ModuleList(nn.Conv2d(1, FILTERS, (height, table.shape[1])) for height in HEIGHTS)
        positions = sum(2 * SIDE + 1 - height + 1 for height in HEIGHTS)
        self.dense, self.softmax = nn.Linear(FILTERS * positions, UNITS), nn.Linear(UNITS, len(tags))

    def forward(self, windows: Tensor) -> Tensor:
        """i64[N,7] -> f32[N,K]."""
        matrices = self.table(windows)[:, None]
        answers = [torch.relu(bank(matrices)).flatten(1) for bank in self.banks]
        hidden = torch.relu(self.dense(torch.cat(answers, 1)))
        return self.softmax(nn.functional.dropout(hidden, DROPOUT, self.training))

    def arrays(self, sentences: Sequence[Doc], tags: Sequence[Sequence[str]]) -> Tokens:
        """The tokens of a batch with their windows, which end at the sentences' borders."""
        windows: List[List[int]] = []
        for sentence in sentences:
            rows = [1] * SIDE + [self._row(token.text) for token in sentence] + [1] * SIDE
            windows += [rows[i : i + 2 * SIDE + 1] for i in range(len(sentence))]
        return Tokens(torch.tensor(windows), torch.tensor([self.tags[tag] for names in tags for tag in names]))

    def _row(self, word: str) -> int:
        for form in (word, word.lower()):
            row = self.vectors.find(key=form)
            if row >= 0:
                return 2 + int(row)
        return 0


class Published:
    """The network and its optimizer."""

    def __init__(self, network: WindowNetwork) -> None:
        self.network = network
        parameters = [parameter for parameter in network.parameters() if parameter.requires_grad]
        self.optimizer = torch.optim.Adam(parameters, lr=RATE, fused=True)

    def fit(self, batches: Sequence[Tokens]) -> None:
        """One step a batch."""
        for batch in batches:
            loss = nn.functional.cross_entropy(self.network(batch.windows), batch.tags)
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
