"""CSV and TSV in: the first row names the columns, those of text and id by ``Columns``; the others go to ``meta``.

Quotes work as in spreadsheets: a cell with line ends or separators stands in ``"``. A stray one ends the reading of
CSV. Many a TSV is written without quoting: there a cell holds line ends or tabs, not both, so that a quote which would
take in the rows behind it is known for a character of its cell, as are all of its row.
"""

import codecs
import csv
import io
import re
from collections import deque
from functools import partial
from typing import Any, BinaryIO, Deque, Dict, Iterator

from ...errors import E362, MTLError
from ..records import Failure
from .base import Columns, Place, Reader, Record
from .fields import document_of, repeated

_LIMIT = (1 << 31) - 1
_LONGEST = 1 << 24
_MORE = "columns without a name"
_UNDECODED = re.compile("[\udc80-\udcff]")
"""Bytes that the encoding does not have, as Python's ``surrogateescape`` keeps them."""

_INSIDE = r'(?:[^"\t]|"")*+'
_CELL = rf'(?:"{_INSIDE}"|"(?:[^"\r\n]|"")*+"|(?!")[^\t\r\n]*+)'
_REST = rf'(?:\t{_CELL})*+(?P<open>\t"{_INSIDE})?[\r\n]*'
_FIRST, _NEXT = re.compile(_REST), re.compile(rf'{_INSIDE}(?:"{_REST}|(?P<still>))')
"""A tab and a row's first line, and a line that follows while a cell is open."""


def read(stream: BinaryIO, place: Place, columns: Columns, *, separator: str) -> Iterator[Record]:
    """Yield a document a row; a row with too few or too many cells, or with bytes that the encoding does not have, is a
    failure, and so is an empty file. Raises MTL362 where the text has no column, or where the file cannot be read on.
    """
    csv.field_size_limit(_LIMIT)
    encoding = "utf-8-sig" if codecs.lookup(columns.encoding).name == "utf-8" else columns.encoding
    text = io.TextIOWrapper(stream, encoding, errors="surrogateescape", newline="")
    lines = _mended(text) if separator == "\t" else text
    rows = csv.DictReader(lines, delimiter=separator, restkey=_MORE, strict=True)
    try:
        if any(map(_UNDECODED.search, rows.fieldnames or ())):
            raise MTLError(_undecoded(f"{place.path}:1", "the names of columns", columns))
        if rows.fieldnames is None:
            yield Failure(place.name, E362(where=place.path, found="an empty file", expected="a row of columns' names"))
            return
        if missing := columns.missing(rows.fieldnames):
            found = f"the columns {', '.join(map(repr, rows.fieldnames))}"
            raise MTLError(E362(where=place.path, found=found, expected=f"a column {missing} (--text NAME)"))
        if twice := repeated(rows.fieldnames):
            raise MTLError(E362(where=place.path, found=f"two columns {twice!r}", expected="each name once"))
        for row in rows:
            yield _document(row, f"{place.name}:{rows.line_num}", columns)
    except (csv.Error, UnicodeDecodeError) as error:
        where = f"{place.path}:{rows.line_num + 1}"
        raise MTLError(E362(where=where, found=error, expected="a sound table (see --encoding)")) from error
    finally:
        text.detach()  # the stream is not ours to close


def _mended(lines: Iterator[str]) -> Iterator[str]:
    """The lines of a TSV, those whose quotes are mere characters quoted as they should be.

    What follows an open cell does not depend on where it was opened: where one meets a line that cannot go on with it,
    so would all that are opened on the way there. Nothing is read ahead for these, so that the time is linear. A cell
    of more than ``_LONGEST`` characters ends in vain, too, so that memory is bounded.
    """
    ahead: Deque[str] = deque()
    in_vain = 0
    while line := ahead.popleft() if ahead else next(lines, ""):
        row, size = [line], len(line)
        state = _FIRST.fullmatch("\t" + line)
        while state is not None and _is_open(state) and not in_vain:
            row.append(ahead.popleft() if ahead else next(lines, ""))
            size += len(row[-1])
            state = _NEXT.fullmatch(row[-1]) if row[-1] and size < _LONGEST else None
        in_vain = max(0, in_vain - 1)
        if state is None or _is_open(state):
            yield _quoted(line)
            ahead.extendleft(reversed(row[1:]))
            in_vain = max(in_vain, len(row) - 2)
        else:
            yield from row


def _is_open(state: "re.Match[str]") -> bool:
    return any(value is not None for value in state.groupdict().values())


def _quoted(line: str) -> str:
    """A line that is a whole row, with each of its cells in quotes."""
    row = line.rstrip("\r\n")
    cells = (cell.replace('"', '""') for cell in row.split("\t"))
    return "\t".join(f'"{cell}"' for cell in cells) + line[len(row) :]


def _undecoded(where: str, cells: str, columns: Columns) -> str:
    found = f"bytes that are not {columns.encoding} in {cells}"
    return E362(where=where, found=found, expected="--encoding to name the right one")


def _document(row: Dict[str, Any], where: str, columns: Columns) -> Record:
    undecoded = [repr(column) for column, cell in row.items() if isinstance(cell, str) and _UNDECODED.search(cell)]
    if undecoded:
        name = where if repr(columns.id) in undecoded else row.get(columns.id) or where
        return Failure(name, _undecoded(where, ", ".join(undecoded), columns))
    missing = [name for name, cell in row.items() if cell is None]
    if missing or _MORE in row:
        found = f"no cell for {', '.join(missing)}" if missing else f"{len(row[_MORE])} cell(s) too many"
        return Failure(row.get(columns.id) or where, E362(where=where, found=found, expected="a cell a column"))
    return document_of(row, where, columns)


CSV_READER = Reader(partial(read, separator=","), (".csv",))
TSV_READER = Reader(partial(read, separator="\t"), (".tsv", ".tab"))
