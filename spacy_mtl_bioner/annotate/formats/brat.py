"""BRAT out: a folder with ``NAME.txt`` and ``NAME.ann`` a document, NAME its id, percent-encoded.

An entity's score and corpora stand in a note (``#1``). Of documents with the same id, or with ids that differ in case
alone, the second is ``NAME~2``.
"""

import json
from pathlib import Path
from typing import Iterator, Sequence

from ...corpora.brat import FileNames, file_name, rows_of
from ..records import REPEATED, Annotated
from .base import StreamWriter


def part(documents: Sequence[Annotated]) -> bytes:
    """A line of JSON each, until all are known: name, text, annotation."""
    lines = (json.dumps([_name(d), d.text, "".join(_rows(d))]) + "\n" for d in documents)
    return "".join(lines).encode("ascii")


def _name(document: Annotated) -> str:
    """The name of the files; the ``~`` of a repeated id is not percent-encoded."""
    head, mark, number = document.id.rpartition("~") if REPEATED in document.problems else ("", "", "")
    return file_name(head) + mark + number if mark else file_name(document.id)


def written_id(name: str) -> str:
    """An id as file systems that do not tell cases apart know it."""
    return file_name(name).casefold()


def _rows(document: Annotated) -> Iterator[str]:
    yield from rows_of(document.to_document())
    for number, entity in enumerate(document.entities, 1):
        if entity.score is not None or entity.sources:
            note = f"score={entity.score} corpora={entity.said_by} label={entity.label}"
            yield f"#{number}\tAnnotatorNotes T{number}\t{note}\n"


def unpack(gathered: Path, folder: Path) -> None:
    """Write the files of all documents."""
    names = FileNames()
    with open(gathered, encoding="ascii") as lines:
        for line in lines:
            name, text, annotation = json.loads(line)
            name = names.take(name)
            (folder / f"{name}.txt").write_bytes(text.encode("utf-8", "replace"))
            (folder / f"{name}.ann").write_bytes(annotation.encode("utf-8", "replace"))


WRITER = StreamWriter(part, (), unpack=unpack, written=written_id)
