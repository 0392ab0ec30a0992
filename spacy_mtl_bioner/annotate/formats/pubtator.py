"""PubTator, in and out. Mentions in the input are passed over: tagging replaces them.

Out, a mention has six columns, the last ``-``. The format has a title and an abstract, each in one line: tabs and
line ends become spaces, one for one, so that offsets hold. The first passage is the title where white space follows it;
other passages have no place. Of documents with the same id the second is ``ID~2``.
"""

from typing import BinaryIO, Iterator, Sequence

from ...corpora.pubtator import blocks, parse_text, rows_of
from ...corpora.sources import decoded, lines_of
from ...errors import E362, MTLError
from ...types import Document
from ..records import Annotated, Failure
from .base import Columns, Place, Reader, Record, StreamWriter


def read(stream: BinaryIO, place: Place, columns: Columns) -> Iterator[Record]:
    """Yield a document for each title and abstract; what lacks one of them is a failure (MTL032), and so is what has
    further text in other lines, which would be lost (MTL362)."""
    for block in blocks(lines_of(stream)):
        try:
            head = [(number, decoded(line, place.path, number)) for number, line in block[:2]]
            document = parse_text(place.path, head)
            for number, line in block[2:]:
                _check_row(f"{place.path}:{number}", document.id, decoded(line, place.path, number))
            yield document
        except MTLError as error:
            name = block[0][1].partition(b"|")[0].decode("utf-8", "replace")
            yield Failure(name, str(error))


def _check_row(where: str, name: str, line: str) -> None:
    """Raise MTL362 for a line that is no row of the document, however malformed: it may be text."""
    if "\t" not in line or line.partition("\t")[0] != name:
        expected = f"one line of title, one of abstract, and then rows of {name} in columns"
        raise MTLError(E362(where=where, found=f"{line.strip()!r:.60}", expected=expected))


def part(documents: Sequence[Annotated]) -> bytes:
    """The lines of each document and a blank one."""
    lines = (f"{line}\n" for document in documents for line in rows_of(document.to_document()))
    return "".join(lines).encode("utf-8", "replace")


def written_id(name: str) -> str:
    """An id as it is written, for which ``|``, tabs and line ends have no place."""
    return next(rows_of(Document(name, ""))).removesuffix("|t|")


READER = Reader(read, (".pubtator",))
WRITER = StreamWriter(part, (".pubtator",), written=written_id)
