"""Tables of word vectors as they are distributed: text (GloVe, word2vec, fastText's .vec), and binary (word2vec)."""

import math
import re
from pathlib import Path
from typing import BinaryIO, Iterator, List, Tuple

import numpy as np

from ..errors import E174, E175, E183, MTLError
from .sources import lines_of, open_bytes

BINARY = ".bin"
LONGEST = 4096
"""Bytes that a word of a binary table may have: more is no word."""
WIDEST = 1 << 16
"""Columns that a binary table may have."""
BLOCK = 1 << 20
"""Bytes that are read at once."""
ZIP = b"PK\x03\x04"
_HEADER = re.compile("([0-9]{1,12}) ([0-9]{1,12})")
_TABBED = re.compile(r"\t[-+]?\.?[0-9]")
"""A number behind a tab."""

Row = Tuple[str, np.ndarray]
"""A word and its vector, f32[D]."""


def read_table(path: Path) -> Iterator[Row]:
    """Yield the rows of a table, packed where its name ends in ``.gz``, binary where it ends in ``.bin`` before that.

    Bytes of a word that are not UTF-8 become U+FFFD. Raises MTLError: MTL001 and MTL025 where the file cannot be read,
    MTL174 where it is empty, a zip archive, or other than its header says, as one that was cut off is, MTL175 for a row
    that is not a word and as many finite numbers as the header says or else the others have, MTL183 for tabs between.
    """
    inner = path.with_suffix("") if path.suffix.lower() == ".gz" else path
    read = _binary_rows if inner.suffix.lower() == BINARY else _text_rows
    with open_bytes(path) as stream:
        empty = True
        for row in read(stream, path):
            empty = False
            yield row
        if empty:
            raise MTLError(E174(path=path, reason="no row", expected="a word and its numbers a line"))


def _text_rows(stream: BinaryIO, path: Path) -> Iterator[Row]:
    """A row a line, of words and numbers separated by spaces, blank lines aside. word2vec's header, 'ROWS COLUMNS', may
    come first; then there are as many columns and, at least, rows."""
    width, rows, wanted = 0, 0, None
    for number, line in lines_of(stream):
        if number == 1 and line.startswith(ZIP):
            raise MTLError(E174(path=path, reason="a zip archive", expected="the table in it: unpack it first"))
        text = line.decode("utf8", "replace").rstrip(" ")
        if number == 1 and (header := _HEADER.fullmatch(text)):
            wanted, width = int(header[1]), int(header[2])
            continue
        if text:
            if "\t" in text and _TABBED.search(text):
                raise MTLError(E183(path=path, line=number, found=repr(text[:60])))
            parts = text.split(" ")
            if width and len(parts) > width + 1 and _has_more(parts, width):
                raise MTLError(E175(path=path, line=number, found=repr(text[:60]), expected=width))
            width = width or len(parts) - 1
            rows += 1
            if any(parts[:-width]) or len(parts) <= width or not width:  # nobody can look up an empty word
                yield parse_row(parts, width, path, number)
    if wanted is not None and rows < wanted:
        expected = f"the {wanted} of its first line: fetch the file again, or correct that line"
        raise MTLError(E174(path=path, reason=f"it ends after {rows} rows", expected=expected))


def _has_more(parts: List[str], width: int) -> bool:
    """Whether a row has more numbers than its table: what a word with spaces holds is no number."""
    try:
        return len([float(part) for part in parts[1:]]) > width
    except ValueError:
        return False


def parse_row(parts: List[str], width: int, path: Path, line: int) -> Row:
    """Return the word and the ``width`` numbers of a row; a word may hold spaces, as some in GloVe do."""
    word = " ".join(parts[:-width])
    try:
        numbers = [float(part) for part in parts[-width:]]
    except ValueError:
        numbers = []
    if width < 1 or len(numbers) != width or not word or not all(map(math.isfinite, numbers)):
        raise MTLError(E175(path=path, line=line, found=repr(" ".join(parts)[:60]), expected=max(width, 1)))
    return word, _finite(numbers, word, path, line)


def _binary_rows(stream: BinaryIO, path: Path) -> Iterator[Row]:
    """word2vec's form: a line with the numbers of rows and columns, then a word, a space and its numbers, float32 and
    little-endian, a row; some writers put a line end behind it."""
    header = stream.readline(64).split()
    if len(header) != 2 or not all(part.isdigit() for part in header) or not 0 < int(header[1]) <= WIDEST:
        expected = "the line 'ROWS COLUMNS' of word2vec's binary form (fastText's own is another: take its .vec)"
        raise MTLError(E174(path=path, reason="no header", expected=expected))
    rows, width = map(int, header)
    buffer, at = b"", 0
    for number in range(1, rows + 1):
        end = buffer.find(b" ", at)
        while end < 0 or len(buffer) < end + 1 + 4 * width:
            if end < 0 and len(buffer) - at > LONGEST:
                raise MTLError(E175(path=path, line=number, found=repr(buffer[at : at + 30]), expected=width))
            more = stream.read(BLOCK)
            if not more:
                raise MTLError(E174(path=path, reason=f"it ends in row {number}", expected=f"{rows} rows"))
            buffer, at = buffer[at:] + more, 0
            end = buffer.find(b" ")
        word = buffer[at:end].lstrip(b"\n").decode("utf8", "replace")
        yield word, _finite(np.frombuffer(buffer, "<f4", width, end + 1), word, path, number)
        at = end + 1 + 4 * width


def _finite(numbers: object, word: str, path: Path, line: int) -> np.ndarray:
    """The numbers as an array of its own. Raises MTL175 where float32 cannot hold them."""
    with np.errstate(over="ignore", invalid="ignore"):
        row = np.array(numbers, dtype="float32")
    if not np.isfinite(row).all():
        raise MTLError(E175(path=path, line=line, found=f"a number out of range, of {word!r},", expected=len(row)))
    return row
