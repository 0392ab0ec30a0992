"""Fixtures that several rooms share."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def corpora_dir() -> Path:
    """Real corpora: ``MTL_BIONER_CORPORA``, else ``../shared/corpora``; the test is skipped where there are none."""
    root = Path(__file__).resolve().parents[1]
    found = Path(os.environ.get("MTL_BIONER_CORPORA") or root.parent / "shared" / "corpora")
    if not (found / "data").is_dir():
        pytest.skip("no real corpora at hand")
    return found
