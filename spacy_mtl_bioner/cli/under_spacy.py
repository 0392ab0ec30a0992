"""The same commands as ``python -m spacy mtl-bioner ...``; spaCy imports this module by the group ``spacy_cli``."""

from spacy.cli._util import app as spacy_app

from . import app

spacy_app.add_typer(app, name="mtl-bioner", help="Multi-task biomedical NER: corpora in, models out.")
