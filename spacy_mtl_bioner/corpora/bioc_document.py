"""From a document of the library ``bioc`` to a draft.

The text is the passages (or their sentences) laid out as their offsets say. Annotations of passages, sentences and
documents are read alike: label from infon ``type``, identifier from the first of ``IDENTIFIERS`` at hand; the section
of a passage is the first of ``SECTIONS``. Counted and passed over: ``relation`` and ``annotation without location``.
``passage offset`` counts parts that do not stand where their offset says, as it leaves no gap or a large one; where
parts overlap by their offsets (a count that starts anew with each passage), an annotation is of the one that holds it.
"""

from bisect import bisect_right
from itertools import accumulate, chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple

from ..errors import E030, E034, MTLError
from ..types import Document, Mention, Passage
from .offsets import Block
from .standoff import Draft, place, shown

if TYPE_CHECKING:
    from bioc import BioCAnnotation, BioCDocument, BioCPassage

SECTIONS = ("section_type", "section", "type")
IDENTIFIERS = ("identifier", "Identifier", "MESH", "OMIM", "NCBI GENE", "NCBI Gene", "NCBI Taxonomy", "ID")
MAX_GAP = 8
"""Characters between two parts of a text; where an offset leaves more or less than that, one space does."""


class _Part(NamedTuple):
    """A part of the text as the file counts it: its offset, its end at most, the furthest end of this and of the parts
    before it, and by how much it was moved."""

    offset: int
    end: int
    furthest: int
    move: int


_Moves = Dict[Optional[int], List[_Part]]
"""By ``id()`` of a passage or sentence: its parts, sorted by their offsets; for None all parts."""


def parse_bioc(
    path: Path, number: int, decode: Callable[[], "BioCDocument"], line: int = 0, lines: Optional[Dict[str, int]] = None
) -> Draft:
    """The draft of what ``decode`` gives, the ``number``-th document of ``path``; ``lines``: annotation id -> line.

    Raises MTL034 for a field that is missing or of another type, which the library does not check in JSON.
    """
    return _checked(path, number, line, lambda: _draft(path, decode(), line, lines or {}))


def parse_text(
    path: Path, number: int, decode: Callable[[], "BioCDocument"], line: int = 0, lines: Optional[Dict[str, int]] = None
) -> Draft:
    """The draft without annotations, whatever is wrong with them; raises as ``parse_bioc``."""
    return _checked(path, number, line, lambda: _text(path, decode(), line)[0])


def _checked(path: Path, number: int, line: int, make: Callable[[], Draft]) -> Draft:
    try:
        return make()
    except MTLError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, SyntaxError) as error:
        found = f"a field that is missing or malformed ({type(error).__name__}: {error})"
        raise MTLError(E034(where=place(path, line, f"#{number}"), found=found, expected="a BioC document")) from error


def _text(path: Path, source: "BioCDocument", line: int) -> Tuple[Draft, _Moves]:
    if not source.id:
        raise MTLError(E034(where=place(path, line, ""), found="a document without id", expected="an id"))
    meta = {str(key): "" if value is None else str(value) for key, value in source.infons.items()}
    draft = Draft(path, Document(str(source.id), "", meta=meta, line=line))
    return draft, _lay_out(draft, source.passages)


def _draft(path: Path, source: "BioCDocument", line: int, lines: Dict[str, int]) -> Draft:
    draft, moves = _text(path, source, line)
    holders = list(chain([source], source.passages, *(passage.sentences for passage in source.passages)))
    for holder in holders:
        for annotation in holder.annotations:
            _add(draft, annotation, lines.get(annotation.id, line), moves.get(id(holder), []), moves.get(None, []))
    draft.counts["relation"] += sum(len(holder.relations) for holder in holders)
    return draft


def _lay_out(draft: Draft, passages: Sequence["BioCPassage"]) -> _Moves:
    """Fill text, passages and blocks of ``draft``, each part where its offset says as far as that is possible. A block
    that would overlap the one before it, by the file's count, begins behind it."""
    document, text = draft.document, ""
    where = place(draft.path, document.line, document.id)
    moves: _Moves = {}
    end = beyond = 0  # of the blocks so far, by the file's count: at least, and in whatever unit
    for passage in sorted(passages, key=lambda part: _whole(where, part.offset)):
        first = len(draft.blocks)
        for part in [passage] if passage.text else passage.sentences:
            if not isinstance(part.text, str):
                raise MTLError(E034(where=where, found=f"the text {part.text!r}", expected="a string"))
            offset = _whole(where, part.offset)
            gap = offset - len(text)
            if not 0 <= gap <= MAX_GAP:
                draft.counts["passage offset"] += 1
                gap = 1 if text else 0
            text += " " * gap
            begin = offset if offset >= end else max(beyond, offset)
            end, beyond = begin + len(part.text), begin + len(part.text.encode("utf-8", "replace"))
            for holder in {id(part), id(passage), None}:
                moves.setdefault(holder, []).append(_Part(offset, offset + beyond - begin, 0, begin - offset))
            draft.blocks.append(Block(begin, len(text), part.text))
            text += part.text
        if len(draft.blocks) > first:
            section = next((str(passage.infons[key]) for key in SECTIONS if passage.infons.get(key)), "")
            document.passages.append(Passage(draft.blocks[first].start, len(text), section))
    document.text = text
    draft.blocks.sort(key=lambda block: block.offset)
    return {holder: _sorted(parts) for holder, parts in moves.items()}


def _sorted(parts: List[_Part]) -> List[_Part]:
    parts.sort(key=lambda part: part.offset)
    furthest = accumulate((part.end for part in parts), max)
    return [part._replace(furthest=end) for part, end in zip(parts, furthest)]


def _move(start: int, own: Sequence[_Part], parts: Sequence[_Part]) -> int:
    """By how much the last of its holder's ``own`` parts that holds ``start`` was moved, else the last of all ``parts``
    that begin before it."""
    at = bisect_right(own, start, key=lambda part: part.offset)
    while at and own[at - 1].furthest > start:
        at -= 1
        if own[at].end > start:
            return own[at].move
    at = bisect_right(parts, start, key=lambda part: part.offset)
    return parts[at - 1].move if at else 0


def _whole(where: str, value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise MTLError(E034(where=where, found=f"the offset {value!r}", expected="a whole number"))
    return value


def _add(
    draft: Draft,
    annotation: "BioCAnnotation",
    line: int,
    own: Sequence[_Part],
    parts: Sequence[_Part],
) -> None:
    """Add the mention, which stands in its holder's ``own`` parts, else in any of ``parts``."""
    where = place(draft.path, line, draft.document.id)
    infons = annotation.infons
    label = infons.get("type")
    if not label:
        found = f"annotation {annotation.id!r} without a type"
        raise MTLError(E034(where=where, found=found, expected="an infon 'type'"))
    identifier = next((str(infons[key]) for key in IDENTIFIERS if infons.get(key)), "")
    bounds = [(_whole(where, at.offset), at.offset + _whole(where, at.length)) for at in annotation.locations]
    if not bounds:
        draft.counts["annotation without location"] += 1
        return
    move = _move(bounds[0][0], own, parts)
    mention = Mention(bounds[0][0] + move, bounds[-1][1] + move, str(label), str(annotation.text or ""), identifier)
    if len(bounds) == 1:
        draft.found.append((line, mention))
    else:
        draft.unfit.append(E030(where=where, mention=shown(mention), parts=len(bounds)))
