"""Text in, entities out, at any scale: ``from spacy_mtl_bioner.annotate.annotator import Annotator`` for a notebook,
``run.annotate_files`` for jobs, ``formats`` for what is read and written. Nothing is imported here."""
