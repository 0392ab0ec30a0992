"""``mtl-bioner vectors``: a table of word vectors, cut to what the corpora need, as a spaCy vectors model."""

import gzip
import math
import zlib
from pathlib import Path
from typing import IO, Dict, Iterator, List, Optional, Set, Tuple

import typer
from wasabi import msg

from ..errors import E174, E175, MTLError
from .values import names


def vectors(
    out: Path = typer.Argument(..., help="Folder to write: a blank English pipeline that holds the vectors"),
    table: Optional[Path] = typer.Option(
        None, help="GloVe or word2vec text file, .gz or plain; none: no vectors", exists=True, dir_okay=False
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

    nlp = spacy.blank("en")
    rows: Dict[str, "numpy.ndarray"] = {}
    if table is not None:
        wanted = {*names(also), *(words_of(corpora) if corpora is not None else ())}
        for rank, (word, row) in enumerate(read_table(table)):
            if (rank < top or word in wanted) and word not in rows:
                rows[word] = row
        if not rows:
            raise MTLError(E174(path=table, reason="no row is wanted", expected="words of the corpora or --top"))
        data = numpy.asarray(list(rows.values()), dtype="float32")
        keys = [nlp.vocab.strings.add(word) for word in rows]
        nlp.vocab.vectors = Vectors(data=data, keys=keys, strings=nlp.vocab.strings)
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


def read_table(path: Path) -> Iterator[Tuple[str, List[float]]]:
    """Yield word and vector of each row of a GloVe or word2vec text file (a header line of two integers is skipped).

    Raises MTLError: MTL174 for an empty or unreadable file, MTL175 for a row that is not a word and finite numbers
    as many as in the first row.
    """
    width = 0
    try:
        with open_text(path) as lines:
            for number, line in enumerate(lines, start=1):
                parts = line.rstrip("\r\n").rstrip(" ").split(" ")
                if number == 1 and len(parts) == 2 and all(part.isdigit() for part in parts):
                    continue
                width = width or len(parts) - 1
                yield parse_row(parts, width, path, number)
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise MTLError(E174(path=path, reason=str(error), expected="UTF-8 text, plain or .gz")) from error
    if not width:
        raise MTLError(E174(path=path, reason="no row", expected="a word and its numbers a line"))


def parse_row(parts: List[str], width: int, path: Path, line: int) -> Tuple[str, List[float]]:
    """Return the word and the ``width`` numbers of a row; a word may hold spaces, as some in GloVe do."""
    try:
        row = [float(part) for part in parts[-width:]]
    except ValueError:
        row = []
    if width < 1 or len(row) != width or len(parts) <= width or not all(map(math.isfinite, row)):
        raise MTLError(E175(path=path, line=line, found=repr(" ".join(parts)[:60]), expected=max(width, 1)))
    return " ".join(parts[:-width]), row


def open_text(path: Path) -> IO[str]:
    """Open a text file, compressed or not, by its suffix."""
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf8", newline="\n")
    return open(path, encoding="utf8", newline="\n")
