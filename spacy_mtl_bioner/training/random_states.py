"""The states of all random generators as tensors."""

import random
from typing import Any, Dict, Sequence, Tuple

import numpy as np
import torch
from torch import Tensor

PythonState = Tuple[int, Sequence[int], Any]


def to_tensor(state: PythonState) -> Tensor:
    """f64[627] of what ``random.getstate`` returns: version, 625 integers below 2**32, the waiting Gaussian or NaN."""
    version, numbers, gauss = state
    return torch.tensor([version, *numbers, float("nan") if gauss is None else gauss], dtype=torch.float64)


def from_tensor(tensor: Tensor) -> PythonState:
    """What ``random.setstate`` takes."""
    version, *numbers, gauss = tensor.tolist()
    return int(version), tuple(map(int, numbers)), None if gauss != gauss else gauss


def random_states() -> Dict[str, Tensor]:
    """The states of Python's, NumPy's and torch's global generators."""
    _, keys, position, has_gauss, gauss = np.random.get_state()
    states = {
        "python": to_tensor(random.getstate()),
        "numpy.keys": torch.from_numpy(keys.astype("int64")),
        "numpy.rest": torch.tensor([position, has_gauss, gauss], dtype=torch.float64),
        "torch": torch.get_rng_state(),
    }
    if torch.cuda.is_available():
        states.update({f"cuda.{i}": state for i, state in enumerate(torch.cuda.get_rng_state_all())})
    return states


def set_random_states(states: Dict[str, Tensor]) -> None:
    """Go on from there."""
    position, has_gauss, gauss = states["numpy.rest"].tolist()
    random.setstate(from_tensor(states["python"]))
    keys = states["numpy.keys"].numpy().astype("uint32")
    np.random.set_state(("MT19937", keys, int(position), int(has_gauss), gauss))
    torch.set_rng_state(states["torch"])
    for name, state in states.items():
        if name.startswith("cuda.") and torch.cuda.is_available():
            torch.cuda.set_rng_state(state, int(name[len("cuda.") :]))
