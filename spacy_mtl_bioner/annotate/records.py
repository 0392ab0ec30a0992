"""What annotating gives: entities with provenance, annotated documents, and documents that failed."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

from ..corpora.problems import code_of
from ..types import Document, Mention, Passage

if TYPE_CHECKING:
    from spacy.tokens import Doc

DIGITS = 4
"""Decimals of a score. What a batch is made of moves the last bits of a float32, never these but by a hair."""

REPEATED = "repeated id"
"""The problem of a document whose id stood before in the input. Formats whose readers need ids to differ have ``~2``,
``~3`` ... behind it."""

Source = Tuple[str, str, Optional[float]]
"""A corpus that found exactly this span, the label it gave, and its score."""


class Entity(NamedTuple):
    """An entity; ``start`` and ``end`` are characters (Python's code points) of the document's text.

    label: the corpus' own; unified: that of the label map, None without one; score: None where none was computed.
    """

    start: int
    end: int
    text: str
    label: str
    unified: Optional[str] = None
    score: Optional[float] = None
    sources: Tuple[Source, ...] = ()

    @property
    def shown(self) -> str:
        """The label for formats that have room for one: the unified one where there is one."""
        return self.unified or self.label

    @property
    def said_by(self) -> str:
        """The corpora that found it, with the label of those that call it otherwise: ``BC5CDR,BC2GM:GENE``."""
        found = (corpus if label == self.label else f"{corpus}:{label}" for corpus, label, _ in self.sources)
        return ",".join(dict.fromkeys(found))


@dataclass
class Annotated:
    """A document with what was found in it.

    meta: whatever the input said besides, JSON values. problems: what was odd, and how often: ``{"surrogate": 2}``.
    tokens: how many words and signs the pipeline saw. doc: the spaCy Doc, for formats that need it; None unless asked
    for.
    """

    id: str
    text: str
    entities: List[Entity] = field(default_factory=list)
    passages: Sequence[Passage] = ()
    meta: Dict[str, Any] = field(default_factory=dict)
    problems: Dict[str, int] = field(default_factory=dict)
    tokens: int = 0
    doc: "Optional[Doc]" = None

    def to_document(self) -> Document:
        """The document with its entities as mentions, their labels as ``Entity.shown``."""
        mentions = [Mention(entity.start, entity.end, entity.shown, entity.text) for entity in self.entities]
        meta = {key: value if isinstance(value, str) else str(value) for key, value in self.meta.items()}
        return Document(self.id, self.text, mentions, list(self.passages), meta)


class Failure(NamedTuple):
    """A document that could not be read or tagged, and why: ``message`` starts with the code."""

    id: str
    message: str

    @property
    def code(self) -> str:
        """The message's code, ``MTL355``."""
        return code_of(self.message)
