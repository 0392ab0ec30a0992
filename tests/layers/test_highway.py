"""Highway layers by their formula, and in mixed precision."""

import torch

from spacy_mtl_bioner.layers.highway import Highway


def test_how_much_changes():
    torch.manual_seed(0)
    module, x = Highway(5, 2), torch.randn(3, 4, 5)
    expected = x
    for layer in module.layers:
        changed, gate = expected @ layer.weight[:5].T + layer.bias[:5], expected @ layer.weight[5:].T + layer.bias[5:]
        gate = torch.sigmoid(gate)
        expected = gate * torch.relu(changed) + (1 - gate) * expected
    torch.testing.assert_close(module(x), expected)


def test_input_that_autocast_did_not_make():
    """As LSTMs give it on a GPU, which leave autocast: float32 in, float32 out."""
    torch.manual_seed(0)
    module, x = Highway(5, 2), torch.randn(3, 5)
    with torch.autocast("cpu", torch.bfloat16):
        found = module(x)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, module(x), rtol=0.02, atol=0.02)
