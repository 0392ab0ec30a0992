"""``mtl-bioner annotate-syntax``: tags, parse and phrases into converted corpora, as features of a training."""

import shutil
from pathlib import Path
from typing import List, Optional, Set

import typer

from ..errors import E455, MTLError
from .values import names

_HELP = """Give the words of converted corpora parts of speech, a parse and phrases, by pipelines of your choice.

Writes each .spacy file below SOURCE to the same place below OUTPUT, and copies the corpora's reports. Words, sentences
and gold stay as they are. A training then reads OUTPUT, with copy_attrs = ["TAG","DEP","HEAD","CHUNK"] (what its
features need) in its readers.

Examples:

\b
  # tagger and parser of one pipeline, phrases of another
  mtl-bioner annotate-syntax corpus corpus-syntax --pipeline training/tagger_parser/model-best \\
      --pipeline training/chunker/model-best
  # parts of speech and a parse of an installed pipeline, two corpora
  mtl-bioner annotate-syntax corpus corpus-syntax --pipeline en_core_sci_sm --corpora NCBI-disease,BC5CDR
"""


def annotate_syntax(
    source: Path = typer.Argument(..., help="Folder that 'convert' wrote"),
    output: Path = typer.Argument(..., help="Folder to write, made where missing"),
    pipeline: List[str] = typer.Option(..., help="Name or folder of a spaCy pipeline; may be repeated"),
    corpora: Optional[str] = typer.Option(None, help="Corpora, separated by commas; default: all in SOURCE"),
) -> None:  # documented by _HELP
    from tqdm import tqdm
    from wasabi import msg

    from ..corpora.syntax import annotate_file
    from ..pipeline.loading import load

    if source.resolve() in (output.resolve(), *output.resolve().parents):
        raise typer.BadParameter(f"{output} is, or lies in, SOURCE, whose files would be replaced; name another folder")
    named = [source / name for name in names(corpora)] if corpora else [source]
    found = {folder: _docbins(folder) for folder in named}
    for folder, inside in found.items():
        if not inside:
            raise MTLError(E455(path=folder))
    files = sorted(set().union(*found.values()))
    pipelines = [load(name) for name in pipeline]
    total = 0
    with tqdm(unit=" documents", disable=None) as bar:
        for path in files:
            bar.set_postfix_str(str(path.relative_to(source)))
            total += annotate_file(path, output / path.relative_to(source), pipelines, bar.update)
    for report in {path.with_name("report.json") for path in files}:
        if report.exists():
            shutil.copyfile(report, output / report.relative_to(source))
    msg.good(f"{total} documents in {len(files)} files below {output}")


def _docbins(folder: Path) -> Set[Path]:
    """The .spacy files in a folder; its own folders may be links, which ``rglob`` does not follow."""
    folders = [folder, *(path for path in folder.iterdir() if path.is_dir())] if folder.is_dir() else []
    return {path for inner in folders for path in inner.rglob("*.spacy")}


annotate_syntax.__doc__ = _HELP
