"""PubTator: ``ID|t|TITLE``, ``ID|a|ABSTRACT``, then a line a mention, and a blank line after each document.

Offsets count from the start of the title; one space stands between title and abstract. A mention has six columns
(document, start, end, text, type, identifier) or a seventh that names the parts of a composite one, which is passed
over and counted as ``seventh column``. Relations (``ID CID D1 D2``, in BioRED with a fifth column) are counted as
``relation``. Identifiers are kept as they stand, composite ones too; ``-`` is none.
"""

import re
from functools import partial
from pathlib import Path
from typing import Callable, Iterable, Iterator, List, Tuple

from ..errors import E031, E032, E034, MTLError
from ..types import Document, Mention, Passage
from .offsets import FLAT
from .problems import Problems
from .sources import decoded, numbered_lines
from .standoff import Draft, Labels, Parser, gather, parsers_of, place

SUFFIXES = (".pubtator",)
IN_FOLDERS = (*SUFFIXES, ".txt")
"""In a folder of PubTator files, these are such too: corpora are often distributed so."""
_EXPECTED = "lines 'ID|t|TITLE' and 'ID|a|ABSTRACT'"
_TITLE = re.compile(rb"[^|\t]+\|t\|")
_TEXT = re.compile(r"([^|\t]+)\|([ta])\|(.*)", re.DOTALL)
_RELATION = re.compile(r"[A-Za-z][A-Za-z]+(?:[_ -][A-Za-z]+)*")
_SECTIONS = {"t": "title", "a": "abstract"}
_Lines = List[Tuple[int, bytes]]


def read_pubtator(path: Path, problems: Problems, labels: Labels = None) -> Iterator[Document]:
    """Yield the documents of a PubTator file (``.gz`` too), or of all in a folder, passages ``title`` and ``abstract``.

    Coded errors name file and line: MTL031 for a line with other than 4, 6 or 7 columns (a mention with 5 lacks its
    identifier), MTL032 for a missing title or abstract, MTL034 for another document's id or offsets that are no
    numbers, and those of :func:`~spacy_mtl_bioner.corpora.standoff.gather`.
    """
    parsers = parsers_of(path, IN_FOLDERS, partial(_parsers, _parse), _EXPECTED)
    return gather(path, problems, parsers, _EXPECTED, labels)


def read_pubtator_texts(path: Path, problems: Problems) -> Iterator[Document]:
    """Yield the documents without their mentions, whatever is wrong with these; raises as ``read_pubtator``."""
    return gather(path, problems, parsers_of(path, IN_FOLDERS, partial(_parsers, _parse_head), _EXPECTED), _EXPECTED)


def _parsers(parse: Callable[[Path, _Lines], Draft], path: Path) -> Iterator[Parser]:
    return (partial(parse, path, lines) for lines in blocks(numbered_lines(path)))


def blocks(lines: Iterable[Tuple[int, bytes]]) -> Iterator[_Lines]:
    """The numbered lines of each document. A title line starts a new one even where the blank line is missing, and a
    blank line within a document, which is followed by more of it, ends none."""
    block: _Lines = []
    gap = False
    for number, line in lines:
        if not line.strip():
            gap = True
            continue
        if block and (_TITLE.match(line) or gap and not _goes_on(block[-1][1], line)):
            yield block
            block = []
        block.append((number, line))
        gap = False
    if block:
        yield block


def _goes_on(line: bytes, after: bytes) -> bool:
    """Whether a line behind a blank one is an abstract, a mention or a relation of the same document."""
    one, other = (re.split(rb"[|\t]", each, maxsplit=1)[0] for each in (line, after))
    return one == other and (after.startswith(one + b"|a|") or 3 <= after.count(b"\t") <= 6)


def _parse_head(path: Path, lines: _Lines) -> Draft:
    return Draft(path, parse_text(path, [(number, decoded(line, path, number)) for number, line in lines[:2]]))


