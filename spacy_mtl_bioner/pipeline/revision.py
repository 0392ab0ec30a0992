"""Components that revise what ``mtl_ner`` found: what they have in common.

They come after it, read what each corpus found from ``doc.spans``, change it corpus by corpus, and merge anew into
``doc.ents`` and ``Doc._.mtl``. A document in which there is nothing to change stays untouched. What other components
put onto ``doc.ents`` since then stays: their entities, where none of the merged ones overlaps them, and identifiers.
"""

from typing import List, Optional, Sequence, Set, Tuple, Union

from spacy.language import Language
from spacy.pipeline import Pipe
from spacy.tokens import Doc, Span

from .groups import Groups, read_groups, write_groups
from .merging import Candidate, MergeByScore, MergePolicy
from .mtl_ner import MultiTaskRecognizer

ASSIGNS = ["doc.ents", "doc.spans", "token.ent_iob", "token.ent_type"]


class Reviser(Pipe):
    """A component that revises; one of its own implements ``revise``."""

    def __init__(self, name: str, merge: MergePolicy) -> None:
        self.name = name
        self.merge = merge

    def __call__(self, doc: Doc) -> Doc:
        """Revise what the corpora found in a document, in place, and return it."""
        found = read_groups(doc)
        if any(found.values()):
            revised = self.revise(doc, found)
            if revised != found:
                before, ours = doc.ents, _places(doc, found)
                write_groups(doc, revised, self.merge)
                _keep(doc, before, ours)
        return doc

    def revise(self, doc: Doc, found: Groups) -> Groups:
        """Return each corpus' entities anew, sorted by place and none of one corpus upon another; ``found`` stays."""
        raise NotImplementedError


def _places(doc: Doc, found: Groups) -> Set[Tuple[int, int]]:
    """First and last character of what is, or was proposed to be, an entity of the corpora."""
    proposed = {(doc[e.start].idx, doc[e.start : e.end].end_char) for of in found.values() for e in of}
    return proposed | {(start, end) for start, end, *_ in doc._.mtl or ()}


def _keep(doc: Doc, before: Sequence[Span], ours: Set[Tuple[int, int]]) -> None:
    """Let ``doc.ents`` have what others had put there ``before``: entities at places that are not ``ours``, and the
    identifiers of entities that are still there."""
    known = {(span.start, span.end, span.label): span for span in before}
    merged = [known.get((span.start, span.end, span.label), span) for span in doc.ents]
    taken = Taken(len(doc), merged)
    others = [s for s in before if (s.start_char, s.end_char) not in ours and taken.is_free(s.start, s.end)]
    doc.set_ents([*merged, *others])


def merge_of(nlp: Language, merge: Optional[MergePolicy]) -> MergePolicy:
    """Return ``merge``, else the policy that the last ``mtl_ner`` of the pipeline so far has by now, else
    that of the higher score."""
    if merge is not None:
        return merge
    tagger = next((pipe for _, pipe in reversed(nlp.components) if isinstance(pipe, MultiTaskRecognizer)), None)
    return MergeByScore() if tagger is None else tagger.merge


class Taken:
    """Which tokens of a document one corpus has in its entities."""

    def __init__(self, length: int, entities: Sequence[Union[Candidate, Span]]) -> None:
        self.tokens = bytearray(length)
        for entity in entities:
            self.take(entity.start, entity.end)

    def take(self, start: int, end: int) -> None:
        """Take tokens."""
        self.tokens[start:end] = b"\1" * (end - start)

    def is_free(self, start: int, end: int) -> bool:
        """Tell whether none of these tokens is taken."""
        return not any(self.tokens[start:end])


def by_start(entities: Sequence[Candidate]) -> List[Candidate]:
    """Return entities in the order of the text."""
    return sorted(entities, key=lambda entity: entity[:2])
