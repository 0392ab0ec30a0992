"""``mtl-bioner reformat``: annotated documents from one format to another."""

import gzip
import os
import shutil
from dataclasses import replace
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Iterable, Iterator, Optional

import typer

if TYPE_CHECKING:
    from ..annotate.records import Annotated
    from ..corpora.problems import Problems
    from ..types import Document

_HELP = """Write annotated documents in another format, without tagging anything.

INPUT is gold or what annotate wrote, as for render; OUTPUT is PubTator, BRAT (a folder), BioC XML or JSON, or JSONL.
Text, passages, spans, labels (of annotate's output the corpora's own, not the unified ones) and identifiers are kept as
far as the format has room for them; scores and corpora are not. Of gold, mentions in several parts and the shorter of
two that overlap are left out, and counted. A document whose id stood before is called ID~2, and counted: in a DocBin it
may be a part of the same one.

Examples:

\b
  # from an annotation tool to a file that convert reads
  mtl-bioner reformat brat-folder gold.pubtator
  # a converted corpus into an annotation tool
  mtl-bioner reformat corpus/NCBI-disease/devel.spacy brat-folder --to brat
  mtl-bioner reformat CDR_TestSet.PubTator.txt test.xml.gz --from pubtator
"""


def reformat(
    input: Path = typer.Argument(..., help="Annotated file or folder"),
    output: Path = typer.Argument(..., help="File (.gz: packed) or folder to write; its folder is made where missing"),
    from_: Optional[str] = typer.Option(None, "--from", help="Format of the input; default: by suffix"),
    to: Optional[str] = typer.Option(None, "--to", help="Format of the output; default: by suffix, else BRAT"),
    overwrite: bool = typer.Option(
        False, "--overwrite", help="Replace an output that is there, a folder with all it holds"
    ),
) -> None:  # documented by _HELP
    from tqdm import tqdm
    from wasabi import msg

    from ..annotate.annotated import Flattening
    from ..corpora.formats import FORMATS, get_format
    from ..corpora.sources import suffix_of
    from ..durable import flush, make_folder, writing
    from ..errors import E350, E358, MTLError

    try:
        write = get_format(output, to).write
    except MTLError as error:
        known = ", ".join(FORMATS)
        raise MTLError(E358(path=output, format=to or suffix_of(output), expected=known, option="--to")) from error
    if output.exists() and not overwrite:
        raise MTLError(E350(path=output))
    problems = Flattening()
    place = Path(os.path.realpath(output))  # of a link, what it points to
    make_folder(place.parent)
    with writing(output), TemporaryDirectory(prefix=f".{place.name}.", dir=place.parent) as drafts:
        draft = Path(drafts) / "draft"
        numbers = count()
        documents = _told_apart(_documents(input, from_, problems), problems)
        bar = tqdm(documents, unit=" documents", disable=None)
        write(draft, (document for document, _ in zip(bar, numbers)))
        if output.suffix.lower() == ".gz":
            draft = _packed(draft)
        flush(draft)
        if place.is_dir():
            os.replace(place, Path(drafts) / "old")
        os.replace(draft, place)
        flush(place.parent)
    msg.good(f"{output}: {next(numbers):,} documents")
    if problems.summary():
        typer.echo(f"{input}: {problems.summary()}")


reformat.__doc__ = _HELP


def _documents(path: Path, format: Optional[str], problems: "Problems") -> "Iterator[Document]":
    """Documents with the identifiers of their mentions."""
    from ..annotate.annotated import format_of, read_annotated
    from ..corpora.formats import FORMATS, read_documents

    format = format_of(path, format)
    if format in FORMATS:
        return read_documents(path, problems, format)
    return map(_document, read_annotated(path, format, problems))


def _told_apart(documents: "Iterable[Document]", problems: "Problems") -> "Iterator[Document]":
    """The documents with ids that differ, as readers need them: those of a DocBin may be parts of one document."""
    from ..annotate.formats.base import Columns
    from ..annotate.repeats import Repeats

    repeats = Repeats(Columns(), str)
    for document in documents:
        behind = repeats.behind(document.id)
        if behind:
            problems.warned["id that stood before"] += 1
            document = replace(document, id=document.id + behind)
        yield document


def _document(annotated: "Annotated") -> "Document":
    """A document with its entities as mentions, and the identifiers that a Doc has for them."""
    document = annotated.to_document()
    if annotated.doc is None:
        return document
    both = zip(document.mentions, annotated.doc.ents)
    return replace(document, mentions=[replace(m, identifier=span.kb_id_ or span.ent_id_) for m, span in both])


def _packed(draft: Path) -> Path:
    packed = draft.with_suffix(".gz")
    with open(draft, "rb") as source, gzip.open(packed, "wb") as target:
        shutil.copyfileobj(source, target)
    return packed
