"""The classifier of corpora as it grows."""

import torch

from spacy_mtl_bioner.layers.discriminator import CorpusDiscriminator
from spacy_mtl_bioner.layers.structure import initialize_with
from spacy_mtl_bioner.layers.torch_layer import run, shim_of


def test_a_linear_map_that_keeps_its_rows_as_corpora_join():
    torch.manual_seed(0)
    model, x = initialize_with(CorpusDiscriminator(), 4, Y=2), torch.randn(5, 4)
    before = run(model, x, False)
    linear = shim_of(model).module.linear
    torch.testing.assert_close(before, x @ linear.weight.t() + linear.bias)
    module = shim_of(model).module
    initialize_with(model, 4, Y=2)
    assert shim_of(model).module is module
    initialize_with(model, 4, Y=3)
    after = run(model, x, False)
    assert after.shape == (5, 3) and model.get_dim("nO") == 3
    torch.testing.assert_close(after[:, :2], before)


def test_its_size_comes_back_from_bytes():
    model, other = initialize_with(CorpusDiscriminator(), 4, Y=3), CorpusDiscriminator()
    assert not shim_of(CorpusDiscriminator().initialize()).built
    x = torch.randn(2, 4)
    assert torch.equal(run(other.from_bytes(model.to_bytes()), x, False), run(model, x, False))
