"""``mtl-bioner overlap``: sentences that training sets share with test sets."""

import csv
import io
import json
import shutil
from pathlib import Path
from typing import Dict, List, Optional

import typer

from ..durable import write_text
from ..errors import E341, MTLError
from .values import names_or_none

_HELP = """Find the sentences of test sets that stand in training sets, of the same corpus or of another.

Corpora are often drawn from the same abstracts. A model that is trained on one and tested on another may then have seen
a part of its test. Two sentences are the same where their characters are, whatever the white space between words. Those
of fewer than --min-words words are left out: headings and numbers are everywhere.

Examples:

\b
  # every training set against every test set below a folder that 'convert' wrote
  mtl-bioner overlap corpus
  # near duplicates too, in capitals or not, of any length, every pair in a file
  mtl-bioner overlap corpus --near 0.8 --ignore-case --min-words 0 --out overlap.csv
  # the corpora again, their training sets without what any of the test sets holds; devel, test and report.json are
  # copied, the report with the numbers of before
  mtl-bioner overlap corpus --remove corpus-clean
"""


def overlap(
    corpora_dir: Path = typer.Argument(..., help="Folder that 'convert' wrote", exists=True, file_okay=False),
    train: Optional[str] = typer.Option(None, help="Corpora whose training sets are looked at; default: all"),
    test: Optional[str] = typer.Option(None, help="Corpora whose test sets are looked for; default: all"),
    ignore_case: bool = typer.Option(False, "--ignore-case", help="Capitals do not count"),
    near: Optional[float] = typer.Option(None, help="Least similarity, up to 1, of near duplicates to count as well"),
    min_words: int = typer.Option(5, help="Leave out sentences of fewer words, such as 'Results' and 'Fig. 1'"),
    show: int = typer.Option(0, help="Print so many shared sentences of each pair"),
    out: Optional[Path] = typer.Option(None, help="Write every pair here, as .csv or .json"),
    remove: Optional[Path] = typer.Option(None, help="Write the corpora to this folder, but for the shared sentences"),
) -> None:  # documented by _HELP
    from tqdm import tqdm
    from wasabi import msg

    from ..experiments.overlap import Overlap, Sameness, find_sets, overlaps

    if near is not None and not 0 < near <= 1:
        raise MTLError(E341(option="--near", found=near, expected="a similarity above 0, up to 1"))
    if out is not None and out.suffix not in _WRITERS:
        raise MTLError(E341(option="--out", found=str(out), expected=f"a name that ends in {' or '.join(_WRITERS)}"))
    if remove is not None and remove.resolve() == corpora_dir.resolve():
        raise MTLError(E341(option="--remove", found=str(remove), expected="another folder than the corpora's"))
    sameness = Sameness(ignore_case, near, min_words)
    trains = find_sets(corpora_dir, "train", names_or_none(train))
    tests = find_sets(corpora_dir, "test", names_or_none(test))
    pairs = len(trains) * len(tests)
    found: List[Overlap] = []
    for one in tqdm(overlaps(trains, tests, sameness, show), total=pairs, unit=" pairs", disable=None):
        found.append(one)
    _print(found)
    if out is not None:
        rows = [{**one._asdict(), "percent": round(one.percent, 4)} for one in found]
        write_text(out, _WRITERS[out.suffix](rows))
        msg.good(f"{pairs} pairs in {out}")
    if remove is not None:
        _remove(trains, tests, sameness, remove)


overlap.__doc__ = _HELP


def _print(found: List) -> None:
    from wasabi import msg, table

    shared = sorted((one for one in found if one.shared), key=lambda one: -one.percent)
    if not shared:
        msg.good(f"no sentence of {len({one.test for one in found})} test sets stands in a training set")
        return
    rows = [(one.train, one.test, f"{one.shared:,}", f"{one.sentences:,}", f"{one.percent:.2f}") for one in shared]
    header = ("train", "test", "shared", "test sentences", "%")
    print(table(rows, header=header, divider=True, aligns=("l", "l", "r", "r", "r")))
    for one in shared:
        for text in one.examples:
            print(f"{one.train} / {one.test}: {text}")


def _remove(trains: Dict[str, Path], tests: Dict[str, Path], sameness, folder: Path) -> None:
    from spacy.vocab import Vocab
    from tqdm import tqdm
    from wasabi import msg

    from ..experiments.overlap import Sentences, read_sentences, remove

    vocab = Vocab()
    known = Sentences((words for path in tests.values() for words in read_sentences(path, vocab)), sameness)
    for name, path in tqdm(trains.items(), unit=" corpora", disable=None):
        target = folder / name / path.name
        removed = remove(path, target, known)
        for other in ("devel.spacy", "test.spacy", "report.json"):
            if (path.parent / other).exists():
                shutil.copyfile(path.parent / other, target.parent / other)
        msg.good(f"{name}: {removed:,} sentences left out of {target}")


def _as_csv(rows: List[Dict]) -> str:
    columns, file = ["train", "test", "shared", "sentences", "percent"], io.StringIO()
    writer = csv.DictWriter(file, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()


def _as_json(rows: List[Dict]) -> str:
    return json.dumps(rows, indent=1, ensure_ascii=False) + "\n"


_WRITERS = {".csv": _as_csv, ".json": _as_json}
