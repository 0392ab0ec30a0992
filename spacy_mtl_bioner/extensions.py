"""The attributes that the package adds to ``Doc``, ``Span`` and ``Token``; all values are plain. They survive
processes, a ``DocBin(store_user_data=True)``, and those of ``Doc`` a ``to_json(underscore=[...])`` that names them."""

from bisect import bisect_left
from operator import itemgetter
from typing import Any, List, Optional, Sequence

from spacy.tokens import Doc, Span, Token

_STORED = ("corpus", "document", "corpora", "mtl")
CORPUS, DOCUMENT, CORPORA, MTL = (("._.", name, None, None) for name in _STORED)
"""Where ``Doc.user_data`` keeps them; looked up there where an attribute's microsecond a document counts."""

MTL_TAGS = "mtl_tags"
"""``Doc.user_data[MTL_TAGS][corpus]``: what a head of kind ``tags`` predicts, one tag a token ("" at white space)."""

CHUNKS = "chunks"
"""The corpus of kind ``tags`` whose tags are the phrases of ``Token._.chunk``, in scheme IOB2."""


def register() -> None:
    """Add ``Doc._.corpus`` (where a training document is from), ``Doc._.document`` (its id in the source),
    ``Doc._.corpora`` (which corpora shall tag this document) and ``Token._.chunk``, the token's phrase as an IOB2 tag
    ("B-NP"), "" where it has none; and what ``register_results`` adds. Others may call attributes so: these are there
    where something of the package is used, not where it is merely installed."""
    for name in _STORED:
        if not Doc.has_extension(name):
            Doc.set_extension(name, default=None)
    if not Token.has_extension("chunk"):
        Token.set_extension("chunk", getter=_get_chunk, setter=_set_chunk)
    register_results()


def register_results() -> None:
    """Add ``Doc._.mtl`` (provenance of ``doc.ents``) and ``Span._.mtl``, the sources of one entity of ``doc.ents``
    (those in its entry of ``Doc._.mtl``), ``None`` for an entity that others set. At import, so that a saved document
    can be read without the pipeline that made it; as ``Doc._.mtl_found``, which ``pipeline.groups`` adds."""
    if not Doc.has_extension("mtl"):
        Doc.set_extension("mtl", default=None)
    if not Span.has_extension("mtl"):
        Span.set_extension("mtl", getter=_get_sources)


def _get_sources(span: Span) -> Optional[List[List[Any]]]:
    entries = span.doc._.mtl or ()  # in the order of the entities, which do not overlap
    at = bisect_left(entries, span.start_char, key=itemgetter(0))
    start, end, label, sources = entries[at] if at < len(entries) else (None, None, None, None)
    return sources if (start, end, label) == (span.start_char, span.end_char, span.label_) else None


def chunks_of(doc: Doc) -> Optional[List[str]]:
    """The phrase tags of a document's tokens; None where it has none."""
    chunks = doc.user_data.get(MTL_TAGS, {}).get(CHUNKS)
    return chunks if chunks is not None and len(chunks) == len(doc) else None


def set_chunks(doc: Doc, chunks: Sequence[str]) -> None:
    """Give each token of a document its phrase tag."""
    doc.user_data[MTL_TAGS] = {**doc.user_data.get(MTL_TAGS, {}), CHUNKS: list(chunks)}


def _get_chunk(token: Token) -> str:
    chunks = chunks_of(token.doc)
    return "" if chunks is None else chunks[token.i]


def _set_chunk(token: Token, chunk: str) -> None:
    chunks = chunks_of(token.doc) or [""] * len(token.doc)
    set_chunks(token.doc, [*chunks[: token.i], chunk, *chunks[token.i + 1 :]])


register_results()
