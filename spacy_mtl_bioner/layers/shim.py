"""The bridge between a Thinc node and the torch module that it owns."""

import contextlib
import json
from typing import Any, Dict, Iterator, List, Optional, Tuple, Type

import numpy as np
import torch
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from thinc.optimizers import Optimizer
from thinc.shims import Shim
from thinc.util import get_torch_default_device, torch2xp, xp2torch
from torch import nn

from ..errors import E130, MTLError
from .no_fill import NoFill

TRAINING_SETTINGS = frozenset(
    ("dropout", "locked", "trainable", "frozen", "rate", "layer_decay", "gradient_checkpointing", "learn_padding")
    + ("adversarial_weight", "difference_weight", "reversal", "last_token", "squared", "every_private")
    + ("language_model",)
)
"""Arguments of modules, and of parts, that say how they are trained, not what they compute: the config has the last
word on them."""

ParamKey = Tuple[str, str]
"""``torch-<shim id>`` and the parameter's name: no other node or shim can have the same."""


class MTLShim(Shim):
    """Owns one torch module, which is built when its sizes are known and rebuilt from its bytes.

    It differs from thinc's ``PyTorchShim`` where that one fails a multi-task model: averages apply,
    keys cannot collide, a module without a gradient stays exactly where it was, tables whose gradient
    is sparse are updated row by row, and weights are safetensors (with the module's arguments as metadata).

    module_class: the torch module; its constructor takes JSON-serializable keywords only.
    """

    def __init__(self, module_class: Type[nn.Module]) -> None:
        super().__init__(None)
        self.module_class = module_class
        self.arguments: Optional[Dict[str, Any]] = None

    @property
    def built(self) -> bool:
        """Whether the module exists."""
        return self._model is not None

    @property
    def module(self) -> nn.Module:
        """The torch module. Raises MTL130 before initialization."""
        if self._model is None:
            raise MTLError(E130(layer=self.module_class.__name__))
        return self._model

    def build(self, **arguments: Any) -> nn.Module:
        """Make a fresh module from JSON-serializable ``arguments``, on the device of the one it replaces, else on
        that of Thinc's current ops."""
        device = self._device()
        self.arguments = arguments
        self._model = self.module_class(**arguments).to(device)
        return self._model

    def clear(self) -> None:
        """Forget the module: the next ``build`` starts from fresh weights."""
        self._model = self.arguments = None

    def named_parameters(self) -> Iterator[Tuple[ParamKey, nn.Parameter]]:
        """The trainable parameters under the keys that optimizers and averages know them by."""
        if self._model is not None:
            for name, param in self._model.named_parameters():
                if param.requires_grad:
                    yield (f"torch-{self.id}", name), param

    def finish_update(self, optimizer: Optimizer) -> None:
        """Step every parameter that has a gradient, then drop the gradients.

        A parameter without one is left alone, so that a step on one corpus moves no other corpus' part. A module with a
        method ``lr_scales() -> {parameter: scale}`` has these parameters learn at so many times the optimizer's rate.
        """
        scales = self._model.lr_scales() if hasattr(self._model, "lr_scales") else {}
        groups: Dict[float, List[Tuple[ParamKey, nn.Parameter]]] = {}
        for key, param in self.named_parameters():
            if param.grad is not None:
                groups.setdefault(scales.get(key[1], 1.0), []).append((key, param))
        for scale, touched in groups.items():
            if hasattr(optimizer, "step_tensors"):
                optimizer.step_tensors(touched, lr_scale=scale)
            else:
                for key, param in touched:
                    _step_with_thinc(optimizer, key, param, scale)
            for _, param in touched:
                param.grad = None

    @contextlib.contextmanager
    def use_params(self, params: Dict[Any, Any]) -> Iterator[None]:
        """Exchange parameters for those in ``params`` (averages, usually) inside the context. Those whose size has
        changed since stay: their averages are of a model that had fewer labels."""
        backup = []
        for key, param in self.named_parameters():
            value = params.get(key)
            if value is not None and _size(value) == param.numel():
                backup.append((param, param.data))
                param.data = _as_tensor(value, param)
        try:
            for module in self._model.modules() if self._model is not None and backup else ():
                if isinstance(module, nn.RNNBase):
                    module.flatten_parameters()  # cuDNN wants its weights side by side, and warns where they are not
            yield
        finally:
            for param, data in backup:
                param.data = data

    def copy(self) -> "MTLShim":
        """An independent copy under an id of its own."""
        copied = MTLShim(self.module_class)
        if self._model is not None:
            assert self.arguments is not None
            with NoFill():
                copied._model = self.module_class(**self.arguments).to(self._device())
            copied._model.load_state_dict(self._model.state_dict())
            copied.arguments = dict(self.arguments)
        return copied

    def train_by(self, settings: Dict[str, Any]) -> None:
        """Have the module be trained by ``settings``, as far as it has such; its weights stay."""
        changed = {k: v for k, v in settings.items() if k in TRAINING_SETTINGS and k in (self.arguments or {})}
        if any(self.arguments[name] != value for name, value in changed.items()):
            weights = self.module.state_dict()
            with NoFill():
                module = self.build(**{**self.arguments, **changed})
            module.load_state_dict(weights)

    def to_device(self, device_type: str, device_id: int) -> None:
        """Move the module, as ``Model.to_gpu`` and ``Model.to_cpu`` ask."""
        if self._model is not None:
            self._model.to(torch.device("cpu") if device_type == "cpu" else torch.device("cuda", device_id))

    def to_bytes(self) -> bytes:
        """The weights as safetensors, with the module's arguments as metadata."""
        tensors = {} if self._model is None else self._model.state_dict()
        tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
        return save_tensors(tensors, metadata={"arguments": json.dumps(self.arguments, sort_keys=True)})

    def from_bytes(self, data: bytes) -> "MTLShim":
        """Rebuild the module from ``to_bytes``."""
        arguments = json.loads(_metadata(data)["arguments"])
        if arguments is None:
            self.clear()
        else:
            with NoFill():
                module = self.build(**arguments)
            module.load_state_dict(load_tensors(data))
        return self

    def _device(self) -> torch.device:
        if self._model is not None:
            for tensor in self._model.parameters():
                return tensor.device
        return get_torch_default_device()


