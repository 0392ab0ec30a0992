"""The benchmarks of this room run, and their last line is what it should be."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from .test_formats import DOCUMENTS, write_pubtator

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


def run(name, *options):
    command = [sys.executable, str(ROOT / "benchmarks" / f"{name}.py"), *map(str, options)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, encoding="utf-8")
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_annotate_speed(model, tmp_path):
    write_pubtator(tmp_path / "a.PubTator", DOCUMENTS)
    found = run("annotate_speed", "--model", model, "--abstracts", tmp_path, "--repeated", 8, "--steps", 2)
    cases = {row["case"]: row for row in found["results"]}
    assert len(cases) == 2 * 2 * 2 + 2 * 2 + 2  # sets, processes, selections; two over one; outside the model
    assert (
        cases["8 repeated, 1 process, 2 of 2 corpora"]["entities"]
        == 4 * cases["2 abstracts, 1 process, 2 of 2 corpora"]["entities"]
    )
    assert all(row["ours"] > 0 for row in cases.values())


def test_reliability(model):
    found = run(
        "reliability",
        "--model",
        model,
        "--documents",
        24,
        "--chunk",
        2,
        "--kills",
        3,
        1,
        "--studies",
        "documents",
        "faults",
        "kills",
    )
    assert len(found["results"]) == 2 + 6 + 2
    assert all(row["ours"] == row["peer"] for row in found["results"])
