"""Shapes, aliases and plain records that pass between the rooms of the package."""

from dataclasses import dataclass, field
from typing import Dict, List, Literal, Mapping, Optional, Tuple, get_args

Kind = Literal["spans", "tags"]
"""``spans``: gold in ``doc.ents``; ``tags``: gold in a token attribute, never written to ``doc.ents``."""
KINDS: Tuple[Kind, ...] = get_args(Kind)

DEFAULT_CORPUS = "default"
"""The corpus of examples that name none, as spaCy's own ``Corpus`` reader gives them."""

TokenSpan = Tuple[int, int, str]
"""First token, one past the last token, label."""


@dataclass(frozen=True)
class Mention:
    """An annotated stretch of a document's text; ``start`` and ``end`` are character offsets of that text. ``where``:
    the file it was read from and its line, for messages alone."""

    start: int
    end: int
    label: str
    text: str = ""
    identifier: str = ""
    where: str = field(default="", compare=False, repr=False)


@dataclass(frozen=True)
class Passage:
    """A part of a document (title, abstract, a section) as character offsets of the document's text."""

    start: int
    end: int
    section: str = ""


@dataclass
class Document:
    """A text with stand-off annotation, as PubTator, BRAT, BioC and JSONL have it.

    ``line`` is where it starts in its file (0 where a format has no lines).
    """

    id: str
    text: str
    mentions: List[Mention] = field(default_factory=list)
    passages: List[Passage] = field(default_factory=list)
    meta: Dict[str, str] = field(default_factory=dict)
    line: int = 0


@dataclass
class Sentence:
    """A sentence of a token-per-line corpus: ``tags[i]`` is the tag of ``words[i]``, as the file has it.

    ``spaces[i]`` says whether a space follows ``words[i]``; ``None`` where the source does not tell.
    ``document`` is the document's id where the source marks documents; ``line`` is the first line in the file.
    """

    words: List[str]
    tags: List[str]
    line: int = 0
    document: Optional[str] = None
    spaces: Optional[List[bool]] = None


@dataclass(frozen=True)
class CorpusSpec:
    """What a head needs to know of its corpus: the kind of gold and its labels, in a fixed order."""

    kind: Kind
    labels: Tuple[str, ...]


Corpora = Mapping[str, CorpusSpec]
"""The corpora of a model, in the order of its heads."""
