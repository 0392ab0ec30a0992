"""What encoders with weights do alike."""

from typing import Any, Tuple, Type

import torch
from thinc.api import Model
from torch import nn

from ...layers.torch_layer import shim_of, torch_layer
from ..batch import TokenBatch


def encoder_layer(
    name: str, module_class: Type[nn.Module], output: int, /, **arguments: Any
) -> Model[Tuple[torch.Tensor, TokenBatch], torch.Tensor]:
    """A node f32[B,T,D] -> f32[B,T,output]. Its module takes D as ``inputs``, as soon as that is known, and
    ``arguments``, which are the node's attributes."""
    return torch_layer(name, module_class, init=init, dims={"nI": None, "nO": output}, attrs=arguments)


def init(model: Model, X: object = None, Y: object = None) -> None:
    """Build the module when the input's width is known."""
    if model.has_dim("nI") and not shim_of(model).built:
        shim_of(model).build(inputs=model.get_dim("nI"), **model.attrs)
