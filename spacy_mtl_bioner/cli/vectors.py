"""``mtl-bioner vectors``: a table of word vectors, cut to what the corpora need, as a spaCy vectors model."""

from pathlib import Path
from typing import Optional

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
    from tqdm import tqdm

    from ..corpora.vector_tables import read_table
    from ..corpora.word_vectors import keep, pipeline_of, words_of

    make_folder(out)  # large tables take long: what is wrong with the folder is told before
    rows = {}
    if table is not None:
        wanted = {*names(also), *(words_of(corpora) if corpora is not None else ())}
        rows = keep(tqdm(read_table(table), unit=" rows", disable=None), wanted, top)
        if not rows:
            raise MTLError(E174(path=table, reason="no row is wanted", expected="words of the corpora or --top"))
    nlp = pipeline_of(rows)
    with writing(out):
        nlp.to_disk(out)
    msg.good(f"{len(rows)} word vectors of {nlp.vocab.vectors_length} dimensions in {out}")
