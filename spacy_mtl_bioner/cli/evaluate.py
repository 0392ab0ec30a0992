"""``mtl-bioner evaluate``: exact-match scores of each corpus, on gold tokens and on raw text."""

import importlib.util
import json
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Any, Dict, Optional, Tuple

import typer
from wasabi import msg

from ..errors import E174, E181, MTLError
from .values import names_or_none


class SplitName(str, Enum):
    """The splits that ``mtl-bioner convert`` writes."""

    train = "train"
    devel = "devel"
    test = "test"


def evaluate(
    model: str = typer.Argument(..., help="Trained pipeline: a folder or the name of an installed package"),
    corpora_dir: Path = typer.Argument(..., help="Folder of converted corpora", exists=True, file_okay=False),
    out: Path = typer.Argument(..., help="Folder for scores.json, report.txt and scores.png"),
    corpora: Optional[str] = typer.Option(None, help="Corpora to score, separated by commas; default: the model's"),
    split: SplitName = typer.Option(SplitName.test, help="Split to score"),
    component: str = typer.Option("mtl_ner", help="Name of the component"),
    gpu_id: int = typer.Option(-1, help="GPU to use, -1 for the CPU"),
    plot: bool = typer.Option(True, help="Draw scores.png (needs matplotlib)"),
) -> None:
    """Score a pipeline on one split of each corpus: a table, JSON, seqeval's strict report and a plot."""
    from spacy.cli._util import setup_gpu
    from tqdm import tqdm

    from ..durable import make_folder, write_text, writing
    from ..experiments.evaluation import check_split, evaluate_corpus, read_split
    from ..experiments.plots import f1_by_label
    from ..experiments.report import draw
    from ..pipeline.loading import load, recognizer_of
    from ..pipeline.selection import finders, resolve

    if plot and importlib.util.find_spec("matplotlib") is None:
        raise MTLError(E181())
    setup_gpu(gpu_id)
    nlp = load(model)
    known = finders(recognizer_of(nlp, component, model, "--component").heads)
    names = resolve(names_or_none(corpora), known, "--corpora")
    if not names:
        raise MTLError(E174(path=model, reason="no head finds entities", expected="one (spacy evaluate scores tags)"))
    paths = {name: corpora_dir / name / f"{split.value}.spacy" for name in names}
    for path in paths.values():
        check_split(path)
    make_folder(out)
    results, reports = {}, []
    for name, path in tqdm(paths.items(), unit="corpus", disable=None):
        results[name], report = evaluate_corpus(nlp, read_split(path, nlp), name, component)
        reports.append(f"{name}, {split.value}, gold tokens\n{report}")
    summary = {"model": str(model), "split": split.value, "unit": "percent, exact match", "corpora": results}
    write_text(out / "scores.json", json.dumps(summary, indent=2) + "\n")
    write_text(out / "report.txt", "\n".join(reports))
    if plot:
        with writing(out / "scores.png"):
            draw(partial(f1_by_label, results=results, split=split.value), out / "scores.png")
    print_table(results)
    print("\n".join(reports))
    msg.good(f"Scores written to {out}")


_NOTHING = {"precision": 0.0, "recall": 0.0, "f1": 0.0}
"""Of a label that was not found on raw text, and has no gold there."""


def print_table(results: Dict[str, Dict[str, Any]]) -> None:
    """Print one row a corpus and label, gold tokens beside raw text."""
    rows = []
    for name, result in results.items():
        on_tokens, on_text = result["gold_tokens"], result["raw_text"]
        rows.append((name, "all", *cells(on_tokens), cells(on_text)[2]))
        for label, row in on_tokens["labels"].items():
            rows.append(("", label, *cells(row), cells(on_text["labels"].get(label, _NOTHING))[2]))
    header = ("corpus", "label", "precision", "recall", "F1", "F1, raw text")
    msg.table(rows, header=header, divider=True, aligns=("l", "l", "r", "r", "r", "r"))


def cells(row: Dict[str, Any]) -> Tuple[str, str, str]:
    """Return precision, recall and F1 as they are printed."""
    return f"{row['precision']:.2f}", f"{row['recall']:.2f}", f"{row['f1']:.2f}"
