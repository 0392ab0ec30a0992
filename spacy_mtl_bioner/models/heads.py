"""One head a corpus, made from one builder."""

from typing import Any, Callable, Mapping, Optional, Tuple

from thinc.api import Model
from torch import nn

from ..layers.structure import grow, initialize_with, layers_of
from ..layers.torch_layer import no_backprop, shim_of
from ..types import Corpora

HeadsBuilder = Callable[[Model], Model[str, Callable[..., Any]]]
"""The output layers, which wait for their decoder part. The node's input is a corpus' name and its output that corpus'
head: a callable that takes what ``decoder.base.HeadInput`` says and has a ``tagset``."""


def Heads(decoder: Model) -> Model[str, nn.Module]:
    """The heads of all corpora as layers of one node; ``layers[0]`` is the builder and holds no weights.

    decoder (Model): Decoder part.
    """
    return Model("heads", forward, init=init, attrs={"corpora": [], "fixed": 1}, layers=[decoder])


def head_of(model: Model, corpus: str) -> Model:
    """The head of one corpus."""
    (head,) = layers_of(model, corpus)
    return head


def forward(model: Model, corpus: str, is_train: bool) -> Tuple[nn.Module, Callable[[Any], Any]]:
    """A corpus' own module."""
    return shim_of(head_of(model, corpus)).module.train(is_train), no_backprop


def init(model: Model, X: Optional[Mapping[str, Optional[int]]] = None, Y: Optional[Corpora] = None) -> None:
    """Add the heads that are missing and give each its labels.

    X: the width of each corpus' features; None builds the structure alone.
    """
    grow(model, Y or {}, model.layers[0])
    for corpus, spec in (Y or {}).items():
        if X is not None:
            initialize_with(head_of(model, corpus), X[corpus], Y=spec)
