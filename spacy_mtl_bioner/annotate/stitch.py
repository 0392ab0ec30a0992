"""The Docs of a long text's pieces as one Doc, with scores and provenance."""

from typing import Any, Dict, List

from spacy.tokens import Doc, Span, SpanGroup

from ..extensions import MTL


def join_docs(docs: List[Doc]) -> Doc:
    """One Doc of the whole text: its tokens, sentences, entities, span groups with their scores, and ``_.mtl``."""
    if len(docs) == 1:
        return docs[0]
    words = [token.text for doc in docs for token in doc]
    spaces = [bool(token.whitespace_) for doc in docs for token in doc]
    starts = [bool(token.is_sent_start) for doc in docs for token in doc]
    whole = Doc(docs[0].vocab, words=words, spaces=spaces, sent_starts=starts)
    entities, groups, provenance = [], {}, []
    tokens = characters = 0
    for doc in docs:
        entities += [_moved(span, whole, tokens) for span in doc.ents]
        _add_groups(groups, whole, doc, tokens)
        moved = doc.user_data.get(MTL) or ()
        provenance += [[start + characters, end + characters, *rest] for start, end, *rest in moved]
        tokens, characters = tokens + len(doc), characters + len(doc.text)
    whole.set_ents(entities)
    for name, (spans, attrs) in groups.items():
        whole.spans[name] = SpanGroup(whole, name=name, attrs=attrs, spans=spans)
    whole.user_data[MTL] = provenance
    return whole


def _add_groups(groups: Dict[str, Any], whole: Doc, doc: Doc, offset: int) -> None:
    """Add the span groups of a piece, whose first token is the ``offset``-th of the whole."""
    for name, group in doc.spans.items():
        spans, attrs = groups.setdefault(name, ([], {**group.attrs, "scores": []}))
        spans += [_moved(span, whole, offset) for span in group]
        attrs["scores"] += list(group.attrs.get("scores") or [None] * len(group))


def _moved(span: Span, whole: Doc, offset: int) -> Span:
    """A span of a piece as one of the whole, with its identifiers."""
    start, end = span.start + offset, span.end + offset
    return Span(whole, start, end, span.label, kb_id=span.kb_id, span_id=span.id)
