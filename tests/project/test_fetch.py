"""What the script that fetches the corpora says where git fails."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "project" / "scripts" / "fetch.py"


def fetch(tmp_path, **env):
    manifest = tmp_path / "checksums.json"
    manifest.write_text(json.dumps({"public": {"sha256": {"a/train.tsv": "0"}}}))
    command = [sys.executable, SCRIPT, (tmp_path / "none").as_uri(), "abc", tmp_path / "out", "--checksums", manifest]
    return subprocess.run(command, check=False, capture_output=True, text=True, env={**os.environ, **env})


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_a_failed_clone_ends_with_gits_message_and_code(tmp_path):
    done = fetch(tmp_path)
    assert done.returncode == 128 and "none" in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


def test_no_git(tmp_path):
    done = fetch(tmp_path, PATH=str(tmp_path))
    assert done.returncode == 2 and "git cannot be run" in done.stderr and "Traceback" not in done.stderr
