"""The attributes that the package adds to ``Doc``; all values are plain and survive DocBin and processes."""

from spacy.tokens import Doc

_DOC = ("corpus", "document", "corpora", "mtl")


def register() -> None:
    """Add ``Doc._.corpus`` (where a training document is from), ``Doc._.document`` (its id in the source),
    ``Doc._.corpora`` (which corpora shall tag this document) and ``Doc._.mtl`` (provenance of ``doc.ents``)."""
    for name in _DOC:
        if not Doc.has_extension(name):
            Doc.set_extension(name, default=None)


register()
