"""What a result depends on beside its config: code, versions, machine; and the size of the model."""

import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any, Dict

from thinc.api import Model

from .. import __version__

ROOT = Path(__file__).resolve().parents[2]
WORDS = "word_vectors"


def circumstances(gpu_id: int = -1) -> Dict[str, Any]:
    """Return commit (where the package is a git checkout, else its version), versions and machine."""
    import torch

    device = torch.cuda.get_device_name(gpu_id) if gpu_id >= 0 else "no GPU"
    threads = torch.get_num_threads()
    return {
        "commit": commit(),
        "versions": {name: version(name) for name in ("spacy", "thinc", "torch", "numpy")},
        "python": platform.python_version(),
        "machine": f"{processor()}, {threads} thread{'s' * (threads > 1)} of {os.cpu_count()} cores, {device}",
    }


def commit() -> str:
    """Return the short hash of the checkout's commit, ``+`` after it where files differ, else the version."""
    if not (ROOT / ".git").exists():
        return __version__
    try:
        head, changes = (
            subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
            for arguments in (("rev-parse", "--short", "HEAD"), ("status", "--porcelain", "--untracked-files=no"))
        )
    except (OSError, subprocess.CalledProcessError):
        return __version__
    return head + "+" * bool(changes)


def processor() -> str:
    """Return the processor's name, where the system tells it."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf8").splitlines() if info.exists() else []
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def count_parameters(model: Model) -> Dict[str, int]:
    """Return the numbers of trainable parameters, with and without those of the word tables."""
    total = words = 0
    for node in model.walk():
        for shim in node.shims:
            found = sum(param.numel() for _, param in getattr(shim, "named_parameters", list)())
            total += found
            words += found if node.name == WORDS else 0
    return {"parameters": total, "parameters_without_words": total - words}
