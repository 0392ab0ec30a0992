"""A Thinc node around a torch module."""

from typing import Any, Callable, Dict, Optional, Tuple, Type

from thinc.api import Model
from torch import nn

from .shim import MTLShim


def torch_layer(
    name: str,
    module_class: Type[nn.Module],
    *,
    init: Callable[..., None],
    dims: Optional[Dict[str, Optional[int]]] = None,
    attrs: Optional[Dict[str, Any]] = None,
) -> Model:
    """A node that owns one module and runs it *inside the caller's autograd graph*.

    Such nodes take and give live torch tensors; their backprop callback does nothing, because the root of the
    tree runs ``backward`` once a batch. ``init`` builds the module (``shim_of(model).build``) when sizes are known.
    An uninitialized node serves as a *builder*: ``model.copy()`` gives as many as a sharing part wants.
    """
    return Model(name, forward, init=init, dims=dims or {}, attrs=attrs or {}, shims=[MTLShim(module_class)])


def forward(model: Model, X: Any, is_train: bool) -> Tuple[Any, Callable[[Any], Any]]:
    """Run the module on ``X`` (a tuple is spread over its arguments)."""
    module = model.shims[0].module
    if module.training != is_train:
        module.train(is_train)
    return (module(*X) if isinstance(X, tuple) else module(X)), no_backprop


def no_backprop(dY: Any) -> Any:
    """The callback of every node inside the tree: autograd does the work."""
    return None


def shim_of(model: Model) -> MTLShim:
    """The shim of a node made by ``torch_layer``."""
    return model.shims[0]


def run(model: Model, X: Any, is_train: bool) -> Any:
    """The output of a node without its callback."""
    return model(X, is_train)[0]
