"""What a study found, as tables and figures: written as text, CSV, JSON, PNG, and one page of HTML."""

import csv
import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Sequence, Set, Union

from wasabi import table

from ..durable import replacing, write_text
from .folder import read_json, write_json

Cell = Union[str, float, int, None]

SUMMARY = "report.json"


@dataclass(frozen=True)
class Table:
    """name: of its file. title, note: for readers. rows: a cell a column of ``header``; ``None`` is unknown."""

    name: str
    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    note: str = ""

    def text(self) -> str:
        """Return the table for a console."""
        numeric = [any(isinstance(row[i], (int, float)) for row in self.rows) for i in range(len(self.header))]
        shown = [[show(cell) for cell in row] for row in self.rows]
        drawn = table(shown, header=list(self.header), divider=True, aligns=["r" if n else "l" for n in numeric])
        return "\n".join(filter(None, [self.title, drawn.strip("\n"), self.note]))

    def csv(self) -> str:
        """Return the table as CSV, numbers in full."""
        stream = io.StringIO()
        csv.writer(stream, lineterminator="\n").writerows([self.header, *self.rows])
        return stream.getvalue()

    def plain(self) -> Dict[str, Any]:
        """Return the table as plain values."""
        rows = [list(row) for row in self.rows]
        return {"name": self.name, "title": self.title, "header": list(self.header), "rows": rows, "note": self.note}


@dataclass(frozen=True)
class Figure:
    """name: of its file. draw: puts it on a ``matplotlib.figure.Figure``."""

    name: str
    title: str
    draw: Callable[[Any], None]


@dataclass
class Report:
    """name: of the study, and of its folder in OUT. records: one a training and scored corpus."""

    name: str
    title: str
    records: List[Dict[str, Any]]
    tables: List[Table] = field(default_factory=list)
    figures: List[Figure] = field(default_factory=list)

    def text(self) -> str:
        """Return all tables for a console."""
        return "\n\n".join(found.text() for found in self.tables)


def show(cell: Cell) -> str:
    """Return a cell for readers."""
    if cell is None:
        return "-"
    return f"{cell:.2f}" if isinstance(cell, float) else str(cell)


def write_report(report: Report, out: Path, plots: bool = True) -> Path:
    """Write a report's folder in ``out``: ``records.json``, ``report.txt``, ``report.json``, a CSV a table, and
    (``plots``, needs matplotlib) a PNG a figure. What an earlier report left there and this one does not have, goes.
    Return the folder."""
    folder = out / report.name
    before = _files(read_json(folder / SUMMARY))
    write_json(folder / "records.json", report.records)
    write_text(folder / "report.txt", report.text() + "\n")
    for found in report.tables:
        write_text(folder / f"{found.name}.csv", found.csv())
    figures = report.figures if plots else []
    for figure in figures:
        draw(figure.draw, folder / f"{figure.name}.png")
    summary: Dict[str, Any] = {"title": report.title, "tables": [found.plain() for found in report.tables]}
    summary["figures"] = [{"file": f"{figure.name}.png", "title": figure.title} for figure in figures]
    write_json(folder / SUMMARY, summary)
    for name in before - _files(summary):
        (folder / name).unlink(missing_ok=True)
    return folder


def _files(summary: Optional[Dict[str, Any]]) -> Set[str]:
    """The files of a report's tables and figures; only plain names, whatever the summary says."""
    found = summary or {"tables": [], "figures": []}
    names = {f"{table['name']}.csv" for table in found["tables"]} | {figure["file"] for figure in found["figures"]}
    return {name for name in names if Path(name).name == name}


def draw(paint: Callable[[Any], None], path: Path) -> None:
    """Write a figure as PNG; ``paint`` puts it on a ``matplotlib.figure.Figure``."""
    from matplotlib.figure import Figure as Canvas

    canvas = Canvas(figsize=(8, 4.5), layout="constrained")
    paint(canvas)
    with replacing(path) as draft:
        canvas.savefig(draft, dpi=120, format="png")
