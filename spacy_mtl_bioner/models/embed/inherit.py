"""Word tables of corpora that join a trained model whose vocabulary has no vectors any more."""

from dataclasses import dataclass
from typing import Optional

from thinc.api import Model

from ...layers.structure import has_weights
from ...layers.torch_layer import shim_of
from ..lexicon import Lexicon
from .word_vectors import add_words


@dataclass
class Heritage:
    """The embedding that the first corpus had before others joined. A saved pipeline has its vectors in this alone
    (``drop_vectors``): where the vocabulary has none, new word tables start from it, and not from random numbers."""

    first: Optional[Model]
    lexicon: Optional[Lexicon]

    @classmethod
    def of(cls, first: Model, lexicon: Optional[Lexicon]) -> "Heritage":
        """What ``first`` leaves to corpora that are about to join: nothing, unless it is trained and the only source of
        vectors. Documents, in ``lexicon``, have to be there: without any, new corpora take over all of it."""
        needed = lexicon is not None and lexicon.forms and not len(lexicon.vocab.vectors) and has_weights(first)
        return cls(first if needed else None, lexicon)

    def give(self, embed: Model) -> None:
        """Give each word table of ``embed`` that is to be built the rows of its counterpart, and rows for the words of
        the documents that have none yet."""
        if self.first is None or self.lexicon is None:
            return
        for node, source in zip(embed.walk(), self.first.walk()):
            if node.name == "word_vectors" and not shim_of(node).built:
                node.from_bytes(source.to_bytes())
                add_words(node, self.lexicon)
