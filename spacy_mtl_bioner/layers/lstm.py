"""An LSTM of one way and one layer: the start values that the field gives it, and how it is read."""

import torch
from torch import Tensor, nn


def initialize_lstm(lstm: nn.LSTM) -> None:
    """Let the recurrent weights of a one-way LSTM of one layer be orthogonal a gate, and its forget biases one."""
    width = lstm.hidden_size
    nn.init.xavier_uniform_(lstm.weight_ih_l0)
    for gate in range(4):
        nn.init.orthogonal_(lstm.weight_hh_l0.data[gate * width : (gate + 1) * width])
    for bias in (lstm.bias_ih_l0, lstm.bias_hh_l0):
        nn.init.zeros_(bias)
        bias.data[width : 2 * width] = 0.5


def read(lstm: nn.LSTM, x: Tensor) -> Tensor:
    """f32[B,T,D] -> f32[B,T,H]: the state after each step.

    Autocast lets cuDNN's LSTM compute in float16 whatever precision was asked for, whose range is small for gradients
    that nothing scales. On a GPU it stays in float32.
    """
    if x.is_cuda and torch.is_autocast_enabled("cuda"):
        with torch.autocast("cuda", enabled=False):
            return lstm(x.float())[0]
    return lstm(x)[0]
