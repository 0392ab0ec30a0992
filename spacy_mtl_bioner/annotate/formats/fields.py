"""Records with named fields: a line of JSONL, a row of a table, a row of Parquet, to a document and back."""

import json
import math
from collections import Counter
from typing import Any, Dict, Iterable, Iterator, List, Optional, Tuple, Union

from ...corpora.jsonl import ENTITIES
from ...errors import E362
from ...types import Document, Passage
from ..records import Annotated, Entity, Failure
from .base import Columns

FAILURE = "failure"
"""Field of a record that stands for a document which could not be read: a coded message."""


def from_json(text: Union[str, bytes]) -> Any:
    """JSON values, with null for NaN and infinities: JSON lacks them, and Python writes them all the same."""
    return json.loads(text, parse_constant=lambda name: None, parse_float=_finite)


def _finite(text: str) -> Optional[float]:
    value = float(text)
    return value if math.isfinite(value) else None


def repeated(names: Iterable[str]) -> Optional[str]:
    """A name that stands twice, of which a record would keep one value alone; columns without a name may."""
    counts = Counter(filter(None, names))
    return next((name for name, count in counts.items() if count > 1), None)


def name_of(given: Any, where: str) -> str:
    """An id as text, ``where`` for what is none. Where others are null, pandas makes a whole number a float."""
    if given is None or given == "" or isinstance(given, bool):
        return where
    if isinstance(given, float) and not given.is_integer():
        return str(given) if math.isfinite(given) else where
    return str(int(given) if isinstance(given, float) else given)


def document_of(fields: Dict[str, Any], where: str, columns: Columns) -> Union[Document, Failure]:
    """The document of a record, or a failure (MTL362); ``where`` is its id if it has none. ``fields`` is used up.

    Of several texts those that hold something are joined by a space, each a passage with its field's name.
    """
    sections = columns.texts(fields)
    name, texts = name_of(fields.pop(columns.id, None), where), [fields.pop(section, None) for section in sections]
    given = [text for text in texts if text is not None]
    if not given and isinstance(fields.get(FAILURE), str):
        return Failure(name, fields[FAILURE])
    if not given or not all(isinstance(text, str) for text in given):
        said = texts if len(texts) > 1 else texts[0]
        found = f"{said!r:.40} as {columns.text!r}, beside the fields {sorted(fields)}"
        return Failure(name, E362(where=where, found=found, expected="a string"))
    text = " ".join(filter(None, given))
    try:
        rows = [(p["start"], p["end"], p.get("section")) for p in fields.get("passages") or ()]
        passages = passages_of(rows if len(sections) == 1 else _bounds(sections, texts), len(text))
    except (TypeError, KeyError, ValueError, AttributeError, OverflowError) as error:
        return Failure(name, bad_passages(where, error))
    meta = fields.pop("meta") if isinstance(fields.get("meta"), dict) else {}
    extra = {key: value for key, value in fields.items() if not _is_ours(key, value)}
    return Document(name, text, passages=passages, meta={**meta, **extra})


def _bounds(sections: Iterable[str], texts: Iterable[Optional[str]]) -> Iterator[Tuple[int, int, str]]:
    """Start, end and section of each text that holds something, with a space between them."""
    start = 0
    for section, text in zip(sections, texts):
        if text:
            yield start, start + len(text), section
            start += len(text) + 1


def _is_ours(key: str, value: Any) -> bool:
    """Whether a field is read, or says what tagging replaces; all others go to ``meta``, such as a column ``label`` of
    texts."""
    if key in ENTITIES:
        return value is None or isinstance(value, list) and all(isinstance(item, (dict, list)) for item in value)
    if key == "problems":
        return value is None or isinstance(value, dict) and all(isinstance(count, int) for count in value.values())
    return key == "passages" or key == "meta" and value is None


def passages_of(rows: Iterable[Tuple[Any, Any, Any]], length: int) -> List[Passage]:
    """Passages of start, end and section. Raises ValueError, TypeError or OverflowError where they are not within the
    text, one after the other."""
    made: List[Passage] = []
    before = 0
    for start, end, section in rows:
        passage = Passage(int(start), int(end), str(section or ""))
        if not before <= passage.start <= passage.end <= length:
            raise ValueError(f"{start} to {end}, after {before}, in {length} characters")
        made.append(passage)
        before = passage.end
    return made


def bad_passages(where: str, error: Exception) -> str:
    """The message (MTL362) for what ``passages_of`` raised."""
    found = f"malformed passages ({type(error).__name__}: {error})"
    return E362(where=where, found=found, expected="start, end, section, one after the other, within the text")


def fields_of(document: Annotated) -> Dict[str, Any]:
    """A document as JSON values; passages, meta and problems only where there are any."""
    made: Dict[str, Any] = {"id": document.id, "text": document.text}
    made["entities"] = [entity_fields(entity) for entity in document.entities]
    if document.passages:
        made["passages"] = [vars(passage) for passage in document.passages]
    if document.meta:
        made["meta"] = document.meta
    if document.problems:
        made["problems"] = document.problems
    return made


def entity_fields(entity: Entity) -> Dict[str, Any]:
    """An entity as JSON values; ``unified`` only where there is a label map."""
    start, end, text, label, unified, score, sources = entity
    made: Dict[str, Any] = {"start": start, "end": end, "text": text, "label": label}
    if unified is not None:
        made["unified"] = unified
    made["score"] = score
    made["sources"] = _sources(sources)
    return made


def _sources(sources: Any) -> List[Dict[str, Any]]:
    return [{"corpus": corpus, "label": label, "score": score} for corpus, label, score in sources]
