"""What every stand-off reader does with the documents that it parsed: settle offsets, check, warn, leave out.

The smallest unit that keeps the rest right is left out under ``on_error="skip"``: a *document* where anything in it
is malformed (a text with a missing mention would teach that the mention is none), a *mention* where it is sound
but no flat span can express it: a discontinuous one, or the shorter of two that overlap. Where only some labels are
asked for, mentions of others are in nobody's way: they are handed on as they are, for the caller to leave out.
"""

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Callable, Collection, Counter as Counts, Dict, Iterable, Iterator, List, Optional, Tuple, TypeVar

from ..errors import E003, E026, E027, E028, E029, E039, E040, MTLError
from ..types import Document, Mention
from .offsets import CODE_POINTS, Block, agrees, contradicts, settle
from .problems import Problems
from .sources import files_of

T = TypeVar("T")
Labels = Optional[Collection[str]]
"""The labels that are asked for; ``None``: all."""
_Seen = Tuple[Path, int, Dict[str, int]]
_SHOWN = 80
"""Characters of a text that messages show."""


@dataclass
class Draft:
    """A parsed document before any check.

    ``path``: its file, which messages name. ``found``: line (0 where unknown) and mention, offsets as the file counts
    them. ``blocks``: where the parts of the text start by that count, the whole text at 0 if empty. ``unfit``: messages
    of mentions that no span expresses. ``counts``: how often what the file holds besides mentions (relations, events)
    was passed over, by kind.
    """

    path: Path
    document: Document
    found: List[Tuple[int, Mention]] = field(default_factory=list)
    blocks: List[Block] = field(default_factory=list)
    unfit: List[str] = field(default_factory=list)
    counts: Counts[str] = field(default_factory=Counter)


Parser = Callable[[], Draft]
"""Makes one document's draft; raises MTLError where it is malformed."""


def place(path: Path, line: int, document: str) -> str:
    """How messages name a place: file and line, or file and document in formats without lines."""
    return f"{path}:{line}" if line else f"{path} (document {document!r})"


def failure(message: str) -> Parser:
    """A parser for what could not be read at all: it raises ``message``."""

    def fail() -> Draft:
        raise MTLError(message)

    return fail


def parsers_of(
    path: Path, suffixes: Tuple[str, ...], read: Callable[[Path], Iterable[Parser]], expected: str
) -> Iterator[Parser]:
    """The parsers that ``read`` gives of a file or, where ``path`` is a folder, of each of its files that have one of
    ``suffixes``; for one without any, a parser that fails with MTL003. Raises as ``files_of``."""
    if not path.is_dir():
        yield from read(path)
        return
    for file in files_of(path, suffixes):
        empty = True
        for parser in read(file):
            empty = False
            yield parser
        if empty:
            yield failure(E003(path=file, expected=expected))


def gather(
    path: Path,
    problems: Problems,
    parsers: Iterable[Parser],
    expected: str,
    labels: Labels = None,
) -> Iterator[Document]:
    """Yield the sound documents of ``parsers``, mentions sorted, offsets in code points; those of ``labels`` (``None``:
    all) are apart from each other.

    Errors go to ``problems`` (MTL003, MTL026 to MTL029, MTL039, and what parsing raises); warnings are counted there
    under ``identical document``, ``identical mention``, ``mention text`` and ``offset unit``. What ``parsers`` itself
    raises (a file that cannot be opened or unpacked, XML with entities) ends the work in any case, and so does MTL040
    behind the last document, where most mentions of all contradict their offsets.
    """
    seen: Dict[str, _Seen] = {}
    empty, told = True, _Told()
    for parser in parsers:
        empty = False
        draft = _attempt(lambda: _settled(parser(), problems), problems)
        if draft is None or not _attempt(lambda: _is_new(draft, seen, problems), problems):
            continue
        told.add(_told(draft))
        for message in draft.unfit:
            problems.error(message)
        problems.warned.update(+draft.counts)
        yield replace(draft.document, mentions=_apart(draft, problems, labels))
    if empty:
        problems.error(E003(path=path, expected=expected))
    if told.mostly_wrong():
        raise MTLError(E040(path=path, **vars(told)))


@dataclass
class _Told:
    """How many mentions say a text, how many of them another than their span has, and of the first of these its place,
    the mention and the span's text."""

    said: int = 0
    wrong: int = 0
    where: str = ""
    mention: str = ""
    span: str = ""

    def add(self, other: "_Told") -> None:
        if not self.wrong:
            self.where, self.mention, self.span = other.where, other.mention, other.span
        self.said, self.wrong = self.said + other.said, self.wrong + other.wrong

    def mostly_wrong(self) -> bool:
        """Whether the offsets are at fault, and not what one mention says."""
        return self.wrong > 1 and 2 * self.wrong > self.said


def _told(draft: Draft) -> _Told:
    text = draft.document.text
    told = _Told(said=sum(bool(mention.text.strip()) for _, mention in draft.found))
    for _, mention in draft.found:
        if contradicts(mention, text):
            told.add(_Told(0, 1, mention.where, shown(mention), said_of(mention, text)))
    return told


def _attempt(make: Callable[[], T], problems: Problems) -> Optional[T]:
    """What ``make`` returns, or ``None`` where it raised a coded error, which goes to ``problems``."""
    try:
        return make()
    except MTLError as error:
        message = str(error)
    problems.error(message)
    return None


