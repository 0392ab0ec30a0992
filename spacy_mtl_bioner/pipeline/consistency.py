"""The component ``mtl_consistency``: a mention that is sure in one place is proposed in the others of the document.

A tagger sees one sentence at a time and may find ``neurofibromin`` in one and miss it in the next. This component adds
the other occurrences, corpus by corpus, with the label that most of the sure mentions have and the score of the best
of these. An occurrence that overlaps an entity of the corpus stays as it is; where two added ones would overlap, the
longer is.
"""

from typing import Dict, FrozenSet, List, Optional, Sequence

from spacy.language import Language
from spacy.tokens import Doc

from ..errors import E105, E107, MTLError
from .groups import Groups, Taken
from .merging import Candidate, MergePolicy
from .occurrences import Form, Occurrences
from .revision import ASSIGNS, Reviser, by_start, merge_of
from .selection import check_limits

ATTRS = ("ORTH", "LOWER", "NORM", "LEMMA", "SHAPE")
"""What may make an occurrence."""


class DocumentConsistency(Reviser):
    """Proposes sure mentions at their other occurrences; see ``make_consistency`` for the settings."""

    def __init__(
        self,
        name: str = "mtl_consistency",
        *,
        merge: MergePolicy,
        minimum_score: float = 0.8,
        minimum_length: int = 3,
        minimum_share: float = 0.25,
        ignore: Sequence[str] = (),
        attr: str = "ORTH",
    ) -> None:
        if attr not in ATTRS:
            raise MTLError(E105(policy=name, setting="attr", found=attr, expected=f"one of {', '.join(ATTRS)}"))
        check_limits({"minimum_score": minimum_score, "minimum_share": minimum_share}, name)
        super().__init__(name, merge)
        self.minimum_score = minimum_score
        self.minimum_length = minimum_length
        self.minimum_share = minimum_share
        self.ignore: FrozenSet[str] = frozenset(word.lower() for word in ignore)
        self.attr = attr

    def revise(self, doc: Doc, found: Groups) -> Groups:
        """Return the entities with those at other occurrences added. Raises MTLError (MTL107) for a document whose
        tokens have nothing to compare."""
        if any(found.values()) and not doc.has_annotation(self.attr):
            raise MTLError(E107(name=self.name, attr=self.attr, text=doc.text[:40]))
        occurrences = Occurrences(doc, self.attr)
        return {corpus: self._completed(doc, occurrences, entities) for corpus, entities in found.items()}

    def _completed(self, doc: Doc, occurrences: Occurrences, entities: List[Candidate]) -> List[Candidate]:
        sure: Dict[Form, List[Candidate]] = {}
        for entity in entities:
            if self._is_sure(doc, entity):
                sure.setdefault(occurrences.form(entity.start, entity.end), []).append(entity)
        tagged = {entity[:2] for entity in entities}
        taken = Taken(len(doc), entities)
        added: List[Candidate] = []
        for form in sorted(sure, key=len, reverse=True):
            places = occurrences.of(form)
            free = [place for place in places if taken.is_free(*place)]
            known = sum(place in tagged for place in places)
            if not free or known < self.minimum_share * (known + len(free)):
                continue
            best = _most_common(sure[form])
            for start, end in free:
                if taken.is_free(start, end):  # still: occurrences of one form may overlap
                    added.append(best._replace(start=start, end=end))
                    taken.take(start, end)
        return by_start(entities + added) if added else entities

    def _is_sure(self, doc: Doc, entity: Candidate) -> bool:
        if (entity.score or 0.0) < self.minimum_score:
            return False
        span = doc[entity.start : entity.end]
        text = span.text
        return (
            len(text) >= self.minimum_length
            and any(character.isalpha() for character in text)
            and text.lower() not in self.ignore
            and not all(token.is_stop for token in span)
        )


def _most_common(mentions: Sequence[Candidate]) -> Candidate:
    """The best mention of the label that most have; of equal labels that of the best mention, then by name."""
    votes: Dict[str, int] = {}
    for mention in mentions:
        votes[mention.label] = votes.get(mention.label, 0) + 1
    return min(mentions, key=lambda mention: (-votes[mention.label], -(mention.score or 0.0), mention.label))


@Language.factory(
    "mtl_consistency",
    assigns=ASSIGNS,
    requires=["doc.spans"],
    default_config={
        "minimum_score": 0.8,
        "minimum_length": 3,
        "minimum_share": 0.25,
        "ignore": [],
        "attr": "ORTH",
        "merge": None,
    },
)
def make_consistency(
    nlp: Language,
    name: str,
    minimum_score: float,
    minimum_length: int,
    minimum_share: float,
    ignore: List[str],
    attr: str,
    merge: Optional[MergePolicy],
) -> DocumentConsistency:
    """Return the factory's component.

    minimum_score (float): What a mention must score to be sure; one without a score counts as 0. From 0 to 1.
    minimum_length (int): Characters of a mention; it also needs a letter, and a word that is no stop word.
    minimum_share (float): The share of a mention's occurrences that must be entities already; of those that are
        within other entities none counts. 1 never adds anything.
    ignore (List[str]): Mentions, in any case, that are common words.
    attr (str): What makes an occurrence: "ORTH" for the same words, "LOWER" for words in any case; NORM,
        LEMMA, SHAPE.
    merge (Optional[MergePolicy]): null for that of ``mtl_ner``.
    """
    return DocumentConsistency(
        name,
        merge=merge_of(nlp, name, merge),
        minimum_score=minimum_score,
        minimum_length=minimum_length,
        minimum_share=minimum_share,
        ignore=ignore,
        attr=attr,
    )
