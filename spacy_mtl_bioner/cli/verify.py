"""``mtl-bioner verify``: compare corpus files with the sha256 manifest before anything reads them."""

import hashlib
import json
from pathlib import Path
from typing import Collection, Dict, List, Optional, Sequence

import typer
from wasabi import msg

from ..corpora.sources import decoded, open_bytes, read_bytes
from ..durable import write_text
from ..errors import E170, E171, E172, E173, E174, MTLError
from .values import names_or_none

Manifest = Dict[str, Dict]
"""Source name to ``{"description": text, "sha256": {relative path: hexadecimal digest}}``."""


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


def folder_of(name: str) -> str:
    """The corpus of a file, by its path in the manifest."""
    return name.split("/")[0]


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


def read_manifest(path: Path) -> Manifest:
    """Return the recorded sources. Raises MTLError: MTL001 or MTL002 for the file, MTL174 for what is no manifest."""
    text = decoded(read_bytes(path), path)
    try:
        table = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise MTLError(E174(path=path, reason=str(error), expected="a manifest in JSON")) from error
    entries = table.values() if isinstance(table, dict) else [None]
    if not all(isinstance(entry, dict) and isinstance(entry.get("sha256"), dict) for entry in entries):
        raise MTLError(E174(path=path, reason="no manifest", expected='{source: {"sha256": {file: digest}}}'))
    return table


def digests(
    corpora_dir: Path, corpora: Optional[Sequence[str]] = None, recorded: Collection[str] = ()
) -> Dict[str, str]:
    """Return the sha256 of each ``<corpus>/<file>.tsv`` below a folder, keyed by the relative path.

    corpora: the folders to look at, ``None`` for all. Raises MTLError: MTL001 for a file that cannot be
    read, MTL174 where there is no such file at all, in a folder of ``corpora``, or in one of which files are
    ``recorded``; other folders, as ``.git``, are passed over.
    """
    expected_in = {folder_of(name) for name in recorded}
    names = corpora if corpora is not None else sorted(path.name for path in corpora_dir.iterdir() if path.is_dir())
    found = {}
    for name in names:
        files = sorted((corpora_dir / name).glob("*.tsv"))
        if not files and (corpora is not None or name in expected_in):
            raise MTLError(E174(path=corpora_dir / name, reason="no .tsv file", expected="train, devel and test"))
        for path in files:
            with open_bytes(path) as stream:
                found[f"{name}/{path.name}"] = hashlib.file_digest(stream, "sha256").hexdigest()
    if not found:
        raise MTLError(E174(path=corpora_dir, reason="no .tsv file in its folders", expected="one folder a corpus"))
    return found


def differences(
    found: Dict[str, str], recorded: Dict[str, str], corpora_dir: Path, manifest: Path, source: str
) -> List[str]:
    """Return one coded message a file that is not as recorded; files of folders not looked at do not count."""
    folders = {folder_of(name) for name in found}
    problems = []
    for name in sorted(set(found) | {name for name in recorded if folder_of(name) in folders}):
        path = corpora_dir / name
        if name not in recorded:
            problems.append(E170(path=path, source=source, manifest=manifest))
        elif name not in found:
            problems.append(E172(path=path, source=source, manifest=manifest))
        elif found[name] != str(recorded[name]).lower():
            problems.append(E171(path=path, found=found[name], expected=recorded[name], source=source))
    return problems
