"""Annotated corpora in: formats, tag schemes, the catalogue, and the way to DocBins; treebanks and word vectors too.

``convert`` does all of it for a corpus of the ``catalogue``; the other modules each do one thing. Nothing is imported
here, so that entry points stay light.
"""
