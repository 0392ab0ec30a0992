"""``mtl-bioner stats``: what annotated documents hold, by label."""

import json
from pathlib import Path
from typing import Any, List, Optional, Tuple

import typer

_HELP = """Count the mentions of annotated documents by label.

INPUT is as for render, and what render leaves out is not counted. Mentions that differ only in upper and lower case or
in white space count as one form, which is shown as it is written most often.

Examples:

\b
  mtl-bioner stats entities.jsonl
  mtl-bioner stats entities.pubtator --top 20 --out counts.json
"""


def stats(
    input: Path = typer.Argument(..., help="Annotated file or folder"),
    from_: Optional[str] = typer.Option(None, "--from", help="Format of the input; default: by suffix"),
    top: int = typer.Option(5, min=0, help="How many of the most frequent mentions to show of each label"),
    out: Optional[Path] = typer.Option(None, help="Write the counts as JSON too"),
) -> None:  # documented by _HELP
    from tqdm import tqdm
    from wasabi import table

    from ..annotate.annotated import Flattening, read_annotated
    from ..annotate.tally import as_json, count
    from ..durable import write_text

    problems = Flattening()
    documents = tqdm(read_annotated(input, from_, problems), unit=" documents", disable=None)
    number, tallies = count(documents)
    if out is not None:
        write_text(out, json.dumps(as_json(number, tallies, top), ensure_ascii=False, indent=1) + "\n")
    rows: List[Tuple[Any, ...]] = []
    for label, tally in tallies.items():
        rows.append((label, f"{tally.mentions.total():,}", f"{len(tally.mentions):,}", f"{tally.in_documents:,}", ""))
        rows += [("", f"{f.mentions:,}", "", f"{f.documents:,}", " ".join(f.text.split())[:60]) for f in tally.top(top)]
    header = ("label", "mentions", "forms", "documents", "mention")
    typer.echo(table(rows, header=header, divider=True, aligns=("l", "r", "r", "r", "l")))
    typer.echo(f"{number:,} documents, {sum(tally.mentions.total() for tally in tallies.values()):,} mentions")
    if problems.summary():
        typer.echo(f"{input}: {problems.summary()}")


stats.__doc__ = _HELP
