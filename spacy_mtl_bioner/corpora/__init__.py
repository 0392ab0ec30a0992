"""Annotated corpora in: formats, tag schemes, the catalogue, and the way to DocBins.

Import the module that does the job: ``schemes``, ``conll``, ``formats`` (stand-off), ``documents``, ``catalogue``,
``select``, ``align``, ``retokenize``, ``convert``. Nothing is imported here, so that entry points stay light.
"""
