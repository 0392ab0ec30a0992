"""Folders that are there whole or not at all, whatever happens while they are written."""

import os
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

from safetensors import SafetensorError

from ..durable import flush
from ..errors import E257, MTLError


@contextmanager
def replaced(folder: Path) -> Iterator[Path]:
    """Write into the folder that this gives; it takes the place of ``folder`` when all of it is on the disk.

    What was there before stays until then. An interruption leaves the one or the other, and perhaps remains under
    other names (``.new``, ``.old``), which ``mended`` and the next call clear away. Raises MTL257 for a full disk and
    the like.
    """
    new, old = _beside(folder)
    try:
        mended(folder)
        new.mkdir(parents=True)
        yield new
        for root, _, files in os.walk(new):
            for name in files:
                flush(Path(root) / name)
            flush(Path(root))
        if folder.exists():
            os.replace(folder, old)
        os.replace(new, folder)
        flush(folder.parent)
    except (OSError, SafetensorError) as error:
        raise MTLError(E257(folder=folder, reason=error)) from error
    shutil.rmtree(old, ignore_errors=True)


def mended(folder: Path) -> Path:
    """``folder``, after undoing what an interrupted ``replaced`` left behind."""
    new, old = _beside(folder)
    shutil.rmtree(new, ignore_errors=True)
    if old.exists():
        if folder.exists():
            shutil.rmtree(old)
        else:
            os.replace(old, folder)
    return folder


def _beside(folder: Path) -> "tuple[Path, Path]":
    return folder.with_name(folder.name + ".new"), folder.with_name(folder.name + ".old")
