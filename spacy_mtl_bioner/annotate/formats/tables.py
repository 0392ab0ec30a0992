"""CSV and TSV in: the first row names the columns, those of text and id by ``Columns``; the others go to ``meta``.

Quotes work as in spreadsheets, in TSV too: a cell with line ends or separators stands in ``"``.
"""

import csv
import io
from functools import partial
from typing import Any, BinaryIO, Dict, Iterator

from ...errors import E362, MTLError
from ..records import Failure
from .base import Columns, Place, Reader, Record
from .fields import document_of

_LIMIT = (1 << 31) - 1
_MORE = "columns without a name"


def read(stream: BinaryIO, place: Place, columns: Columns, *, separator: str) -> Iterator[Record]:
    """Yield a document a row; a row with too few or too many cells is a failure. Raises MTL362 where the text has no
    column, or where the file cannot be read on."""
    csv.field_size_limit(_LIMIT)
    encoding = "utf-8-sig" if columns.encoding.lower() in ("utf-8", "utf8") else columns.encoding
    text = io.TextIOWrapper(stream, encoding, newline="")
    rows = csv.DictReader(text, delimiter=separator, restkey=_MORE)
    try:
        if rows.fieldnames is not None and columns.text not in rows.fieldnames:
            found = f"the columns {', '.join(map(repr, rows.fieldnames))}"
            raise MTLError(E362(where=place.path, found=found, expected=f"a column {columns.text!r} (--text NAME)"))
        for row in rows:
            yield _document(row, f"{place.name}:{rows.line_num}", columns)
    except (csv.Error, UnicodeDecodeError) as error:
        where = f"{place.path}:{rows.line_num + 1}"
        raise MTLError(E362(where=where, found=error, expected="a sound table (see --encoding)")) from error
    finally:
        text.detach()  # the stream is not ours to close


def _document(row: Dict[str, Any], where: str, columns: Columns) -> Record:
    missing = [name for name, cell in row.items() if cell is None]
    if missing or _MORE in row:
        found = f"no cell for {', '.join(missing)}" if missing else f"{len(row[_MORE])} cell(s) too many"
        return Failure(row.get(columns.id) or where, E362(where=where, found=found, expected="a cell a column"))
    return document_of(row, where, columns)


CSV_READER = Reader(partial(read, separator=","), (".csv",))
TSV_READER = Reader(partial(read, separator="\t"), (".tsv", ".tab"))
