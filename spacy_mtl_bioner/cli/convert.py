"""``mtl-bioner convert``: corpus files to DocBins for training."""

from enum import Enum
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence

import typer

from ..errors import E023, MTLError
from .values import names_or_none


class OnError(str, Enum):
    """What becomes of bad input; see ``corpora.problems``."""

    stop = "raise"
    skip = "skip"


_WIDE = 60
"""Characters of a column of the catalogue's labels."""
_HELP = """Convert corpora of the catalogue into DocBins, one a corpus and split.

Writes OUTPUT/CORPUS/train.spacy, devel.spacy and test.spacy, and report.json with the numbers that are printed:
documents (where the source marks them), sentences, tokens, entities a label.

Examples:

\b
  # two corpora of a checkout of the public collection
  mtl-bioner convert MTL-Bioinformatics-2016/data corpus --corpora NCBI-disease,BC5CDR
  # only one label, a tenth of the training sentences
  mtl-bioner convert data corpus --corpora BC5CDR --labels Disease --share 0.1 --seed 1
  # documents, offsets and spacing back from the abstracts; test has a file of its own
  mtl-bioner convert data corpus --corpora NCBI-disease --align train=TrainDev.PubTator \\
      --align devel=TrainDev.PubTator --align test=Test.PubTator
  # your own corpus: an entry in a file like the one of assets/catalogue.json
  mtl-bioner convert my-data corpus --corpora my-assays --catalogue my-catalogue.json
  # what is there to convert?
  mtl-bioner convert --list
"""


def convert(
    source: Optional[Path] = typer.Argument(None, help="Folder with the corpora, one folder each"),
    output: Optional[Path] = typer.Argument(None, help="Folder for the DocBins, made where missing"),
    corpora: Optional[str] = typer.Option(
        None, help="Names in the catalogue, separated by commas; default: each whose folder is in SOURCE"
    ),
    catalogue: Optional[Path] = typer.Option(None, help="JSON file with more corpora, in the form of the catalogue"),
    scheme: Optional[str] = typer.Option(None, help="Tag scheme of the files, instead of the catalogue's"),
    labels: Optional[str] = typer.Option(None, help="Labels to keep, separated by commas; the rest becomes Outside"),
    share: float = typer.Option(1.0, help="Share of the training sentences to keep, drawn at random"),
    seed: int = typer.Option(0, help="Seed of all that is drawn"),
    merge_devel: bool = typer.Option(False, "--merge-devel", help="Train on devel too (devel is still written)"),
    align: List[str] = typer.Option(
        [], metavar="[SPLIT=]FILE", help="Stand-off file (.txt is PubTator) that has documents and spacing; repeatable"
    ),
    retokenize: bool = typer.Option(False, "--retokenize", help="Split words as the pipeline's tokenizer does"),
    pipeline: Optional[str] = typer.Option(
        None, help="Pipeline whose tokens and sentences stand-off corpora get; default: this package's own"
    ),
    on_error: OnError = typer.Option(OnError.stop, help="Stop at bad input, or leave it out and count it"),
    list_: bool = typer.Option(False, "--list", help="Print the catalogue and stop"),
) -> None:  # documented by _HELP
    from ..corpora.catalogue import get_entry, load_catalogue
    from ..corpora.convert import Options

    entries = load_catalogue(catalogue)
    if list_:
        _print_catalogue(entries.values())
        return
    if source is None or output is None:
        raise typer.BadParameter("SOURCE and OUTPUT are needed; --help shows examples")
    wanted = names_or_none(corpora) or [name for name, entry in entries.items() if _is_there(source, entry)]
    chosen = [get_entry(entries, name) for name in wanted]
    if not chosen:
        raise MTLError(E023(source=source, count=len(entries), folder=next(iter(entries.values())).folder))
    options = Options(
        scheme=scheme,
        labels=names_or_none(labels),
        share=share,
        seed=seed,
        merge_devel=merge_devel,
        align=_by_split(align),
        retokenize=retokenize,
    )
    _convert_all(chosen, source, output, _load(pipeline), options, on_error)


convert.__doc__ = _HELP


def _convert_all(entries: Sequence[Any], source: Path, output: Path, nlp: Any, options: Any, on_error: OnError) -> None:
    """Convert, with a progress bar, and print the table and what was left out."""
    from tqdm import tqdm

    from ..corpora.convert import convert_corpus
    from ..corpora.problems import Problems

    with tqdm(total=sum(len(entry.splits) for entry in entries), unit="split", disable=None) as bar:

        def progress(split: str) -> None:
            bar.set_postfix_str(f"{entry.name} {split}")
            bar.update()

        for entry in entries:
            problems = Problems(on_error.value)
            report = convert_corpus(entry, source, output, nlp, options, problems, progress)
            with tqdm.external_write_mode():
                _print_report(report)
                if problems.summary():
                    typer.echo(f"{entry.name}: {problems.summary()}")


def _is_there(source: Path, entry: Any) -> bool:
    """Whether the corpus has its folder; a split that is missing there is told by the conversion."""
    return (source / entry.folder).is_dir()


def _by_split(values: Sequence[str]) -> Dict[str, List[Path]]:
    """``train=FILE`` and plain ``FILE`` (for all splits) as a table."""
    from ..corpora.catalogue import SPLITS
    from ..corpora.convert import ALL

    table: Dict[str, List[Path]] = {}
    for value in values:
        split, equals, path = value.partition("=")
        named = bool(equals) and split in SPLITS
        table.setdefault(split if named else ALL, []).append(Path(path if named else value))
    return table


def _load(pipeline: Optional[str]) -> Any:
    """The named pipeline, or this package's tokenizer and sentence splitter."""
    import spacy

    from ..pipeline.loading import load

    if pipeline is not None:
        return load(pipeline)
    nlp = spacy.blank("en", config={"nlp": {"tokenizer": {"@tokenizers": "spacy_mtl_bioner.BioTokenizer.v1"}}})
    nlp.add_pipe("mtl_sentences")
    return nlp


def _print_report(report: Dict[str, Any]) -> None:
    """Print the table of a corpus: a row a split."""
    from wasabi import table

    labels = list(report["labels"]) if report["kind"] == "spans" else []
    header = [report["corpus"], "documents", "sentences", "tokens", *labels]
    rows = [
        [split, _shown(n["documents"]), n["sentences"], n["tokens"], *(n["entities"].get(label, 0) for label in labels)]
        for split, n in report["splits"].items()
    ]
    if report["options"]["merge_devel"]:
        rows = [[f"{row[0]} (in train)" if row[0] == "devel" else row[0], *row[1:]] for row in rows]
    typer.echo(table(rows, header=header, divider=True, aligns=["l"] + ["r"] * (len(header) - 1)))


def _shown(number: Optional[int]) -> str:
    return "-" if number is None else str(number)


def _print_catalogue(entries: Any) -> None:
    """Print name, kind, folder, labels and license of each corpus, many labels on several lines."""
    from textwrap import wrap

    from wasabi import table

    rows = []
    for entry in entries:
        first, *others = wrap(", ".join(entry.labels), _WIDE, break_long_words=False, break_on_hyphens=False) or [""]
        rows.append([entry.name, entry.kind, entry.folder, first, entry.license])
        rows += [["", "", "", labels, ""] for labels in others]
    typer.echo(table(rows, header=["corpus", "kind", "folder", "labels", "license"], divider=True, max_col=_WIDE))
