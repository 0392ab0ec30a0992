"""What an optimizer remembers, as named tensors: running statistics, averages and counts, thinc's and ours."""

from typing import Any, Dict, Iterator, NamedTuple, Tuple

import numpy
import torch
from spacy.language import Language
from thinc.api import Model, Optimizer
from thinc.util import get_torch_default_device, torch2xp, xp2torch
from torch import Tensor

from ..errors import E255, MTLError
from ..layers.shim import MTLShim
from .averages import RowAverages
from .optimizers import TensorOptimizer

ARRAYS = ("mom1", "mom2")
COUNTS = ("nr_update", "last_seen")


class Place(NamedTuple):
    """A parameter: its name for good, its key in this process, and its torch tensor (None: a Thinc layer's array); and
    the device of its numbers."""

    name: str
    key: Any
    tensor: Any
    device: Any


def places(nlp: Language) -> Iterator[Place]:
    """Every parameter of the pipeline that an optimizer may know."""
    for pipe, component in nlp.pipeline:
        model = getattr(component, "model", None)
        if isinstance(model, Model):
            for i, node in enumerate(model.walk()):
                device = torch.device("cpu") if node.ops.xp is numpy else get_torch_default_device()
                for param in node.param_names:
                    yield Place(f"{pipe}|{i}|{param}", (node.id, param), None, device)
                for j, shim in enumerate(node.shims):
                    yield from _of_shim(f"{pipe}|{i}|{j}", shim)


def _of_shim(name: str, shim: Any) -> Iterator[Place]:
    if isinstance(shim, MTLShim):
        for key, param in shim.named_parameters():
            yield Place(f"{name}|{key[1]}", key, param, param.device)
    elif hasattr(shim, "_model") and hasattr(shim._model, "named_parameters"):
        for param, tensor in shim._model.named_parameters():
            yield Place(f"{name}|{param}", (shim.id, param), None, tensor.device)


def optimizer_tensors(optimizer: Optimizer, nlp: Language) -> Tuple[Dict[str, Tensor], Dict[str, int]]:
    """Everything by slot and name. Raises MTL255 for a parameter that no component of the pipeline has."""
    names = {place.key: place.name for place in places(nlp)}
    tensors: Dict[str, Tensor] = {}
    numbers: Dict[str, int] = {}
    for slot, key, stat, value in _entries(optimizer):
        if key not in names:
            raise MTLError(E255(key=key, pipes=", ".join(nlp.pipe_names)))
        at = f"{slot}|{names[key]}|{stat}"
        if isinstance(value, int):
            numbers[at] = value
        else:
            value = value if isinstance(value, Tensor) else xp2torch(value)
            tensors[at] = value.detach().cpu().contiguous()
    return tensors, numbers


def _entries(optimizer: Optimizer) -> Iterator[Tuple[str, Any, str, Any]]:
    """(slot, key, statistic, value)."""
    for slot in (*ARRAYS, *COUNTS):
        for key, value in getattr(optimizer, slot).items():
            yield slot, key, "", value
    for key, state in getattr(optimizer, "state", {}).items():
        for stat, value in state.items():
            yield "state", key, stat, value
    for key, value in (optimizer.averages or {}).items():
        if isinstance(value, RowAverages):
            yield "averages", key, "rows", value.average
            yield "averages", key, "last", value.last
            yield "averages", key, "step", value.step
        else:
            yield "averages", key, "", value


def restore_optimizer(
    optimizer: Optimizer, nlp: Language, tensors: Dict[str, Tensor], numbers: Dict[str, int]
) -> None:
    """Give a fresh optimizer what ``optimizer_tensors`` found, for the parameters of this process."""
    by_name = {place.name: place for place in places(nlp)}
    for at, value in {**tensors, **numbers}.items():
        slot, _, rest = at.partition("|")
        name, _, stat = rest.rpartition("|")
        place = by_name[name]
        if slot in COUNTS:
            getattr(optimizer, slot)[place.key] = value
        elif slot in ARRAYS:
            getattr(optimizer, slot)[place.key] = torch2xp(value.to(place.device))
        elif slot == "state":
            optimizer.state.setdefault(place.key, {})[stat] = value.to(place.device)
        elif not stat:
            ours = place.tensor is not None and isinstance(optimizer, TensorOptimizer)
            value = value.to(place.device)
            optimizer.averages[place.key] = value if ours else torch2xp(value)
    for at in numbers:
        if at.startswith("averages|") and at.endswith("|step"):
            name = at[len("averages|") : -len("|step")]
            place = by_name[name]
            rows = RowAverages(place.tensor.data, optimizer.decays)
            rows.average = tensors[f"averages|{name}|rows"].to(place.device)
            rows.last = tensors[f"averages|{name}|last"].to(place.device)
            rows.step = numbers[at]
            optimizer.averages[place.key] = rows
