"""What a format in and a format out are; each stands in a file of its own and in the tables of this folder."""

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Callable, Container, Iterator, NamedTuple, Optional, Protocol, Sequence, Tuple, Union

from ...types import Document
from ..records import Annotated, Failure
from ..sinks import ShardSink, Sink, StreamSink


class Columns(NamedTuple):
    """Where text and id stand in formats with named columns or fields, and the encoding of plain text. ``text`` may be
    several names with commas between them, where it is not itself the name of one."""

    text: str = "text"
    id: str = "id"
    encoding: str = "utf-8"

    def texts(self, there: Container[str]) -> Tuple[str, ...]:
        """The names that ``text`` stands for among those that are there."""
        if self.text in there or "," not in self.text:
            return (self.text,)
        return tuple(dict.fromkeys(name.strip() for name in self.text.split(",") if name.strip())) or (self.text,)

    def missing(self, there: Container[str]) -> str:
        """Those of ``texts`` that are not there, for a message; empty where all are."""
        return ", ".join(repr(name) for name in self.texts(there) if name not in there)


class Place(NamedTuple):
    """A file that is read: its path for messages, and the name that ids are made of where the file has none."""

    path: Path
    name: str


class Line(NamedTuple):
    """A document that is not parsed yet: a line of JSONL. Parsing is left to the processes that tag; who leads them
    looks at its id alone."""

    name: str
    number: int
    data: bytes


Record = Union[Document, Failure, Line]

Read = Callable[[BinaryIO, Place, Columns], Iterator[Record]]
"""Stream, where it is from, columns -> records in order. What is wrong with one document is a ``Failure`` in its place;
what ends the reading is raised as a coded error."""


@dataclass(frozen=True)
class Reader:
    """A format in. ``suffixes`` are lower-case, before ``.gz``."""

    read: Read
    suffixes: Tuple[str, ...]


Part = Callable[[Sequence[Annotated]], bytes]
"""The bytes of some documents, which stand beside those of others in the output."""


class Writer(Protocol):
    """A format out. ``keep_docs``: whether documents must carry their spaCy Doc."""

    part: Part
    suffixes: Tuple[str, ...]
    keep_docs: bool

    def sink(self, folder: Path, output: Path) -> Sink:
        """What gathers parts, working in ``folder``, until ``output`` appears."""


@dataclass(frozen=True)
class StreamWriter:
    """A format whose parts stand one after the other in one file, with ``between`` them, after ``head``, before
    ``foot``.

    unpack: makes ``output`` of that file, for formats of many files. empty: the file where nothing is written.
    written: how a document's id is written, where readers need all of them to differ; None: they may be the same.
    """

    part: Part
    suffixes: Tuple[str, ...]
    head: bytes = b""
    between: bytes = b""
    foot: bytes = b""
    keep_docs: bool = False
    unpack: Optional[Callable[[Path, Path], None]] = None
    empty: bytes = b""
    written: Optional[Callable[[str], str]] = None

    def sink(self, folder: Path, output: Path) -> Sink:
        """What gathers parts in one file."""
        return StreamSink(folder / "output", self.head, self.between, self.foot, self.unpack, self.empty)


@dataclass(frozen=True)
class ShardWriter:
    """A format whose parts are whole files. An output that has no suffix of the format is a folder of them; one that
    has is a single file, made by ``merge``."""

    part: Part
    suffixes: Tuple[str, ...]
    merge: Callable[[Sequence[Path], Path], None]
    keep_docs: bool = False

    def sink(self, folder: Path, output: Path) -> Sink:
        """What gathers parts in a folder."""
        single = output.suffix.lower() in self.suffixes
        return ShardSink(folder / "shards", self.suffixes[0], self.merge if single else None)
