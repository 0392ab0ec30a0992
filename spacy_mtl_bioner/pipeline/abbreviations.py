"""The component ``mtl_abbreviations``: a short form is what its long form is, in the whole document.

Where a document says ``adenomatous polyposis coli (APC)`` and a corpus finds an entity in the long form, every ``APC``
of the document becomes an entity of that corpus, with the label and the score of the long form's. One that overlaps
other entities of the corpus stays as it is; one that is an entity already gets the label.
"""

from bisect import bisect_right
from typing import Dict, List, Optional, Tuple

from spacy.language import Language
from spacy.tokens import Doc

from .groups import Groups, Taken
from .merging import Candidate, MergePolicy
from .occurrences import Form, Occurrences
from .revision import ASSIGNS, Reviser, by_start, merge_of
from .selection import check_limits
from .short_forms import Definition, Finder, match


class AbbreviationResolver(Reviser):
    """Gives short forms the entities of their long forms; see ``make_abbreviations`` for the settings."""

    def __init__(
        self, name: str = "mtl_abbreviations", *, merge: MergePolicy, finder: Finder, minimum_score: float = 0.7
    ) -> None:
        check_limits({"minimum_score": minimum_score}, name)
        super().__init__(name, merge)
        self.finder = finder
        self.minimum_score = minimum_score

    def revise(self, doc: Doc, found: Groups) -> Groups:
        """Return the entities with those of short forms added or renamed."""
        definitions = sorted(self.finder(doc)) if "(" in doc.text else []
        if not definitions:
            return found
        occurrences = Occurrences(doc)
        return {corpus: self._resolved(doc, occurrences, definitions, of) for corpus, of in found.items()}

    def _resolved(
        self, doc: Doc, occurrences: Occurrences, definitions: List[Definition], entities: List[Candidate]
    ) -> List[Candidate]:
        by_end = {entity.end: entity for entity in entities if (entity.score or 0.0) >= self.minimum_score}
        sources: Dict[Form, List[Tuple[int, Optional[Candidate]]]] = {}
        for definition in definitions:
            form, source = occurrences.form(*definition.short), _entity_of(doc, definition, by_end)
            sources.setdefault(form, []).append((definition.short[0], source))
        resolved = {entity[:2]: entity for entity in entities}
        taken = Taken(len(doc), entities)
        for form, meanings in sources.items():
            for start, end in occurrences.of(form):
                source = _meaning(meanings, start)
                known = resolved.get((start, end))
                if source is None or (known is None and not taken.is_free(start, end)):
                    continue
                if known is None or known.label != source.label:
                    resolved[start, end] = source._replace(start=start, end=end)
                    taken.take(start, end)
        return by_start(list(resolved.values()))


def _entity_of(doc: Doc, definition: Definition, by_end: Dict[int, Candidate]) -> Optional[Candidate]:
    """The entity that is the long form: its tokens, or others with the same end that the short form fits as well, for
    a finder may take too many words. So ``colorectal cancer`` is not ``deleted in colorectal cancer (DCC)``."""
    entity = by_end.get(definition.long[1])
    if entity is None or entity[:2] == definition.long:
        return entity
    short, start = definition.short
    return entity if match(doc[short:start].text, doc[entity.start : entity.end].text) == 0 else None


def _meaning(meanings: List[Tuple[int, Optional[Candidate]]], start: int) -> Optional[Candidate]:
    """What a short form at token ``start`` stands for: what the last definition up to there says, else the first."""
    return meanings[max(0, bisect_right([place for place, _ in meanings], start) - 1)][1]


@Language.factory(
    "mtl_abbreviations",
    assigns=ASSIGNS,
    requires=["doc.spans"],
    default_config={
        "finder": {"@misc": "spacy_mtl_bioner.SchwartzHearst.v1"},
        "minimum_score": 0.7,
        "merge": None,
    },
)
def make_abbreviations(
    nlp: Language, name: str, finder: Finder, minimum_score: float, merge: Optional[MergePolicy]
) -> AbbreviationResolver:
    """Return the factory's component.

    finder (Finder): Finds where a document defines abbreviations: SchwartzHearst or ScispacyAbbreviations.
    minimum_score (float): What the entity of a long form must score; one without a score counts as 0. From 0 to 1.
    merge (Optional[MergePolicy]): null for that of ``mtl_ner``.
    """
    return AbbreviationResolver(name, merge=merge_of(nlp, name, merge), finder=finder, minimum_score=minimum_score)
