"""Components that revise what ``mtl_ner`` found: what they have in common.

They come after it, read what each corpus found from ``doc.spans``, change it corpus by corpus, and merge anew into
``doc.ents`` and ``Doc._.mtl``. A document in which there is nothing to change stays untouched. What other components
put onto ``doc.ents`` stays: their entities, around which is merged, and identifiers. What they took from there does not
come back.
"""

import logging
from typing import List, Optional, Sequence, Set

from spacy.language import Language
from spacy.pipeline import Pipe
from spacy.tokens import Doc, Span

from ..errors import E108, E115
from .groups import Groups, Taken, others_of, read_groups, register, set_ents, write_groups
from .merging import Candidate, MergeByScore, MergePolicy
from .mtl_ner import MultiTaskRecognizer

logger = logging.getLogger("spacy_mtl_bioner")

ASSIGNS = ["doc.ents", "doc.spans", "token.ent_iob", "token.ent_type"]


class Reviser(Pipe):
    """A component that revises; one of its own implements ``revise``. minimum_score: what an entity must score for
    others to follow it."""

    minimum_score = 0.0

    def __init__(self, name: str, merge: MergePolicy) -> None:
        register()
        self.name = name
        self.merge = merge
        self._told = False

    def __call__(self, doc: Doc) -> Doc:
        """Revise what the corpora found in a document, in place, and return it."""
        found = read_groups(doc)
        if any(found.values()):
            self._check_scores(found)
            revised = self.revise(doc, found)
            if revised != found:
                before, gone = doc.ents, removed_of(doc, found, self.merge)
                write_groups(doc, revised, self.merge, others_of(doc), gone)
                _identify(doc, before)
        return doc

    def _check_scores(self, found: Groups) -> None:
        """Log MTL108, once, where entities have no scores, so that none is followed."""
        if self.minimum_score > 0 and not self._told:
            if all(entity.score is None for entities in found.values() for entity in entities):
                self._told = True
                logger.warning(E108(name=self.name, minimum=self.minimum_score))

    def revise(self, doc: Doc, found: Groups) -> Groups:
        """Return each corpus' entities anew, sorted by place and none of one corpus upon another; ``found`` stays."""
        raise NotImplementedError


def _identify(doc: Doc, before: Sequence[Span]) -> None:
    """Give the entities that were there ``before`` the identifiers again that they had."""
    known = {(span.start, span.end, span.label): span for span in before}
    set_ents(doc, [known.get((span.start, span.end, span.label), span) for span in doc.ents])


def merge_of(nlp: Language, name: str, merge: Optional[MergePolicy]) -> MergePolicy:
    """Return ``merge``, else the policy that the last ``mtl_ner`` of the pipeline so far has by now, else
    that of the higher score, which is logged (MTL115)."""
    if merge is not None:
        return merge
    tagger = next((pipe for _, pipe in reversed(nlp.components) if isinstance(pipe, MultiTaskRecognizer)), None)
    if tagger is None:
        logger.warning(E115(name=name))
        return MergeByScore()
    return tagger.merge


def removed_of(doc: Doc, found: Groups, merge: MergePolicy) -> Set[Candidate]:
    """Return the entities that the merge of ``found`` takes where now there is nothing on ``doc.ents``: those that
    another component took away since."""
    taken = Taken(len(doc), doc.ents)
    every = [entity for entities in found.values() for entity in entities]
    gone = {(m.start, m.end) for m in merge(every) if taken.is_free(m.start, m.end)} if every else set()
    return {entity for entities in found.values() for entity in entities if entity[:2] in gone}


def by_start(entities: Sequence[Candidate]) -> List[Candidate]:
    """Return entities in the order of the text."""
    return sorted(entities, key=lambda entity: entity[:2])
