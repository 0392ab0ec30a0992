"""The attributes that the package adds to ``Doc``; all values are plain and survive DocBin, JSON and processes."""

from typing import Any, Dict, List

from spacy.tokens import Doc

_STORED = ("corpus", "document", "corpora", "mtl")


def register() -> None:
    """Add ``Doc._.corpus`` (where a training document is from), ``Doc._.document`` (its id in the source),
    ``Doc._.corpora`` (which corpora shall tag this document), ``Doc._.mtl`` (provenance of ``doc.ents``) and
    ``Doc._.mtl_found``, which is ``doc.spans`` of the corpora with their scores: ``Doc.to_json`` writes no scores of
    span groups, ``doc.to_json(underscore=["mtl", "mtl_found"])`` does, and ``Doc.from_json`` reads them back."""
    for name in _STORED:
        if not Doc.has_extension(name):
            Doc.set_extension(name, default=None)
    if not Doc.has_extension("mtl_found"):
        Doc.set_extension("mtl_found", getter=_get_found, setter=_set_found)


def _get_found(doc: Doc) -> Dict[str, List[List[Any]]]:
    from .pipeline.groups import to_plain

    return to_plain(doc)


def _set_found(doc: Doc, found: Dict[str, List[List[Any]]]) -> None:
    from .pipeline.groups import from_plain

    from_plain(doc, found)


register()
