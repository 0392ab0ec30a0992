"""Plain text in: a document a file, its id the name without ``.txt``. BRAT folders too, whose ``.ann`` files stay
unread."""

from typing import BinaryIO, Iterator

from ...errors import E362
from ...types import Document
from ..records import Failure
from .base import Columns, Place, Reader, Record

_BOM = "\ufeff"


def read(stream: BinaryIO, place: Place, columns: Columns) -> Iterator[Record]:
    """Yield the one document; a byte order mark is no part of it, line ends stay as they are."""
    try:
        yield Document(place.name, stream.read().decode(columns.encoding).removeprefix(_BOM))
    except UnicodeDecodeError as error:
        found = f"bytes that are not {columns.encoding} (at {error.start}: {error.reason})"
        yield Failure(place.name, E362(where=place.path, found=found, expected="--encoding to name the right one"))


READER = Reader(read, (".txt",))
