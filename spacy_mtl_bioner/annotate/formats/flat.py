"""A flat table, out, as CSV or TSV: a row an entity, for R, pandas and spreadsheets.

``unified`` is empty without a label map, ``score`` where none was computed; ``corpora`` are those that found this very
stretch, with ``|`` between them. A document without entities has no row. A cell with a quote, or in CSV a comma or a
line end, stands in quotes; in TSV tabs and line ends become spaces, one for one, so that offsets hold.

pandas takes ids for numbers and a gene called NA for nothing, unless it is told not to::

    read_csv(path, dtype={"document": str}, keep_default_na=False, na_values={"score": ""})
"""

import csv
import io
from functools import partial
from typing import Any, Iterable, Iterator, Sequence

from ...corpora.offsets import FLAT
from ..records import Annotated
from .base import StreamWriter

COLUMNS = ("document", "start", "end", "text", "label", "unified", "score", "corpora")


def part(documents: Sequence[Annotated], *, separator: str) -> bytes:
    """The rows of the documents' entities."""
    lines = (_line(row, separator) for document in documents for row in _rows(document))
    return "".join(lines).encode("utf-8", "replace")


def _rows(document: Annotated) -> Iterator[Sequence[Any]]:
    for start, end, text, label, unified, score, sources in document.entities:
        corpora = "|".join(dict.fromkeys(corpus for corpus, _, _ in sources))
        yield document.id, start, end, text, label, unified, score, corpora


def _line(cells: Iterable[Any], separator: str) -> str:
    """A row as spreadsheets read it; nothing for None."""
    if separator == "\t":
        cells = (cell.translate(FLAT) if isinstance(cell, str) else cell for cell in cells)
    line = io.StringIO()
    csv.writer(line, delimiter=separator, lineterminator="\r\n").writerow(cells)  # so that a lone CR is quoted, too
    return line.getvalue().removesuffix("\r\n") + "\n"


def _writer(separator: str, *suffixes: str) -> StreamWriter:
    head = _line(COLUMNS, separator).encode("ascii")
    return StreamWriter(partial(part, separator=separator), suffixes, head=head)


CSV_WRITER = _writer(",", ".csv")
TSV_WRITER = _writer("\t", ".tsv", ".tab")
