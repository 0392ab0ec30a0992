"""``mtl-bioner render``: annotated documents as one HTML page to look at."""

from pathlib import Path
from typing import Optional

import typer

_HELP = """Show annotated documents in one HTML file, which needs nothing else.

INPUT is what annotate wrote, or gold, as JSONL, DocBin (a file, or a folder of them), PubTator, BioC XML or JSON, or
BRAT; not as Parquet, CSV, TSV, CoNLL or HTML. In PubTator, BioC and BRAT, mentions in several parts and the shorter of
two that overlap are left out, and counted.
Merged entities are colored boxes; with JSONL and DocBin a line for each corpus runs under the text, and tooltips tell
corpora, labels and scores. A DocBin also shows entities that lost to others in the merge. To tag and look at once,
write HTML directly: mtl-bioner annotate MODEL INPUT page.html.

Examples:

\b
  mtl-bioner render entities.jsonl page.html
  mtl-bioner render corpus/NCBI-disease/devel.spacy page.html --limit 50 --title "NCBI-disease, devel"
"""


def render(
    input: Path = typer.Argument(..., help="Annotated file or folder"),
    output: Path = typer.Argument(..., help="HTML file to write; its folder is made where missing"),
    from_: Optional[str] = typer.Option(None, "--from", help="Format of the input; default: by suffix"),
    limit: Optional[int] = typer.Option(None, min=1, help="Show only so many documents"),
    title: str = typer.Option("Entities", help="Title of the page"),
    overwrite: bool = typer.Option(False, "--overwrite", help="Replace an output that is there"),
) -> None:  # documented by _HELP
    from itertools import islice

    from tqdm import tqdm
    from wasabi import msg

    from ..annotate.annotated import Flattening, read_annotated
    from ..annotate.html import write_page
    from ..errors import E350, MTLError

    if output.exists() and not overwrite:
        raise MTLError(E350(path=output))
    problems = Flattening()
    documents = tqdm(islice(read_annotated(input, from_, problems), limit), unit=" documents", disable=None)
    msg.good(f"{output}: {write_page(output, documents, title):,} documents")
    if problems.summary():
        typer.echo(f"{input}: {problems.summary()}")


render.__doc__ = _HELP
