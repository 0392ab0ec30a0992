"""Arrays on their way to the device."""

import numpy as np
import torch

from .recording import is_recording


def to_device(array: np.ndarray, device: torch.device) -> torch.Tensor:
    """The array as a tensor there; on a CPU they share their memory. Raises RuntimeError while a step is captured.

    A copy from ordinary memory makes the host wait until the GPU has done all that it was told, so that afterwards the
    GPU waits. From pinned memory, which PyTorch keeps for the next array, it only takes its place in the queue.
    """
    if is_recording():
        raise RuntimeError("an array of the host in the middle of a step")  # replays would read this one again
    tensor = torch.from_numpy(array)
    return tensor if device.type == "cpu" else tensor.pin_memory().to(device, non_blocking=True)
