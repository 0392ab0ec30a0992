"""Token-per-line files: word first, tag last, an empty line after each sentence.

Columns are parted by tabs where a line has one, else by spaces; what stands between word and tag is not read. Only LF
(or CR LF) ends a line: a no-break space or a line separator may be a word. A line that starts with ``-DOCSTART-`` opens
a document; its id is a name, that of the file or the one that is given, and a running number, ``train-12``.
"""

import re
from pathlib import Path
from typing import Collection, Iterator, List, NamedTuple, Optional, Tuple

from ..errors import E003, E004, E005, E006, E044, MTLError
from ..types import Sentence
from .problems import Problems
from .schemes import SchemeLike, SchemeViolation, UnknownTag, get_scheme, split_tag, tags_to_spans
from .sources import MARK, decoded, numbered_lines

DOCSTART = "-DOCSTART-"
_SPACES = re.compile(" +")


class _Row(NamedTuple):
    line: int
    raw: bytes


def read_conll(
    path: Path,
    scheme: Optional[SchemeLike],
    problems: Problems,
    labels: Optional[Collection[str]] = None,
    name: Optional[str] = None,
) -> Iterator[Sentence]:
    """Yield the sentences of a file, tags as the file has them, documents called by ``name`` (``None``: the file's).

    ``scheme`` is that of the tags; ``None`` for tags that are no spans (parts of speech). ``labels`` are those that may
    occur (for ``scheme=None``, the tags themselves); ``None`` allows all. To ``problems`` go, with file and line: bytes
    that are not UTF-8 (MTL002), a missing column (MTL004), an unknown tag (MTL005), an illegal sequence (MTL006), line
    ends of CR alone (MTL044), each of which costs its sentence, and a file without sentences (MTL003).
    """
    scheme = None if scheme is None else get_scheme(scheme)
    document, count, empty = None, 0, True
    for rows in _blocks(path):
        if rows[0].raw.startswith(DOCSTART.encode()):
            count += 1
            document, rows = f"{name or path.stem}-{count}", rows[1:]
            if not rows:
                continue
        empty = False
        try:
            sentence = _sentence(path, rows)
            _check(path, sentence, scheme, labels)
        except MTLError as error:
            problems.error(str(error))
            continue
        sentence.document = document
        yield sentence
    if empty:
        problems.error(E003(path=path, expected="a token and its tag a line, an empty line after each sentence"))


def _blocks(path: Path) -> Iterator[List[_Row]]:
    """The runs of lines between empty lines; a ``-DOCSTART-`` line starts a new run."""
    rows: List[_Row] = []
    for number, raw in numbered_lines(path):
        blank = not raw.strip(b" \t")
        if rows and (blank or raw.startswith(DOCSTART.encode())):
            yield rows
            rows = []
        if not blank:
            rows.append(_Row(number, raw))
    if rows:
        yield rows


def _sentence(path: Path, rows: List[_Row]) -> Sentence:
    """Split the rows into words and tags. Raises MTL002, MTL004 and MTL044."""
    words, tags = [], []
    for number, raw in rows:
        word, tag = _columns(path, number, decoded(raw, path, number))
        words.append(word)
        tags.append(tag)
    return Sentence(words, tags, line=rows[0].line)


def _columns(path: Path, number: int, text: str) -> Tuple[str, str]:
    tabs, text = "\t" in text, text.removeprefix(MARK)
    columns = text.split("\t") if tabs else _SPACES.split(text.strip(" "))
    word, tag = columns[0], columns[-1]
    if any("\r" in column for column in columns[1:]):  # where it ends lines, they are one
        raise MTLError(E044(path=path, line=number, text=text[:80]))
    if len(columns) < 2 or not word or not tag:
        lack = "" if len(columns) < 2 else "no tag in the last of " if word else "no word in the first of "
        found = {"columns": f"{lack}{len(columns)}", "text": text[:80]}
        separator = "a tab" if tabs else "a tab or spaces"
        raise MTLError(E004(path=path, line=number, **found, expected="a word and a tag", separator=separator))
    return word, tag


def _check(path: Path, sentence: Sentence, scheme: Optional[SchemeLike], labels: Optional[Collection[str]]) -> None:
    """Raise MTL005 for a tag that ``scheme`` or ``labels`` do not know and MTL006 for an illegal sequence."""
    try:
        if scheme is not None:
            tags_to_spans(sentence.tags, scheme)
        for i, tag in enumerate(sentence.tags if labels is not None else ()):
            label = split_tag(tag, scheme)[1] if scheme is not None else tag
            if label and label not in labels:
                raise UnknownTag(i, tag, "the catalogue")
    except UnknownTag as error:
        line, expected = sentence.line + error.index, _expected(scheme, labels)
        raise MTLError(E005(path=path, line=line, tag=error.tag, expected=expected)) from error
    except SchemeViolation as error:
        line, name = sentence.line + min(error.index, len(sentence.tags) - 1), get_scheme(scheme).name
        raise MTLError(E006(path=path, line=line, tag=error.tag, previous=error.previous, scheme=name)) from error


def _expected(scheme: Optional[SchemeLike], labels: Optional[Collection[str]]) -> str:
    known = "a label" if labels is None else f"one of {', '.join(sorted(labels))}"
    if scheme is None:
        return known
    scheme = get_scheme(scheme)
    return f"O, or {', '.join(f'{prefix}-' for prefix in scheme.prefixes)} ({scheme.name}) and {known}"
