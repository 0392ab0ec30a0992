"""BRAT stand-off: a folder of ``NAME.txt`` and ``NAME.ann`` pairs, sub-folders and links included.

``T1<TAB>Type START END<TAB>text`` is a mention; ``N1<TAB>Reference T1 RID:EID`` gives it an identifier, several of them
``RID:EID|RID:EID``. Other kinds (relations, events, attributes, notes) are passed over and counted as ``annotation R``,
``annotation E`` ... but for the notes of ``annotate``, ``#1<TAB>AnnotatorNotes T1<TAB>score=...``, which say how sure
it was of a mention that is read.
"""

import re
from collections import Counter
from dataclasses import replace
from functools import partial
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Counter as Counts
from typing import Dict, Iterable, Iterator, List, NamedTuple, Tuple
from urllib.parse import quote, unquote

from ..errors import E001, E030, E034, E036, E041, MTLError
from ..types import Document, Mention
from .offsets import FLAT, Block, settle
from .problems import Problems
from .sources import MARK, decoded, files_below, numbered_lines, open_bytes
from .standoff import Draft, Labels, Parser, failure, gather, place, shown

TEXT, NOTES, DIVIDED = ".txt", ".ann", (".a1", ".a2")
"""Suffixes, in any case: of a text, its annotation, and an annotation as the BioNLP shared tasks divide it."""
_SPAN = re.compile(r"(\S+) ([0-9]{1,12} [0-9]{1,12}(?:;[0-9]{1,12} [0-9]{1,12})*)", re.ASCII)
_REFERENCE = re.compile(r"N[^\t]*\tReference (T\S+) ([^\t]+)")
_OUR_NOTE = re.compile(r"#[^\t]*\tAnnotatorNotes (T\S+)\tscore=\S+ corpora=")
_KINDS = frozenset("REAMN*#")
_EXPECTED = "a BRAT line, such as 'T1<TAB>Type START END<TAB>text'"
_BREAK = re.compile(r"(?<=\S)\s*[\t\n\r]\s*(?=\S)")
"""What no part of a mention may hold within."""
_LONGEST = 200
_WIDEST = 99
"""Characters between parts of a mention that may be white space alone."""


class _Entity(NamedTuple):
    """A ``T`` line: its number, key (``T1``), label, parts (start, end) and text."""

    line: int
    key: str
    label: str
    parts: List[Tuple[int, int]]
    text: str


def read_brat(path: Path, problems: Problems, labels: Labels = None) -> Iterator[Document]:
    """Yield a document for each pair in the folder ``path`` (or for one ``NAME.ann``); its id is the name in
    the folder, percent-decoded.

    Coded errors name file and line: MTL030 for a discontinuous mention (left out alone when errors are skipped),
    MTL034 for a malformed line, MTL036 for a file without its counterpart, MTL041 for a text with ``NAME.a1`` or
    ``NAME.a2``, and those of :func:`~spacy_mtl_bioner.corpora.standoff.gather`.
    """
    return gather(path, problems, _parsers(path), "pairs of NAME.txt and NAME.ann", labels)


def _parsers(path: Path) -> Iterator[Parser]:
    if not path.exists():
        raise MTLError(E001(path=path, reason="no such file or folder"))
    folder = path if path.is_dir() else path.parent
    files = files_below(folder) if path.is_dir() else (path, *path.parent.iterdir())
    named: Dict[Path, Dict[str, Path]] = {}
    for file in sorted(files):
        if path.is_dir() or file.stem == path.stem:
            other = named.setdefault(file.with_suffix(""), {}).setdefault(file.suffix.lower(), file)
            if other != file:
                yield failure(E034(where=file, found=f"{other.name} beside it", expected="one of them, in either case"))
    for stem, found in sorted(named.items()):
        if not _is_text(stem.name):
            yield failure(E034(where=ascii(str(stem)), found="a name that is not UTF-8", expected="one in UTF-8"))
            continue
        text, notes = found.get(TEXT), found.get(NOTES)
        divided = next((found[suffix] for suffix in DIVIDED if suffix in found), None)
        if text and divided:
            yield failure(E041(path=divided))
        elif text and notes:
            yield partial(_parse, unquote(stem.relative_to(folder).as_posix()), text, notes)
        elif text or notes:
            yield failure(E036(path=text or notes, other=stem.name + (NOTES if text else TEXT)))


def _is_text(name: str) -> bool:
    """Whether a file's name is one in UTF-8."""
    return not any("\ud800" <= char <= "\udfff" for char in name)


def _parse(name: str, text_path: Path, path: Path) -> Draft:
    draft = Draft(path, Document(name, ""))
    entities: Dict[str, _Entity] = {}
    identifiers: Dict[str, List[str]] = {}
    noted: List[str] = []
    for number, raw in numbered_lines(path):
        row = decoded(raw, path, number)
        reference, note = _REFERENCE.match(row), _OUR_NOTE.match(row)
        where = place(path, number, name)
        if row.startswith("T"):
            entity = _entity(where, number, row)
            if entities.setdefault(entity.key, entity) is not entity:
                raise MTLError(E034(where=where, found=f"{entity.key} again", expected="each key once"))
        elif reference:
            identifiers.setdefault(reference[1], []).append(reference[2])
        elif note:
            noted.append(note[1])
        elif row[:1] in _KINDS:
            draft.counts[f"annotation {row[0]}"] += 1
        elif row.strip():
            raise MTLError(E034(where=where, found=repr(row[:80]), expected=_EXPECTED))
    draft.counts["annotation N"] += sum(len(found) for key, found in identifiers.items() if key not in entities)
    draft.counts["annotation #"] += sum(key not in entities for key in noted)
    with open_bytes(text_path) as stream:
        _place(draft, decoded(stream.read(), text_path), list(entities.values()), identifiers)
    return draft