def _metadata(data: bytes) -> Dict[str, str]:
    """The metadata of a safetensors file: eight bytes of length, then a JSON header."""
    length = int.from_bytes(data[:8], "little")
    return json.loads(data[8 : 8 + length])["__metadata__"]


def _size(value: Any) -> int:
    """How many numbers an optimizer keeps for a parameter."""
    return int(np.prod(getattr(value, "average", value).shape))


def _as_tensor(value: Any, like: torch.Tensor) -> torch.Tensor:
    """A parameter value kept by an optimizer of ours (a tensor, or rows that catch up first) or of thinc (an array)."""
    value = value.caught_up() if hasattr(value, "caught_up") else value
    if not isinstance(value, torch.Tensor):
        value = xp2torch(value, device=like.device)
    return value.reshape(like.shape)


def _step_with_thinc(optimizer: Optimizer, key: ParamKey, param: nn.Parameter, lr_scale: float) -> None:
    """One step of a stock thinc optimizer, which knows dense arrays of at least one dimension."""
    known = (optimizer.mom1, optimizer.mom2, optimizer.averages or {})
    if any(key in kept and _size(kept[key]) != param.numel() for kept in known):
        for kept in (*known, optimizer.nr_update):  # thinc's kernels do not compare sizes
            kept.pop(key, None)
    gradient = param.grad.to_dense() if param.grad.is_sparse else param.grad
    weights, _ = optimizer(key, torch2xp(param.data.reshape(-1)), torch2xp(gradient.reshape(-1)), lr_scale=lr_scale)
    param.data = xp2torch(weights, device=param.device).reshape(param.shape)