def _settled(draft: Draft, problems: Problems) -> Draft:
    """The draft with offsets in code points, all inside the text; raises MTL026, MTL027, and MTL039 where most mentions
    that say a text, two at least, contradict theirs."""
    document = draft.document
    mentions = [mention for _, mention in draft.found]
    said = (part for mention in mentions for part in (mention.label, mention.text, mention.identifier))
    beside = (*chain(*document.meta.items()), *(passage.section for passage in document.passages))
    for value in (document.id, document.text, *beside, *said):
        try:
            value.encode("utf-8")
        except UnicodeEncodeError as error:
            where = place(draft.path, document.line, document.id)
            raise MTLError(E026(where=where, found=ascii(value[error.start]))) from error
    unit, mentions, _ = settle(document.text, mentions, draft.blocks or [Block(0, 0, document.text)])
    for mention, (line, given) in zip(mentions, draft.found):
        if not 0 <= mention.start < mention.end <= len(document.text):
            where = place(draft.path, line, document.id)
            bounds = {"start": given.start, "end": given.end, "length": len(document.text)}
            raise MTLError(E027(where=where, **bounds, unit=unit))
    if unit != CODE_POINTS:
        where = place(draft.path, document.line, document.id)
        problems.warn("offset unit", f"{where}: offsets count {unit}; turned into {CODE_POINTS}.")
    lines = [line for line, _ in draft.found]
    places = (f"{draft.path}:{line}" if line else str(draft.path) for line in lines)
    placed = [replace(mention, where=where) for mention, where in zip(mentions, places)]
    settled = replace(draft, found=list(zip(lines, placed)))
    told = _told(settled)
    if told.mostly_wrong():
        raise MTLError(E039(document=document.id, **vars(told)))
    return settled


def _is_new(draft: Draft, seen: Dict[str, _Seen], problems: Problems) -> bool:
    """Whether the id is new; an identical copy is counted, MTL028 is raised where text or mentions differ."""
    document = draft.document
    content = {
        "text": hash(document.text),
        "mentions": hash(tuple(sorted((m.start, m.end, m.label, m.identifier) for _, m in draft.found))),
    }
    if document.id not in seen:
        seen[document.id] = (draft.path, document.line, content)
        return True
    where, (path, line, before) = place(draft.path, document.line, document.id), seen[document.id]
    other = f"line {line or 'unknown'}" if path == draft.path else f"{path}:{line}" if line else str(path)
    for what in content:
        if content[what] != before[what]:
            raise MTLError(E028(where=where, document=document.id, other=other, what=what))
    problems.warn("identical document", f"{where}: document {document.id!r} again, the same as before; kept once.")
    return False


def _apart(draft: Draft, problems: Problems, labels: Labels) -> List[Mention]:
    """The mentions in order. Of two of ``labels`` that overlap (MTL029) the longer stays, of two that are the same the
    first, with the identifiers of both."""
    document = draft.document
    kept: List[Mention] = []
    others = [mention for _, mention in draft.found if labels is not None and mention.label not in labels]
    found = [(line, mention) for line, mention in draft.found if labels is None or mention.label in labels]
    for line, mention in sorted(found, key=lambda item: (item[1].start - item[1].end, item[1].start)):
        where = place(draft.path, line, document.id)
        at = bisect_left(kept, mention.start, key=lambda other: other.start)
        near = next((i for i in (at - 1, at) if 0 <= i < len(kept) and _overlap(kept[i], mention)), None)
        if near is None:
            kept.insert(at, _named(where, mention, document.text, problems))
        elif (kept[near].start, kept[near].end, kept[near].label) == (mention.start, mention.end, mention.label):
            problems.warn("identical mention", f"{where}: mention {shown(mention, document.text)} again; kept once.")
            kept[near] = replace(kept[near], identifier=_joined(kept[near].identifier, mention.identifier))
        else:
            other = shown(kept[near])
            problems.error(E029(where=where, mention=shown(mention, document.text), other=other))
    return sorted([*kept, *others], key=lambda mention: (mention.start, -mention.end)) if others else kept


def _overlap(one: Mention, other: Mention) -> bool:
    return one.start < other.end and other.start < one.end


def _joined(identifier: str, other: str) -> str:
    """The identifiers of both, parted as BRAT parts them."""
    return "|".join(dict.fromkeys(part for one in (identifier, other) for part in one.split("|") if part))


def _named(where: str, mention: Mention, text: str, problems: Problems) -> Mention:
    """The mention with a text; one that differs from its span is counted, for the offsets are trusted."""
    if not agrees(mention, text):
        span = said_of(mention, text)
        problems.warn("mention text", f"{where}: mention {shown(mention)} differs from its span's text {span!r}.")
    return mention if mention.text else replace(mention, text=text[mention.start : mention.end])


def shown(mention: Mention, text: str = "") -> str:
    """How messages name a mention, by what its span has in ``text`` where it says none."""
    return f"{mention.start}-{mention.end} {mention.label} {shortened(mention.text) or said_of(mention, text)!r}"


def said_of(mention: Mention, text: str) -> str:
    """What its span has in ``text``, cut where it is long."""
    return shortened(text[mention.start : min(mention.end, mention.start + _SHOWN + 1)])


def shortened(text: str) -> str:
    """A text for a message."""
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "..."
