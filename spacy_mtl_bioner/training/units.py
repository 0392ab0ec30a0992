"""The unit of training: documents cut at sentence boundaries, by arrays, with all of their annotation kept."""

from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np
from numpy.typing import NDArray
from spacy.attrs import ENT_IOB, HEAD, ORTH, SENT_START, SPACY
from spacy.tokens import Doc, Span

from ..extensions import MTL_TAGS

START, INSIDE = np.uint64(1), np.uint64(2**64 - 1)
"""How a token array says that a token starts, or does not start, a sentence (1 and -1)."""


class Units(NamedTuple):
    """The parts of a document in their order, and how many sentences had to be cut to be short enough."""

    docs: List[Doc]
    cut: int


def sentence_flags(doc: Doc) -> Optional[NDArray[np.uint64]]:
    """Return ``uint64[T]``, ``START`` or ``INSIDE`` a token; ``None`` where the document has no sentence boundaries.

    As in spaCy, the first token does not tell, unless it is the only one.
    """
    found = doc.to_array(SENT_START)
    if len(doc) > 1 and not found[1:].any():
        return None
    flags = np.where(found == START, START, INSIDE)
    flags[0] = START
    return flags


def continues(doc: Doc) -> NDArray[np.bool_]:
    """Return ``bool[T]``: the token goes on with an entity, or a span of a span group, that began before it."""
    inside = doc.to_array(ENT_IOB) == 1
    for group in doc.spans.values():
        for span in group:
            inside[span.start + 1 : span.end] = True
    return inside


def _cut(first: int, last: int, longest: int, inside: NDArray[np.bool_]) -> List[int]:
    """Return where to cut tokens ``first`` to ``last`` so that no part but a longer entity exceeds ``longest``."""
    cuts = []
    while last - first > longest:
        at = first + longest
        while at > first and inside[at]:
            at -= 1
        if at == first:
            at = first + longest
            while at < last and inside[at]:
                at += 1
            if at == last:
                break
        cuts.append(at)
        first = at
    return cuts


def split(doc: Doc, attrs: Sequence[int], sentences: bool = True, longest: int = 0) -> Units:
    """Cut a document into its sentences, and a sentence of more than ``longest`` tokens (0: no limit) into pieces.

    ``attrs`` are the token attributes to keep. With ``sentences`` false only a document that is too long is cut.
    A document without sentence boundaries counts as one sentence. No cut goes through an entity or a span of a
    span group: a sentence start inside one is no boundary, and an entity of more than ``longest`` tokens stays whole.
    """
    if not len(doc) or not sentences and not 0 < longest < len(doc):
        return Units([doc], 0)
    flags, inside = sentence_flags(doc), continues(doc)
    starts = [0] if flags is None else np.flatnonzero((flags == START) & ~inside).tolist()
    if starts[0] != 0:
        starts.insert(0, 0)
    edges, cut = list(starts), 0
    if longest:
        for first, last in zip(starts, starts[1:] + [len(doc)]):
            cuts = _cut(first, last, longest, inside)
            edges.extend(cuts)
            cut += bool(cuts)
        edges.sort()
    if len(edges) == 1:
        return Units([doc], cut)
    edges.append(len(doc))
    return Units(_parts(doc, attrs, list(zip(edges, edges[1:])), flags is not None), cut)


def _parts(doc: Doc, attrs: Sequence[int], bounds: Sequence[Tuple[int, int]], known: bool) -> List[Doc]:
    """Make a Doc of each stretch ``(first token, one past the last)``; ``known``: each is a sentence for certain."""
    kept = [attr for attr in attrs if attr not in (ORTH, SPACY, SENT_START)]
    orths, spaces = doc.to_array(ORTH), doc.to_array(SPACY).astype(bool)
    values = doc.to_array(kept).reshape(len(doc), len(kept)) if kept else None
    data = _user_data(doc, bounds)
    parts = []
    for (first, last), user_data in zip(bounds, data):
        part = Doc(
            doc.vocab,
            words=orths[first:last],
            spaces=None if doc.has_unknown_spaces else spaces[first:last],
            user_data=user_data,
        )
        if values is not None:
            part.from_array(kept, _local_heads(kept, values[first:last]))
        if known:
            flags = np.full(last - first, INSIDE)
            flags[0] = START
            part.from_array([SENT_START], flags)
        part.cats = dict(doc.cats)
        parts.append(part)
    _copy_groups(doc, parts, bounds)
    return parts


def _local_heads(attrs: Sequence[int], values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Make a token whose head lies outside of the part a root: heads are offsets from the token itself."""
    if HEAD not in attrs:
        return values
    values, column = values.copy(), list(attrs).index(HEAD)
    target = np.arange(len(values)) + values[:, column].astype(np.int64)
    values[(target < 0) | (target >= len(values)), column] = 0
    return values


def _user_data(doc: Doc, bounds: Sequence[Tuple[int, int]]) -> List[Dict[Any, Any]]:
    """Give each part the data of the document, those of its tokens and spans with their character offsets moved, and
    its share of the tags, one a token, of corpora of kind ``tags``."""
    # a dict, for its order and its look-up: there may be an entry for every token
    placed = dict.fromkeys(k for k in doc.user_data if isinstance(k, tuple) and len(k) == 4 and k[2] is not None)
    shared = {key: value for key, value in doc.user_data.items() if key not in placed}
    data: List[Dict[Any, Any]] = [dict(shared) for _ in bounds]
    if MTL_TAGS in shared:
        for part, (first, last) in zip(data, bounds):
            part[MTL_TAGS] = {corpus: tags[first:last] for corpus, tags in shared[MTL_TAGS].items()}
    if placed:
        offsets = [doc[first].idx for first, _ in bounds]
        for key in placed:
            at = int(np.searchsorted(offsets, key[2], side="right")) - 1
            moved = tuple(None if place is None else place - offsets[at] for place in key[2:])
            data[at][key[:2] + moved] = doc.user_data[key]
    return data


def _copy_groups(doc: Doc, parts: Sequence[Doc], bounds: Sequence[Tuple[int, int]]) -> None:
    """Put each span of the document's span groups into the part it lies in; every part has every group."""
    firsts = [first for first, _ in bounds]
    for name, group in doc.spans.items():
        moved: List[List[Span]] = [[] for _ in parts]
        for span in group:
            at = int(np.searchsorted(firsts, span.start, side="right")) - 1
            start, end = span.start - firsts[at], span.end - firsts[at]
            moved[at].append(Span(parts[at], start, end, label=span.label, kb_id=span.kb_id, span_id=span.id))
        for part, spans in zip(parts, moved):
            part.spans[name] = spans
