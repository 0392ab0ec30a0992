"""``mtl-bioner train``, killed without warning and resumed by the same command."""

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Dict, List, Optional

import pytest
from typer.testing import CliRunner

from spacy_mtl_bioner.cli import app

from ..training.test_resume import contents, like, log_of
from ..training.tiny import config_of

ROOT = Path(__file__).resolve().parents[2]

KILL = """
import os, signal
from spacy.util import registry

@registry.callbacks("tests.kill.v1")
def make():
    def before_update(nlp, at):
        if at["step"] == int(os.environ.get("KILL_AT", "-1")):
            os.kill(os.getpid(), signal.SIGKILL)
    return before_update
"""


def prepare(folder: Path, **training) -> List[str]:
    """Write config, corpora and code; return the arguments of a training."""
    config = config_of(folder / "corpora", **training)
    config["training"]["logger"]["path"] = str(folder / "log.jsonl")
    config["training"]["before_update"] = {"@callbacks": "tests.kill.v1"}
    config.to_disk(folder / "config.cfg")
    (folder / "kill.py").write_text(KILL, encoding="utf8")
    config_path, code = str(folder / "config.cfg"), str(folder / "kill.py")
    return ["train", config_path, "--output", str(folder / "out"), "--code", code, "--training.dropout", "0.0"]


def start(arguments: List[str], at: Optional[int] = None) -> subprocess.Popen:
    environment: Dict[str, str] = {**os.environ, "OMP_NUM_THREADS": "1", "KILL_AT": str(-1 if at is None else at)}
    command = [sys.executable, "-m", "spacy_mtl_bioner", *arguments]
    quiet = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    return subprocess.Popen(command, env=environment, cwd=ROOT, **quiet)


def in_this_process(arguments: List[str]):
    return CliRunner().invoke(app, arguments)


def log(folder: Path) -> list:
    return log_of({"training": {"logger": {"path": folder / "log.jsonl"}}})


def test_killed_and_resumed(tmp_path):
    """The killed process had checkpoints every fourth step, between evaluations; what follows is another process."""
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    whole.mkdir(), parts.mkdir()
    done = in_this_process(prepare(whole))
    assert done.exit_code == 0, done.output
    arguments = [*prepare(parts), "--checkpoint-steps", "4"]
    killed = start(arguments, at=15)
    killed.communicate(timeout=300)
    assert killed.returncode == -signal.SIGKILL
    refused = in_this_process(arguments)
    assert refused.exit_code == 1 and "MTL252" in refused.output and "step 11" in refused.output
    done = in_this_process([*arguments, "--resume"])
    assert done.exit_code == 0 and "Resuming after step 11" in done.output, done.output
    like(contents(whole / "out"), contents(parts / "out"))
    assert log(whole) == log(parts)
    again = in_this_process([*arguments, "--resume"])
    assert again.exit_code == 1 and "MTL251" in again.output
    other = in_this_process([*arguments, "--training.patience", "5", "--resume"])
    assert other.exit_code == 1


def test_start_anew(tmp_path):
    arguments = [*prepare(tmp_path, max_steps=6), "--checkpoint-steps", "2"]
    folder = tmp_path / "out" / "checkpoint"
    folder.mkdir(parents=True)
    (folder / "state.json").write_text('{"progress": {"step": 7}}')
    assert "MTL252" in in_this_process(arguments).output
    done = in_this_process([*arguments, "--overwrite"])
    assert done.exit_code == 0, done.output
    assert (tmp_path / "out" / "model-best").is_dir() and '"finished": true' in (folder / "state.json").read_text()


def step_of(folder: Path) -> int:
    """The step of the latest checkpoint, -1 where there is none."""
    for name in ("checkpoint", "checkpoint.old"):
        with suppress(OSError):
            return json.loads((folder / "out" / name / "state.json").read_text())["progress"]["step"]
    return -1


@pytest.mark.slow
def test_killed_at_any_moment(tmp_path):
    """Twice while it starts, then as often as it takes at moments that chance picks, those of writing included."""
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    whole.mkdir(), parts.mkdir()
    longer = {"max_steps": 400, "eval_frequency": 20}
    assert in_this_process(prepare(whole, **longer)).exit_code == 0
    arguments, kills, chance = [*prepare(parts, **longer), "--checkpoint-steps", "3"], 0, random.Random(0)
    while True:
        done = step_of(parts)
        process = start([*arguments, "--overwrite" if done < 0 else "--resume"])
        until = -2 if kills < 2 else done + chance.randrange(10, 150)
        while process.poll() is None and step_of(parts) < until:
            time.sleep(0.01)
        time.sleep(chance.random() * (3.0 if kills < 2 else 0.1))
        if process.poll() is None:
            process.kill()
            kills += 1
        output, _ = process.communicate()
        assert process.returncode in (0, -signal.SIGKILL), output
        if process.returncode == 0:
            break
    assert kills > 2
    like(contents(whole / "out"), contents(parts / "out"))
    assert log(whole) == log(parts)


@pytest.mark.parametrize("name, code", [("--training.droput", "MTL302.*training.dropout"), ("--nlp.bach", "MTL302")])
def test_a_misspelled_setting_is_refused(tmp_path, name, code):
    done = in_this_process([*prepare(tmp_path), name, "0.1"])
    assert done.exit_code == 1 and re.search(code, done.output)


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "out").write_text("a file")
    done = in_this_process(prepare(tmp_path))
    assert done.exit_code == 1 and "MTL182" in done.output
