"""Running averages a row at a time, against averaging the whole table."""

import pytest
import torch

from spacy_mtl_bioner.training.averages import Decays, RowAverages


@pytest.mark.parametrize("limit", [0.999, 0.5, 0.0])
def test_products_of_decays(limit: float):
    decays = Decays(limit)
    for last, step in [(0, 0), (0, 1), (3, 9), (9, 9), (2, 700)]:
        product = 1.0
        for t in range(last + 1, step + 1):
            assert decays.at(t) == min(limit, (1 + t) / (10 + t))
            product *= decays.at(t)
        assert float(decays.between(torch.tensor([last]), step)) == pytest.approx(product, rel=1e-5, abs=1e-29)


def test_as_averaging_the_whole_table():
    """The table starts with a step behind it, as the optimizer hands it over."""
    torch.manual_seed(0)
    table = torch.randn(6, 2)
    averages, dense = RowAverages(table, Decays(0.9)), table.double()
    for step in range(1, 50):
        rows = torch.tensor([0, 1 + step % 4])
        before = table[rows]
        after = before + torch.randn(2, 2)
        table[rows] = after
        averages.update(rows, before, after)
        kept = min(0.9, (1 + step) / (10 + step))
        dense = kept * dense + (1 - kept) * table.double()
        if step in (10, 11, 49):
            torch.testing.assert_close(averages.caught_up().double(), dense, rtol=1e-5, atol=1e-5)
            assert torch.equal(averages.caught_up()[5], table[5])
