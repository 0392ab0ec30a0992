"""``python -m spacy_mtl_bioner`` is ``mtl-bioner``."""

from .cli import app

if __name__ == "__main__":
    app(prog_name="mtl-bioner")
