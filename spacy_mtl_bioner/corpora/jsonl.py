"""JSONL: one object a line, ``{"id": "1", "text": "...", "entities": [{"start": 0, "end": 4, "label": "Gene"}]}``.

Also accepted: the entities under ``spans`` (Prodigy), ``ents`` (``Doc.to_json``), ``label`` or ``labels`` (Doccano);
an entity as ``[start, end, label]`` or with ``start_offset`` and ``end_offset``. An entity's ``text``, if any, is
checked against its span; its identifier is ``identifier`` or ``kb_id``. A missing ``id`` becomes the line number, in a
folder with the file's path there before it. A text without entities says so: ``"entities": []``. Optional ``passages``
are ``{"start", "end", "section"}``; ``meta`` is an object, of which values that are no texts are kept as JSON. Passed
over and counted are ``relations``, as ``relation``, groups of ``Doc.spans`` as ``Doc.to_json`` has them, as ``span
group``, and lines that Prodigy's annotator did not accept (``"answer": "reject"``, ``"ignore"``), as ``not accepted``.
"""

import json
from functools import partial
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, Optional, Tuple

from ..errors import E033, E034, MTLError
from ..types import Document, Mention, Passage
from .problems import Problems
from .sources import decoded, numbered_lines
from .standoff import Draft, Labels, Parser, gather, parsers_of, place

SUFFIXES = (".jsonl", ".ndjson")
_EXPECTED = """a line {"id": ..., "text": ..., "entities": [...]}, whose "answer", if it has one, is "accept\""""
ENTITIES = ("entities", "spans", "ents", "label", "labels")
STARTS = ("start", "start_offset")
ENDS = ("end", "end_offset")
LABELS = ("label", "label_")
IDENTIFIERS = ("identifier", "kb_id")


def read_jsonl(path: Path, problems: Problems, labels: Labels = None) -> Iterator[Document]:
    """Yield the document of each line that is not blank, of a file (``.gz`` too) or of all in a folder.

    Coded errors name file and line: MTL033 for malformed JSON, MTL034 for a field that is missing or of another type,
    and those of :func:`~spacy_mtl_bioner.corpora.standoff.gather`.
    """
    parse = partial(_parsers, problems, path if path.is_dir() else None)
    return gather(path, problems, parsers_of(path, SUFFIXES, parse, _EXPECTED), _EXPECTED, labels)


def _parsers(problems: Problems, folder: Optional[Path], path: Path) -> Iterator[Parser]:
    before = f"{path.relative_to(folder).as_posix()}:" if folder else ""
    for number, line in numbered_lines(path):
        if line.strip() and _is_accepted(path, number, line, problems):
            yield partial(_parse, path, number, line, f"{before}{number}")


def _parse(path: Path, number: int, line: bytes, unnamed: str) -> Draft:
    where = place(path, number, "")
    try:
        record = json.loads(decoded(line, path, number))
    except MTLError:
        raise
    except (ValueError, RecursionError) as error:
        raise MTLError(E033(where=where, format="JSON", reason=error)) from error
    if not isinstance(record, dict):
        raise MTLError(E034(where=where, found=f"JSON of type {type(record).__name__}", expected="an object"))
    name = _field(where, record, ("id",), (str, int), unnamed)
    text = _field(where, record, ("text",), (str,))
    lists = {key: record[key] for key in ENTITIES if isinstance(record.get(key), list)}
    # tools leave lists empty beside the one they fill; strings are classes of the whole text
    filled = {key: some for key, some in lists.items() if some and not isinstance(some[0], str)}
    if len(filled) > 1 or not filled and [] not in lists.values():
        found = f"entities under {' and '.join(filled)}" if filled else f"the keys {sorted(record)}"
        expected = f"a list under one of {', '.join(ENTITIES)} ([] for a text without entities)"
        raise MTLError(E034(where=where, found=found, expected=expected))
    entities = next(iter(filled.values()), [])
    found = _field(where, record, ("meta",), (dict,), {})
    meta = {key: _text(value) for key, value in found.items()}
    spans = _field(where, record, ("passages",), (list,), [])
    passages = [Passage(*_bounds(where, span), _field(where, span, ("section",), (str,), "")) for span in spans]
    draft = Draft(path, Document(str(name), text, passages=passages, meta=meta, line=number))
    draft.counts["relation"] += len(_field(where, record, ("relations",), (list,), []))
    groups = record.get("spans")
    draft.counts["span group"] += sum(map(bool, groups.values())) if isinstance(groups, dict) else 0
    draft.found += [(number, _mention(where, entity)) for entity in entities]
    return draft


def _is_accepted(path: Path, number: int, line: bytes, problems: Problems) -> bool:
    """Whether a line is gold: Prodigy also writes what its annotator rejected or passed over."""
    if b'"answer"' not in line:
        return True
    try:
        answer = json.loads(line)["answer"]
    except (ValueError, RecursionError, LookupError, TypeError):  # reported where the line is parsed
        return True
    if answer not in ("reject", "ignore"):
        return True
    problems.warn("not accepted", f"{path}:{number}: passed over, for its annotator's answer is {answer!r}.")
    return False


def _text(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else json.dumps(value, ensure_ascii=False)


def _mention(where: str, entity: Any) -> Mention:
    if isinstance(entity, list) and len(entity) == 3:
        entity = dict(zip(("start", "end", "label"), entity))
    label = _field(where, entity, LABELS, (str,))
    text = _field(where, entity, ("text",), (str,), "")
    identifier = _field(where, entity, IDENTIFIERS, (str, int), "")
    return Mention(*_bounds(where, entity), label, text, str(identifier))


def _bounds(where: str, span: Any) -> Tuple[int, int]:
    return _field(where, span, STARTS, (int,)), _field(where, span, ENDS, (int,))


def _field(where: str, record: Any, keys: Tuple[str, ...], types: Tuple[type, ...], default: Any = None) -> Any:
    """The value of the first of ``keys`` that ``record`` has, which must be of ``types``; raises MTL034."""
    if not isinstance(record, dict):
        raise MTLError(E034(where=where, found=f"{record!r:.80}", expected="an object"))
    value = next((record[key] for key in keys if record.get(key) is not None), default)
    if type(value) not in types:
        expected = " or ".join(kind.__name__ for kind in types)
        raise MTLError(E034(where=where, found=f"{value!r:.80} as {' or '.join(keys)}", expected=expected))
    return value


def write_jsonl(path: Path, documents: Iterable[Document]) -> None:
    """Write one object a line, in the form that the head of this file shows; JSON escapes tabs and line ends."""
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        for document in documents:
            file.write(json.dumps(_record(document), ensure_ascii=False) + "\n")


def _record(document: Document) -> Dict[str, Any]:
    record: Dict[str, Any] = {"id": document.id, "text": document.text}
    record["entities"] = [_without_blanks(mention) for mention in document.mentions]
    record["passages"] = [_without_blanks(passage) for passage in document.passages]
    record["meta"] = document.meta
    return {key: value for key, value in record.items() if value or key in ("id", "text", "entities")}


def _without_blanks(part: Any) -> Dict[str, Any]:
    """The fields of a mention or passage but for empty strings, and where it was read from."""
    return {key: value for key, value in vars(part).items() if key != "where" and (value != "" or key == "label")}
