"""Word vectors of what some corpora need: which rows of a table are kept, and the pipeline that holds them."""

from pathlib import Path
from typing import Container, Dict, Iterable, Set

import numpy as np
import spacy
from spacy.language import Language
from spacy.vectors import Vectors
from spacy.vocab import Vocab

from ..errors import E174, MTLError
from .documents import read_docbin
from .vector_tables import Row


def words_of(corpora: Path) -> Set[str]:
    """Each word form of the converted corpora below a folder, as it is and in lower case.

    Raises MTL174 where the folder holds no converted corpus, and as ``read_docbin``.
    """
    files = sorted(corpora.glob("*/*.spacy"))
    if not files:
        raise MTLError(E174(path=corpora, reason="no .spacy file", expected="the folder that 'convert' wrote"))
    vocab = Vocab()
    words = {token.text for path in files for doc in read_docbin(path, vocab) for token in doc}
    return words | {word.lower() for word in words}


def keep(rows: Iterable[Row], wanted: Container[str], top: int) -> Dict[str, np.ndarray]:
    """The first ``top`` rows of a table and those of the ``wanted`` words; of a word that stands twice, the first."""
    kept: Dict[str, np.ndarray] = {}
    for rank, (word, row) in enumerate(rows):
        if (rank < top or word in wanted) and word not in kept:
            kept[word] = row
    return kept


def pipeline_of(rows: Dict[str, np.ndarray]) -> Language:
    """A blank English pipeline whose vocabulary has these vectors, f32[D] each."""
    nlp = spacy.blank("en")
    if rows:
        keys = [nlp.vocab.strings.add(word) for word in rows]
        nlp.vocab.vectors = Vectors(data=np.stack(list(rows.values())), keys=keys, strings=nlp.vocab.strings)
    return nlp