def _parse(path: Path, lines: _Lines) -> Draft:
    rows = [(number, decoded(line, path, number)) for number, line in lines]
    document = parse_text(path, rows[:2])
    draft = Draft(path, document)
    for number, row in rows[2:]:
        where = place(path, number, document.id)
        columns = _columns(row, document.text)
        if columns[0] != document.id:
            raise MTLError(E034(where=where, found=f"document {columns[0]!r}", expected=f"{document.id!r}, as above"))
        if len(columns) in (4, 5) and _RELATION.fullmatch(columns[1]):
            draft.counts["relation"] += 1
            continue
        if len(columns) not in (6, 7):
            raise MTLError(E031(where=where, columns=len(columns), text=row[:80]))
        draft.counts.update({"seventh column": 1} if len(columns) == 7 else {})
        draft.found.append((number, _mention(where, columns)))
    return draft


def parse_text(path: Path, rows: List[Tuple[int, str]]) -> Document:
    """The document that the title line and the abstract line give, without mentions. Raises MTL032."""
    first = rows[0][0]
    texts: List[str] = []
    passages: List[Passage] = []
    name = ""
    for index, (kind, section) in enumerate(_SECTIONS.items()):
        found = _TEXT.fullmatch(rows[index][1]) if index < len(rows) else None
        if found is None or found[2] != kind or (name and found[1] != name):
            line = rows[min(index, len(rows) - 1)][0]
            raise MTLError(E032(where=place(path, line, name), missing=section))
        name = found[1]
        start = len(texts[0]) + 1 if texts else 0
        texts.append(found[3])
        passages.append(Passage(start, start + len(found[3]), section))
    kept = 2 if texts[1] else 1  # no space at the end of a title that stands alone
    return Document(id=name, text=" ".join(texts[:kept]), passages=passages[:kept], line=first)


def _columns(row: str, text: str) -> List[str]:
    """The columns of a line; the fourth may itself hold tabs where it is the text that the offsets tell."""
    head = row.split("\t", 3)
    if len(head) == 4 and _is_offset(head[1]) and _is_offset(head[2]):
        start, length = int(head[1]), int(head[2]) - int(head[1])
        said, rest = head[3][: max(length, 0)], head[3][max(length, 0) :]
        if said and rest.startswith("\t") and text.startswith(said, start):
            return [*head[:3], said, *rest[1:].split("\t")]
    return row.split("\t")


def _is_offset(value: str) -> bool:
    return value.isascii() and value.isdecimal() and len(value) <= 12


def _mention(where: str, columns: List[str]) -> Mention:
    start, end, text, label, identifier = columns[1:6]
    if not (_is_offset(start) and _is_offset(end)):
        raise MTLError(E034(where=where, found=f"offsets {start!r} and {end!r}", expected="two whole numbers"))
    if not label:
        raise MTLError(E034(where=where, found="no type", expected="the type of the mention in column 5"))
    return Mention(int(start), int(end), label, text, "" if identifier == "-" else identifier)


def write_pubtator(path: Path, documents: Iterable[Document]) -> None:
    """Write documents, each mention with six columns (``-`` where there is no identifier).

    The first passage becomes the title where one white-space character follows it, else the whole text does. Tabs
    and line ends become spaces, and ``|`` in a document's id ``_``, so that offsets hold and the file can be read.
    """
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        for document in documents:
            file.writelines(f"{line}\n" for line in rows_of(document))


def rows_of(document: Document) -> Iterator[str]:
    """The lines of a document, the blank one after it included, without line ends."""
    name, text = _cell(document.id).replace("|", "_"), _cell(document.text)
    at = document.passages[0].end if document.passages else len(text)
    at = at if text[at : at + 1].isspace() else len(text)
    yield f"{name}|t|{text[:at]}"
    yield f"{name}|a|{text[at + 1:]}"
    for mention in document.mentions:
        said = text[mention.start : mention.end]
        cells = (_cell(mention.label), _cell(mention.identifier) or "-")
        yield "\t".join((name, str(mention.start), str(mention.end), said, *cells))
    yield ""


def _cell(value: str) -> str:
    return value.translate(FLAT)
