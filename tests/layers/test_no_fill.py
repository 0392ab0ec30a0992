"""Building without first weights."""

import torch
from torch import nn

from spacy_mtl_bioner.layers.lstm import initialize_lstm
from spacy_mtl_bioner.layers.no_fill import NoFill


class Module(nn.Module):
    """All ways in which the package's modules (and those of transformers) get their first weights, and a constant."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(7, 5)
        initialize_lstm(self.lstm)
        self.linear = nn.Linear(5, 3)
        nn.init.xavier_uniform_(self.linear.weight)
        self.table = nn.Embedding(9, 4)
        nn.init.trunc_normal_(self.table.weight)
        self.rows = nn.Parameter(torch.empty(4, 2).uniform_(-0.1, 0.1))
        self.register_buffer("constant", torch.zeros(3).fill_(2.0), persistent=False)


def test_nothing_is_drawn_and_constants_are_set():
    torch.manual_seed(0)
    before = torch.get_rng_state()
    with NoFill():
        module = Module()
    assert torch.equal(torch.get_rng_state(), before) and module.constant.tolist() == [2.0] * 3
    drawn = Module()
    assert not torch.equal(torch.get_rng_state(), before)
    assert {name: p.shape for name, p in module.named_parameters()} == {
        name: p.shape for name, p in drawn.named_parameters()
    }
    module.load_state_dict(drawn.state_dict())
    assert all(torch.equal(p, q) for p, q in zip(module.parameters(), drawn.parameters()))
