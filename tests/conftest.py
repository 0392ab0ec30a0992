"""Options and fixtures that several rooms share."""

import os
from pathlib import Path
from typing import List

import pytest
from hypothesis import settings

settings.register_profile("any machine", deadline=None)  # a busy one is slow, not wrong
settings.load_profile("any machine")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Tests marked ``slow`` run with ``--slow`` alone."""
    parser.addoption("--slow", action="store_true", help="run the tests that need minutes or optional packages too")


def pytest_collection_modifyitems(config: pytest.Config, items: List[pytest.Item]) -> None:
    """Skip what is marked slow unless asked for."""
    if not config.getoption("--slow"):
        for item in items:
            if "slow" in item.keywords:
                item.add_marker(pytest.mark.skip(reason="slow: run with --slow"))


@pytest.fixture(scope="session")
def corpora_dir() -> Path:
    """Real corpora: ``MTL_BIONER_CORPORA``, else ``../shared/corpora``; the test is skipped where there are none."""
    root = Path(__file__).resolve().parents[1]
    found = Path(os.environ.get("MTL_BIONER_CORPORA") or root.parent / "shared" / "corpora")
    if not (found / "data").is_dir():
        pytest.skip("no real corpora at hand")
    return found
