"""Trained pipelines and their recognizers by name, with errors that say what to do."""

from pathlib import Path
from typing import TYPE_CHECKING, Union

from ..errors import E365, E369, MTLError

if TYPE_CHECKING:
    from spacy.language import Language

    from .mtl_ner import MultiTaskRecognizer


def load(model: Union[str, Path]) -> "Language":
    """Load a pipeline: a folder's, or an installed package's. Raises MTL365 where it cannot be loaded."""
    import spacy

    try:
        return spacy.load(model)
    except (OSError, ValueError, ImportError) as error:
        raise MTLError(E365(model=str(model), reason=str(error).partition("\n")[0])) from error


def recognizer_of(
    nlp: "Language", name: str, model: Union[str, Path], option: str, disabled: bool = False
) -> "MultiTaskRecognizer":
    """Return the ``mtl_ner`` of that name; ``disabled``: also one that is. Raises MTL369, which names the option that
    needs it, where there is none."""
    from .mtl_ner import MultiTaskRecognizer

    pipes = nlp.components if disabled else nlp.pipeline
    there = {key: pipe for key, pipe in pipes if isinstance(pipe, MultiTaskRecognizer)}
    if name not in there:
        known = ", ".join(there) or "none"
        raise MTLError(E369(model=str(model), component=name, known=known, option=option))
    return there[name]
