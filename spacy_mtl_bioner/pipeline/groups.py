"""What each corpus found, on a Doc: ``doc.spans[corpus]``, and the ways there and back.

Beside ``scores`` the group's ``attrs`` hold ``rank``, the corpus' place in the selection: it says that the group is of
a corpus (a Doc may have others), and in which order they merge, wherever the Doc has been.
"""

from operator import itemgetter
from typing import Any, Container, Dict, Iterable, List, Optional, Sequence, Tuple, Union

from spacy.tokens import Doc, Span, SpanGroup

from .. import extensions
from ..errors import E106, MTLError
from ..extensions import MTL
from .merging import Candidate, Merged, MergePolicy, provenance

Groups = Dict[str, List[Candidate]]
"""Each corpus that tagged a document, by rank, and its entities."""


def corpora_of(doc: Doc) -> List[str]:
    """Return the corpora that tagged the document, by rank; also those that found nothing."""
    ranks = {name: group.attrs["rank"] for name, group in doc.spans.items() if "rank" in group.attrs}
    return sorted(ranks, key=ranks.__getitem__)


def read_groups(doc: Doc) -> Groups:
    """Return what each corpus found; a score is ``None`` where there is none."""
    return {corpus: _candidates(corpus, doc.spans[corpus]) for corpus in corpora_of(doc)}


def _candidates(corpus: str, group: SpanGroup) -> List[Candidate]:
    rank = group.attrs["rank"]
    scores = [*(group.attrs.get("scores") or ()), *[None] * len(group)]  # spans that others appended have none
    return [Candidate(s.start, s.end, s.label_, corpus, score, rank) for s, score in zip(group, scores)]


def write_group(doc: Doc, corpus: str, rank: int, entities: Iterable[Tuple[int, int, str]], scores: List[Any]) -> None:
    """Set what one corpus found: first token, one past the last, label; and a score or ``None`` for each."""
    spans = [Span(doc, *where) for where in entities]
    doc.spans[corpus] = SpanGroup(doc, name=corpus, attrs={"scores": scores, "rank": rank}, spans=spans)


def write_groups(
    doc: Doc,
    groups: Groups,
    merge: MergePolicy,
    kept: Sequence[Span] = (),
    gone: Container[Candidate] = (),
) -> None:
    """Set what each corpus found, in the order of their ranks, and merge it anew into ``doc.ents`` and ``Doc._.mtl``,
    without the entities ``gone`` and around the entities ``kept``. Groups of other corpora go."""
    clear_groups(doc)
    for rank, (corpus, found) in enumerate(groups.items()):
        write_group(doc, corpus, rank, [entity[:3] for entity in found], [entity.score for entity in found])
    ranked = [
        entity._replace(rank=i) for i, found in enumerate(groups.values()) for entity in found if entity not in gone
    ]
    merge_groups(doc, ranked, merge, kept)


def clear_groups(doc: Doc, corpora: Optional[Container[str]] = None) -> None:
    """Remove what corpora found earlier: all of them, or those of ``corpora``."""
    for corpus in corpora_of(doc):
        if corpora is None or corpus in corpora:
            del doc.spans[corpus]


def merge_groups(doc: Doc, candidates: Sequence[Candidate], merge: MergePolicy, kept: Sequence[Span] = ()) -> None:
    """Set ``doc.ents`` and ``Doc._.mtl`` from all candidates of a document that do not overlap the entities ``kept``,
    which stay, with what ``Doc._.mtl`` says of them."""
    if kept:
        taken = Taken(len(doc), kept)
        candidates = [entity for entity in candidates if taken.is_free(entity.start, entity.end)]
    merged: List[Merged] = merge(list(candidates)) if candidates else []
    entities = [Span(doc, entity.start, entity.end, entity.label) for entity in merged]
    set_ents(doc, [*entities, *kept])
    said = provenance(entities, merged)
    doc.user_data[MTL] = sorted([*said, *_said_of(doc, kept)], key=itemgetter(0)) if kept else said


def _said_of(doc: Doc, entities: Sequence[Span]) -> List[List[Any]]:
    """The entries of ``Doc._.mtl`` for these entities."""
    places = {(span.start_char, span.end_char, span.label_) for span in entities}
    return [entry for entry in doc._.mtl or () if tuple(entry[:3]) in places]


def clear_merged(doc: Doc, corpora: Container[str]) -> None:
    """Remove from ``doc.ents`` what ``Doc._.mtl`` says was merged from groups of ``corpora``, and that."""
    kept = others_of(doc, corpora) if doc._.mtl else []
    if doc._.mtl:
        set_ents(doc, kept)
    doc._.mtl = _said_of(doc, kept)


def set_ents(doc: Doc, entities: Sequence[Span]) -> None:
    """Set ``doc.ents``. Where an entity has no identifier (``ent_id_``), ``Doc.set_ents`` would leave it that of the
    entity that stood there before."""
    for before in doc.ents:
        if before.ent_id:
            for token in before:
                token.ent_id = 0
    doc.set_ents(list(entities))


def others_of(doc: Doc, corpora: Optional[Container[str]] = None) -> List[Span]:
    """Return the entities on ``doc.ents`` that were not merged from groups of ``corpora`` (``None``: of any): those of
    other components. Where nobody says what was merged, as a DocBin without user data does not, those that no group
    has."""
    if doc._.mtl is None:
        found = {entity[:2] for entities in read_groups(doc).values() for entity in entities}
        return [span for span in doc.ents if (span.start, span.end) not in found]
    merged = {
        (start, end, label)
        for start, end, label, sources in doc._.mtl
        if corpora is None or any(source[0] in corpora for source in sources)
    }
    return [span for span in doc.ents if (span.start_char, span.end_char, span.label_) not in merged]


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


def to_plain(doc: Doc) -> Dict[str, List[List[Any]]]:
    """Return what each corpus found as ``{corpus: [[start character, end character, label, score or None], ...]}``."""
    return {
        corpus: [[doc[e.start].idx, doc[e.start : e.end].end_char, e.label, e.score] for e in found]
        for corpus, found in read_groups(doc).items()
    }


def from_plain(doc: Doc, plain: Dict[str, List[List[Any]]]) -> None:
    """Set ``doc.spans`` to what ``to_plain`` gave for a document of the same tokens; ``doc.ents`` stay.

    Raises MTL106 for an entity that starts or ends within a token.
    """
    clear_groups(doc)
    for rank, (corpus, found) in enumerate(plain.items()):
        where = [_tokens_of(doc, corpus, *entity[:3]) for entity in found]
        write_group(doc, corpus, rank, where, [score for *_, score in found])


def _tokens_of(doc: Doc, corpus: str, start: int, end: int, label: str) -> Tuple[int, int, str]:
    span = doc.char_span(start, end, label)
    if span is None:
        raise MTLError(E106(corpus=corpus, label=label, start=start, end=end, text=doc.text[start:end]))
    return span.start, span.end, label


def register() -> None:
    """Add what ``extensions.register`` does, and ``Doc._.mtl_found``."""
    extensions.register()
    register_found()


def register_found() -> None:
    """Add ``Doc._.mtl_found``, which is ``doc.spans`` of the corpora with their scores: ``Doc.to_json`` alone writes no
    scores of span groups, ``doc.to_json(underscore=["mtl", "mtl_found"])`` does, ``Doc.from_json`` reads them back."""
    if not Doc.has_extension("mtl_found"):
        Doc.set_extension("mtl_found", getter=to_plain, setter=from_plain)


register_found()
