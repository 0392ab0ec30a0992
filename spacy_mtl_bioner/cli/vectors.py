"""``mtl-bioner vectors``: a table of word vectors, cut to what the corpora need, as a spaCy vectors model."""

from pathlib import Path
from typing import Dict, Optional, Set

import typer
from wasabi import msg

from ..durable import make_folder, writing
from ..errors import E174, MTLError
from .values import names


def vectors(
    out: Path = typer.Argument(..., help="Folder to write: a blank English pipeline that holds the vectors"),
    table: Optional[Path] = typer.Option(
        None,
        help="GloVe, word2vec or fastText text file, or word2vec's .bin; plain or .gz; none: no vectors",
        exists=True,
        dir_okay=False,
    ),
    corpora: Optional[Path] = typer.Option(
        None, help="Folder of converted corpora whose words are kept", exists=True, file_okay=False
    ),
    top: int = typer.Option(20000, min=0, help="Keep the first rows of the table (the most frequent words) as well"),
    also: str = typer.Option(
        "unk,UNKNOWN", help="Keep these words too, separated by commas: some configs start the unknown row from one"
    ),
) -> None:
    """Keep the vectors of the corpora's words and of the most frequent words, for ``initialize.vectors``."""
    import numpy
    import spacy
    from spacy.vectors import Vectors
    from tqdm import tqdm

    from ..corpora.vector_tables import read_table

    make_folder(out)  # large tables take long: what is wrong with the folder is told before
    nlp = spacy.blank("en")
    rows: Dict[str, numpy.ndarray] = {}
    if table is not None:
        wanted = {*names(also), *(words_of(corpora) if corpora is not None else ())}
        for rank, (word, row) in enumerate(tqdm(read_table(table), unit=" rows", disable=None)):
            if (rank < top or word in wanted) and word not in rows:
                rows[word] = row
        if not rows:
            raise MTLError(E174(path=table, reason="no row is wanted", expected="words of the corpora or --top"))
        data = numpy.stack(list(rows.values()))
        keys = [nlp.vocab.strings.add(word) for word in rows]
        nlp.vocab.vectors = Vectors(data=data, keys=keys, strings=nlp.vocab.strings)
    with writing(out):
        nlp.to_disk(out)
    msg.good(f"{len(rows)} word vectors of {nlp.vocab.vectors_length} dimensions in {out}")


def words_of(corpora: Path) -> Set[str]:
    """Return each word form of the converted corpora below a folder, as it is and in lower case.

    Raises MTLError (MTL174) where the folder holds no converted corpus, and as ``read_docbin``.
    """
    from spacy.vocab import Vocab

    from ..corpora.documents import read_docbin

    files = sorted(corpora.glob("*/*.spacy"))
    if not files:
        raise MTLError(E174(path=corpora, reason="no .spacy file", expected="the folder that 'convert' wrote"))
    vocab = Vocab()
    words = {token.text for path in files for doc in read_docbin(path, vocab) for token in doc}
    return words | {word.lower() for word in words}
