"""One head a corpus, made from one builder."""

from typing import Mapping, Optional

from thinc.api import Model

from ..layers.structure import grow, initialize_with, layers_of
from ..layers.torch_layer import no_backprop
from ..types import Corpora


def Heads(decoder: Model) -> Model:
    """The heads of all corpora as layers of one node; ``layers[0]`` is the builder and holds no weights.

    decoder (Model): Decoder part.
    """
    return Model("heads", _forward, init=init, attrs={"corpora": [], "fixed": 1}, layers=[decoder])


def head_of(model: Model, corpus: str) -> Model:
    """The head of one corpus."""
    (head,) = layers_of(model, corpus)
    return head


def init(model: Model, X: Optional[Mapping[str, Optional[int]]] = None, Y: Optional[Corpora] = None) -> None:
    """Add the heads that are missing and give each its labels.

    X: the width of each corpus' features; None builds the structure alone.
    """
    grow(model, Y or {}, model.layers[0])
    for corpus, spec in (Y or {}).items():
        if X is not None:
            initialize_with(head_of(model, corpus), X[corpus], Y=spec)


def _forward(model: Model, X: object, is_train: bool):
    """Heads are run one by one, by the root."""
    return X, no_backprop
