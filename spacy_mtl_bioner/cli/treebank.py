"""``mtl-bioner treebank``: treebanks to DocBins for a tagger, a parser and a chunker."""

from pathlib import Path
from typing import Dict, Iterable, List, Optional, Set, Tuple

import typer

from ..durable import make_folder
from ..errors import E463, E464, MTLError

_HELP = """Convert treebanks into DocBins, with words split as the pipeline's tokenizer splits them.

SOURCE has a folder a treebank, with a SPLIT.conllu (parts of speech and dependencies) and, for chunks, a SPLIT.trees
(Penn brackets of the same sentences) a split. Writes

\b
  OUTPUT/syntax/SPLIT/TREEBANK.spacy   tag_, dep_ and head, and Token._.chunk
  OUTPUT/chunks/SPLIT/TREEBANK.spacy   the chunks (B-NP, I-NP, ...) as tag_, for an mtl_ner head of kind tags

Examples:

\b
  # CRAFT and GENIA; GENIA's dependencies follow another scheme, so that no parser should learn them
  mtl-bioner treebank treebank corpus-treebank --unparsed genia --rename future_use=train --rename dev=devel
"""


def treebank(
    source: Path = typer.Argument(..., help="Folder with a folder a treebank"),
    output: Path = typer.Argument(..., help="Folder for the DocBins, made where missing"),
    unparsed: List[str] = typer.Option([], help="Treebank whose dependencies are left out; may be repeated"),
    rename: List[str] = typer.Option([], metavar="FILE=SPLIT", help="Split of files of that name; may be repeated"),
) -> None:  # documented by _HELP
    from tqdm import tqdm
    from wasabi import table

    files = sorted(source.glob("*/*.conllu"))
    if not files:
        raise MTLError(E463(path=source))
    splits = _splits(rename)
    _warn_of("--unparsed", unparsed, {path.parent.name for path in files})
    _warn_of("--rename", splits, {path.stem for path in files})
    targets: Dict[Tuple[str, str], Path] = {}
    for path in files:
        target = (path.parent.name, splits.get(path.stem, path.stem))
        if target in targets:
            raise MTLError(E464(path=path, other=targets[target], split=target[1]))
        targets[target] = path
    make_folder(output)
    rows = []
    for (name, split), path in tqdm(targets.items(), unit="file", disable=None):
        rows.append(_convert(path, split, output, name not in unparsed))
    header = ["treebank", "split", "sentences", "words", "tokens", "parse", "chunks"]
    typer.echo(table(rows, header=header, divider=True, aligns=["l", "l", "r", "r", "r", "l", "r"]))


treebank.__doc__ = _HELP


def _warn_of(option: str, named: Iterable[str], known: Set[str]) -> None:
    """Tell of a name that nothing in the source has: it may be misspelled, or of a treebank that is not here."""
    for name in sorted(set(named) - known):
        typer.echo(f"{option} {name}: nothing is called so here; there is {', '.join(sorted(known))}", err=True)


def _splits(rename: List[str]) -> Dict[str, str]:
    pairs = [pair.partition("=") for pair in rename]
    if not all(equals and split for _, equals, split in pairs):
        raise typer.BadParameter(f"--rename is FILE=SPLIT, not {' '.join(rename)}")
    return {name: split for name, _, split in pairs}


def _convert(path: Path, split: str, output: Path, parsed: bool) -> List[object]:
    """Write the DocBins of one file; returns its row of the table."""
    from spacy.vocab import Vocab

    from ..corpora.treebank import read_conllu, split_words, to_chunk_docs, to_docs, with_chunks, write_docs
    from ..corpora.treebank_trees import read_trees
    from ..pipeline.tokenizer import split_words as words_of

    sentences, name = list(read_conllu(path)), path.parent.name
    words = sum(len(sentence.words) for sentence in sentences)
    trees = path.with_suffix(".trees")
    if trees.exists():
        sentences = list(with_chunks(sentences, read_trees(trees), trees, path))
    sentences = [split_words(sentence, words_of) for sentence in sentences]
    vocab, target = Vocab(), Path(split) / f"{name}.spacy"
    tokens = write_docs(to_docs(sentences, vocab, name, parsed), output / "syntax" / target, parsed)
    chunks: Optional[int] = None
    if trees.exists():
        write_docs(to_chunk_docs(sentences, vocab), output / "chunks" / target, parsed=False)
        chunks = sum(tag.startswith("B-") for sentence in sentences for tag in sentence.chunks or ())
    return [name, split, len(sentences), words, tokens, "yes" if parsed else "no", "-" if chunks is None else chunks]
