"""Reads documents that are annotated already: what ``annotate`` wrote, or anybody's gold."""

from itertools import count
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Optional

from ..corpora.documents import read_docbin
from ..corpora.formats import FORMATS, get_format
from ..corpora.problems import Problems, code_of
from ..corpora.sources import lines_of, open_bytes, suffix_of
from ..errors import E029, E030, E358, E361, E362, MTLError
from .annotator import entities_of
from .formats.base import Columns
from .formats.docbin import beside
from .formats.fields import bad_passages, document_of, from_json, name_of
from .records import Annotated, Entity, Failure

Read = Callable[[Path, Problems], Iterator[Annotated]]


class Flattening(Problems):
    """Counts the mentions that no flat span expresses (MTL029, MTL030), which are left out; any other error is raised.

    Gold often holds some. They are said once, in the summary: who looks at documents, or counts them, mends nothing.
    """

    def error(self, message: str) -> None:
        code = code_of(message)
        if code not in (E029.code, E030.code):
            raise MTLError(message)
        self.skipped[code] += 1


def read_annotated(
    path: Path, format: Optional[str] = None, problems: Optional[Problems] = None
) -> Iterator[Annotated]:
    """Yield the documents of a file or folder with their entities; JSONL and DocBin with scores and corpora as well.

    format: a name of ``ANNOTATED``; None: what the suffix tells, before ``.gz``. problems: is told what is wrong in
    other formats than these two; None: the first error is raised.
    Raises MTL361 for a path that is not there, MTL358 for an unknown format, and as the readers do.
    """
    return ANNOTATED[format_of(path, format)](path, problems or Problems())


def format_of(path: Path, format: Optional[str] = None) -> str:
    """The format called ``format``, else the one that the suffix tells. Raises MTL361 and MTL358."""
    if not path.exists():
        raise MTLError(E361(path=path))
    if format is not None:
        if format not in ANNOTATED:
            raise MTLError(E358(path=path, format=format, expected=", ".join(ANNOTATED), option="--from"))
        return format
    if path.is_dir() and any(path.rglob("*.spacy")):
        return "docbin"
    suffix = "" if path.is_dir() else suffix_of(path) or "(none)"
    found = {".spacy": "docbin", **{end: name for name, entry in FORMATS.items() for end in entry.suffixes}}.get(suffix)
    if found is None:
        raise MTLError(E358(path=path, format=suffix, expected=", ".join(ANNOTATED), option="--from"))
    return found


def _from_corpora(format: str) -> Read:
    """A reader of ``corpora``, whose documents have mentions without scores."""

    def read(path: Path, problems: Problems) -> Iterator[Annotated]:
        for document in get_format(path, format).read(path, problems):
            found = [Entity(m.start, m.end, document.text[m.start : m.end], m.label) for m in document.mentions]
            yield Annotated(document.id, document.text, found, document.passages, dict(document.meta))

    return read


def _read_jsonl(path: Path, problems: Problems) -> Iterator[Annotated]:
    with open_bytes(path) as stream:
        for number, line in lines_of(stream):
            if line.strip():
                yield _from_json(line, f"{path}:{number}")


def _from_json(line: bytes, where: str) -> Annotated:
    try:
        fields = from_json(line)
    except (ValueError, RecursionError) as error:
        raise MTLError(E362(where=where, found=f"malformed JSON ({error})", expected="an object a line")) from error
    if not isinstance(fields, dict):
        raise MTLError(E362(where=where, found=f"JSON of type {type(fields).__name__}", expected="an object a line"))
    problems = fields.get("problems") or {}
    if not isinstance(problems, dict) or not all(isinstance(count, int) for count in problems.values()):
        raise MTLError(E362(where=where, found=f"problems {problems!r}", expected="an object of names and counts"))
    found = _entities(fields, where)
    document = document_of(fields, where, Columns())
    if isinstance(document, Failure):
        raise MTLError(document.message)
    return Annotated(document.id, document.text, found, document.passages, document.meta, problems)


def _entities(fields: Dict[str, Any], where: str) -> List[Entity]:
    """The entities of a record as the writer of JSONL gives them; only start, end and label must be there."""
    found, text = fields.get("entities"), fields.get("text")
    if not isinstance(found, list) or not isinstance(text, str):
        expected = "a text and a list of entities"
        raise MTLError(E362(where=where, found=f"the fields {sorted(fields)}", expected=expected))
    try:
        return [_entity(entity, text) for entity in found]
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        found = f"a malformed entity ({type(error).__name__}: {error})"
        raise MTLError(E362(where=where, found=found, expected="start, end, label")) from error


def _entity(fields: Dict[str, Any], text: str) -> Entity:
    start, end, label = int(fields["start"]), int(fields["end"]), str(fields["label"])
    if not 0 <= start <= end <= len(text):
        raise ValueError(f"{start} to {end} of {len(text)} characters")
    score, unified = fields.get("score"), fields.get("unified")
    unified = None if unified is None else str(unified)
    sources = tuple((str(s["corpus"]), str(s["label"]), _number(s.get("score"))) for s in fields.get("sources") or ())
    return Entity(start, end, text[start:end], label, unified, _number(score), sources)


def _number(value: Any) -> Optional[float]:
    return None if value is None else float(value)


def _read_docbin(path: Path, problems: Problems) -> Iterator[Annotated]:
    from spacy.vocab import Vocab

    files: List[Path] = sorted(path.rglob("*.spacy")) if path.is_dir() else [path]
    numbers = count(1)
    for file in files:
        for doc in read_docbin(file, Vocab()):
            number = next(numbers)
            name = name_of(doc._.document, f"{file.stem}:{number}")
            try:
                said = beside(doc)
            except (TypeError, ValueError, OverflowError) as error:
                raise MTLError(bad_passages(f"{file}, document {name}", error)) from error
            yield Annotated(name, doc.text, entities_of(doc), tokens=len(doc), doc=doc, **said)


ANNOTATED: Dict[str, Read] = {
    "jsonl": _read_jsonl,
    "docbin": _read_docbin,
    **{name: _from_corpora(name) for name in FORMATS if name != "jsonl"},
}
"""The formats by name."""