def _entity(where: str, number: int, row: str) -> _Entity:
    """The entity that a ``T`` line tells. Raises MTL034."""
    columns = row.split("\t", 2)
    span = _SPAN.fullmatch(columns[1]) if len(columns) == 3 else None
    if span is None:
        raise MTLError(E034(where=where, found=repr(row[:80]), expected=_EXPECTED))
    bounds = [tuple(map(int, part.split())) for part in span[2].split(";")]
    return _Entity(number, columns[0], span[1], [(start, end) for start, end in bounds], columns[2])


def _place(draft: Draft, raw: str, entities: List[_Entity], identifiers: Dict[str, List[str]]) -> None:
    """Give the draft the text as the offsets count it, and the mentions: a byte order mark (which BRAT counts as a
    character, others as none or as three bytes) and a line end of two characters (CRLF) count or do not, as the most
    mentions have it.

    Parts of a mention with at most white space between them are one (the editor splits at line ends).
    """
    mentions, gaps = [], []
    for entity in entities:
        identifier = "|".join(identifiers.get(entity.key, ()))
        mentions.append(Mention(entity.parts[0][0], entity.parts[-1][1], entity.label, _spaced(entity), identifier))
        gaps += [Mention(end, start, "gap") for (_, end), (start, _) in zip(entity.parts, entity.parts[1:])]
    text = raw.removeprefix(MARK)
    ways = [
        [Block(mark, 0, way)]
        for way in dict.fromkeys((text, text.replace("\r\n", "\n")))
        for mark in ((0, 1, 3) if raw.startswith(MARK) else (0,))
    ]
    draft.blocks = max(ways, key=lambda blocks: settle(blocks[0].text, mentions, blocks).agreeing)
    draft.document.text = text = draft.blocks[0].text
    found = settle(text, [*mentions, *gaps], draft.blocks).mentions[len(mentions) :]
    white = iter([0 <= gap.start <= gap.end and not text[gap.start : gap.end].strip() for gap in found])
    for entity, mention in zip(entities, mentions):
        if all(list(islice(white, len(entity.parts) - 1))):
            draft.found.append((entity.line, mention))
        else:
            where = place(draft.path, entity.line, draft.document.id)
            said = shown(replace(mention, text=entity.text))
            draft.unfit.append(E030(where=where, mention=said, parts=len(entity.parts)))


def _spaced(entity: _Entity) -> str:
    """A mention's text, which has a space between parts, with one for each character there, as for CRLF."""
    said, text = "", entity.text
    before, at = entity.parts[0][0], 0
    for start, end in entity.parts:
        said += " " * min(start - before, _WIDEST) + text[at : at + end - start]
        before, at = end, at + end - start + 1
    return said if len(text) == at - 1 else text


def write_brat(folder: Path, documents: Iterable[Document]) -> None:
    """Write ``NAME.txt`` and ``NAME.ann`` for each document, NAME its id with unsafe characters percent-encoded; of
    documents whose ids are the same, or differ in case alone, the second is ``NAME~2``.

    White space in labels becomes ``_``. A mention that crosses tabs or line ends is written in parts, as the editor
    does, with a space between them in its text.
    """
    folder.mkdir(parents=True, exist_ok=True)
    names = FileNames()
    for document in documents:
        name = names.take(file_name(document.id))
        for suffix, content in ((".txt", document.text), (".ann", "".join(rows_of(document)))):
            (folder / (name + suffix)).write_bytes(content.encode("utf-8"))


class FileNames:
    """Names of files that no two documents share, on file systems that do not tell cases apart either."""

    def __init__(self) -> None:
        self._taken: Counts[str] = Counter()

    def take(self, name: str) -> str:
        """Return ``name``, or ``name~2`` ... where it was taken before."""
        self._taken[name.casefold()] += 1
        again = self._taken[name.casefold()]
        return name if again == 1 else f"{name}~{again}"


def file_name(identifier: str) -> str:
    """A document's id as a file's name without suffix, unsafe characters percent-encoded.

    ``~`` is kept for what is not of the id: what is too long for a file system is cut, ``~`` and a digest behind it.
    """
    name = quote(identifier, safe=" +,=@()[]{}").replace("~", "%7E") or "_"
    name = "%2E" + name[1:] if name.startswith(".") else name
    return name if len(name) <= _LONGEST else f"{name[:180]}~{sha256(identifier.encode()).hexdigest()[:16]}"


def rows_of(document: Document) -> Iterator[str]:
    """The lines of a document's annotation; mentions are ``T1``, ``T2`` ... in their order."""
    for number, mention in enumerate(document.mentions, 1):
        label = "_".join(mention.label.split()) or "_"
        parts = _parts(document.text, mention)
        text = " ".join(document.text[start:end] for start, end in parts).translate(FLAT)
        yield f"T{number}\t{label} {';'.join(f'{start} {end}' for start, end in parts)}\t{text}\n"
        if mention.identifier:
            yield f"N{number}\tReference T{number} {mention.identifier.translate(FLAT)}\t{text}\n"


def _parts(text: str, mention: Mention) -> List[Tuple[int, int]]:
    """A mention's stretches between tabs and line ends, which BRAT takes for the ends of columns and lines."""
    breaks = [at for found in _BREAK.finditer(text[mention.start : mention.end]) for at in found.span()]
    bounds = [mention.start, *(mention.start + at for at in breaks), mention.end]
    return list(zip(bounds[::2], bounds[1::2]))
