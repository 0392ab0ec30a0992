"""The start values that the field gives an LSTM."""

from torch import nn


def initialize_lstm(lstm: nn.LSTM) -> None:
    """Let the recurrent weights of a one-way LSTM of one layer be orthogonal a gate, and its forget biases one."""
    width = lstm.hidden_size
    nn.init.xavier_uniform_(lstm.weight_ih_l0)
    for gate in range(4):
        nn.init.orthogonal_(lstm.weight_hh_l0.data[gate * width : (gate + 1) * width])
    for bias in (lstm.bias_ih_l0, lstm.bias_hh_l0):
        nn.init.zeros_(bias)
        bias.data[width : 2 * width] = 0.5
