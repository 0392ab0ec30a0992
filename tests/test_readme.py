"""The Python examples of README.md run as they stand, one after the other, where the workflow's model would be."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = re.findall(r"^```python\n(.+?)^```$", (ROOT / "README.md").read_text("utf8"), re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    """A folder with ``project/training/model-best``, made as the workflow makes it but in fewer steps."""
    out, assets = tmp_path_factory.mktemp("readme"), ROOT / "assets"
    tool = [sys.executable, "-m", "spacy_mtl_bioner"]
    run([*tool, "convert", assets / "corpora", out / "corpus", "--catalogue", assets / "catalogue.json"])
    run([*tool, "vectors", out / "vectors", "--table", assets / "vectors.txt.gz"])
    paths = ["--paths.corpora", out / "corpus", "--paths.vectors", out / "vectors"]
    steps = ["--training.max_steps", "150", "--training.eval_frequency", "150"]
    train = [sys.executable, "-m", "spacy", "train", ROOT / "configs" / "sample.cfg"]
    run([*train, "--output", out / "project" / "training", *paths, *steps])
    return out


def run(command):
    done = subprocess.run([str(part) for part in command], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_examples_run_as_they_stand(workplace, monkeypatch, capsys):
    monkeypatch.chdir(workplace)
    names = {}
    assert len(EXAMPLES) >= 5
    for example in EXAMPLES:
        exec(compile(example, "README.md", "exec"), names)
    assert capsys.readouterr().out
