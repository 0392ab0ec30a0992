"""Word tables of corpora that join a trained model whose vocabulary has no vectors any more."""

from typing import Optional

from thinc.api import Model

from ...layers.structure import has_weights
from ...layers.torch_layer import shim_of
from ..lexicon import Lexicon
from .word_vectors import add_words


def heritage(first: Model, X: Optional[Lexicon]) -> Optional[Model]:
    """What the embedding ``first`` of a model's first corpus leaves to corpora that are about to join: all of it, where
    it is trained and the only source of vectors.

    A saved pipeline has its vectors in the model alone (``drop_vectors``), and new word tables would start from random
    numbers. Without documents new corpora need none: they start as copies.
    """
    needed = X is not None and X.forms and not len(X.vocab.vectors) and has_weights(first)
    return first if needed else None


def give_words(embed: Model, source: Optional[Model], X: Optional[Lexicon]) -> None:
    """Give each word table of ``embed`` that is to be built the rows of its counterpart in ``source``, if there is one,
    and rows for the words of the documents that have none yet."""
    if source is None or X is None:
        return
    for node, other in zip(embed.walk(), source.walk()):
        if node.name == "word_vectors" and not shim_of(node).built:
            node.from_bytes(other.to_bytes())
            add_words(node, X)
