"""Train a few hundred steps on a real corpus and fail where the test F1 stays under a floor."""

import json
import subprocess
import sys
from pathlib import Path

import typer

ROOT = Path(__file__).resolve().parents[2]


def main(
    corpora_dir: Path = typer.Argument(..., help="Folder in the layout of the public collection", exists=True),
    out: Path = typer.Argument(..., help="Folder for everything that is written"),
    corpus: str = typer.Option("NCBI-disease", help="Corpus to train on"),
    steps: int = typer.Option(700, help="Training steps"),
    floor: float = typer.Option(60.0, help="Least acceptable F1 on test, percent"),
) -> None:
    """Convert one corpus, train on it, score its test split."""
    out.mkdir(parents=True, exist_ok=True)
    tool = [sys.executable, "-m", "spacy_mtl_bioner"]
    run([*tool, "convert", str(corpora_dir), str(out / "corpus"), "--corpora", corpus])
    settings = {
        "paths.corpora": out / "corpus",
        "initialize.vectors": "null",
        "training.max_steps": steps,
        "training.eval_frequency": steps // 2,
    }
    overrides = [part for key, value in settings.items() for part in (f"--{key}", str(value))]
    config = str(ROOT / "configs" / "single_task.cfg")
    run([sys.executable, "-m", "spacy", "train", config, "--output", str(out / "training"), *overrides])
    model = str(out / "training" / "model-best")
    run([*tool, "evaluate", model, str(out / "corpus"), str(out / "scores"), "--no-plot"])
    scores = json.loads((out / "scores" / "scores.json").read_text(encoding="utf8"))
    f1 = scores["corpora"][corpus]["gold_tokens"]["f1"]
    print(f"{corpus}: F1 {f1:.2f} on test after {steps} steps; floor {floor:.2f}")
    if f1 < floor:
        raise typer.Exit(1)


def run(command: list) -> None:
    """Run a command and stop where it fails."""
    print("+", *command, flush=True)
    subprocess.run(command, check=True)


if __name__ == "__main__":
    typer.run(main)
