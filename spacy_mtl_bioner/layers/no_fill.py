"""Modules whose first weights are overwritten at once: they are built without drawing any."""

from typing import Any, Callable, Dict, Optional, Sequence

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

_DRAWS = frozenset(
    (Tensor.uniform_, Tensor.normal_, Tensor.erfinv_, nn.init.uniform_, nn.init.normal_, nn.init.kaiming_uniform_)
)


class NoFill(TorchFunctionMode):
    """Within it, what initializers draw is left out, and so is what they make of it at a cost: numbers that nobody will
    read. The random state stays where it was, so that loading a pipeline changes no training after it. Constants are
    set as ever: a module may have some that are not stored."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Sequence[Any] = (), kwargs: Optional[Dict[str, Any]] = None
    ) -> Any:
        """Call ``func``, or give its argument back as it is."""
        if func in _DRAWS:
            return args[0] if args else (kwargs or {})["tensor"]
        if func is torch.linalg.qr:  # of orthogonal_: nine tenths of the time in which a BiLSTM is built
            return args[0], args[0][: args[0].shape[1]]
        return func(*args, **(kwargs or {}))
