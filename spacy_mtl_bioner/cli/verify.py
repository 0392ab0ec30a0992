"""``mtl-bioner verify``: compare corpus files with the sha256 manifest before anything reads them."""

import json
from pathlib import Path
from typing import Collection, Dict, Optional, Sequence

import typer
from wasabi import msg

from ..corpora.manifest import differences, digests, folder_of, read_manifest
from ..durable import write_text
from ..errors import E173, E174, MTLError
from .values import names_or_none


def verify(
    corpora_dir: Path = typer.Argument(..., help="Folder with one folder a corpus", exists=True, file_okay=False),
    manifest: Path = typer.Option(..., help="JSON file with the recorded sha256 of each file, by source"),
    source: str = typer.Option(..., help="Where the files are from: a name in the manifest"),
    corpora: Optional[str] = typer.Option(
        None, help="Folders to verify, separated by commas; default: all that hold such files"
    ),
    record: bool = typer.Option(
        False, "--record", help="Write what is found into the manifest, and drop what is gone, instead of failing"
    ),
    report: Optional[Path] = typer.Option(None, help="Write the verified files and their sha256 here, as JSON"),
) -> None:
    """Check each token-per-line file (CORPUS/FILE.tsv) against the manifest: one that differs, lacks a record or is
    missing in a corpus' folder fails. Files of other formats are not looked at. A whole corpus may be absent, and one
    of which no file is recorded is passed over, unless --corpora names it."""
    table = {} if record and not manifest.exists() else read_manifest(manifest)
    if source not in table and not record:
        raise MTLError(E173(path=manifest, source=source, known=", ".join(sorted(table)) or "none"))
    recorded = table.setdefault(source, {"description": "", "sha256": {}})["sha256"]
    named = names_or_none(corpora)
    found = digests(corpora_dir, named, () if record else recorded)
    if record:
        gone = [name for name in recorded if name not in found and _looked_at(corpora_dir, folder_of(name), named)]
        for name in gone:
            del recorded[name]
            msg.info(f"{name} is gone: its record is dropped")
        recorded.update(found)
        write_text(manifest, json.dumps(table, indent=1) + "\n")
    elif named is None:
        found = _recorded_folders(found, recorded, corpora_dir, source)
    problems = differences(found, recorded, corpora_dir, manifest, source)
    for problem in problems:
        msg.fail(problem)
    if problems:
        raise typer.Exit(1)
    if report is not None:
        write_text(report, json.dumps({"source": source, "sha256": found}, indent=1) + "\n")
    msg.good(f"{len(found)} files are as recorded in source '{source}' of {manifest}")


def _looked_at(corpora_dir: Path, folder: str, named: Optional[Sequence[str]]) -> bool:
    return folder in named if named is not None else (corpora_dir / folder).is_dir()


def _recorded_folders(
    found: Dict[str, str], recorded: Collection[str], corpora_dir: Path, source: str
) -> Dict[str, str]:
    """The files of folders of which any is recorded; the others are told of. Raises MTL174 where there is none."""
    known = {folder_of(name) for name in recorded}
    others = sorted({folder_of(name) for name in found} - known)
    if others:
        msg.info(f"Passed over, as source '{source}' has no record of any of their files: {', '.join(others)}")
    kept = {name: digest for name, digest in found.items() if folder_of(name) in known}
    if not kept:
        expected = f"one of the folders {', '.join(sorted(known))}" if known else "a source with records"
        raise MTLError(E174(path=corpora_dir, reason=f"nothing that source {source!r} records", expected=expected))
    return kept
