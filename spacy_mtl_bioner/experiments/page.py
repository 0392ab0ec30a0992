"""One self-contained page of HTML with every table and figure of every study in a folder."""

import base64
from html import escape
from pathlib import Path
from typing import Any, Dict, List

from ..durable import write_text
from .folder import read_json
from .report import SUMMARY, show

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; color: #1a1a1a; }
table { border-collapse: collapse; margin: 1rem 0; }
caption { text-align: left; font-weight: 600; padding-bottom: .3rem; }
th, td { padding: .2rem .7rem; border-bottom: 1px solid #ddd; text-align: left; vertical-align: top; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
figure { margin: 1.5rem 0; } img { max-width: 100%; } p.note { color: #555; }
"""


def write_page(out: Path) -> Path:
    """Write ``out/report.html`` from the summary of each study in ``out``, and return its path. (Converted corpora have
    a file of that name, too, which is none.)"""
    found = [(path.parent, read_json(path)) for path in sorted(out.glob(f"*/{SUMMARY}"))]
    studies = [(folder, summary) for folder, summary in found if "tables" in summary]
    path = out / "report.html"
    write_text(path, page(studies))
    return path


def page(studies: List[Any]) -> str:
    """Return the page of studies: pairs of folder and summary."""
    body = "\n".join(section(folder, summary) for folder, summary in studies)
    head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    title = "Results of trainings"
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>{head}<title>{title}</title><style>{STYLE}</style></head>\n'
        f"<body>\n<h1>{title}</h1>\n{body}\n</body>\n</html>\n"
    )


def section(folder: Path, summary: Dict[str, Any]) -> str:
    """Return a study's part of the page."""
    tables = "\n".join(map(table, summary["tables"]))
    drawn = [(folder / found["file"], found["title"]) for found in summary["figures"]]
    figures = "\n".join(figure(path, title) for path, title in drawn if path.exists())
    return f"<section>\n<h2>{escape(summary['title'])}</h2>\n{tables}\n{figures}\n</section>"


def table(found: Dict[str, Any]) -> str:
    """Return a table."""
    head = "".join(f"<th>{escape(name)}</th>" for name in found["header"])
    rows = "\n".join(f"<tr>{''.join(map(cell, row))}</tr>" for row in found["rows"])
    note = f'\n<p class="note">{escape(found["note"])}</p>' if found["note"] else ""
    return f"<table><caption>{escape(found['title'])}</caption>\n<tr>{head}</tr>\n{rows}\n</table>{note}"


def cell(value: Any) -> str:
    """Return a cell."""
    kind = ' class="number"' if isinstance(value, (int, float)) else ""
    return f"<td{kind}>{escape(show(value))}</td>"


def figure(path: Path, title: str) -> str:
    """Return a figure, its picture in the page itself."""
    data = base64.b64encode(path.read_bytes()).decode("ascii")
    return (
        f'<figure><img alt="{escape(title, quote=True)}" src="data:image/png;base64,{data}">'
        f"<figcaption>{escape(title)}</figcaption></figure>"
    )
