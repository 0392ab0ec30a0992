"""``mtl-bioner verify``: compare corpus files with the sha256 manifest before anything reads them."""

import hashlib
import json
from pathlib import Path
from typing import Dict, List, Optional, Sequence

import typer
from wasabi import msg

from ..errors import E170, E171, E172, E173, E174, MTLError
from .values import names_or_none

Manifest = Dict[str, Dict]
"""Source name to ``{"description": text, "sha256": {relative path: hexadecimal digest}}``."""


def verify(
    corpora_dir: Path = typer.Argument(..., help="Folder with one folder a corpus", exists=True, file_okay=False),
    manifest: Path = typer.Option(..., help="JSON file with the recorded sha256 of each file, by source"),
    source: str = typer.Option(..., help="Where the files are from: a name in the manifest"),
    corpora: Optional[str] = typer.Option(None, help="Folders to verify, separated by commas; default: all"),
    record: bool = typer.Option(False, "--record", help="Write what is found into the manifest instead of failing"),
    report: Optional[Path] = typer.Option(None, help="Write the verified files and their sha256 here, as JSON"),
) -> None:
    """Check each corpus file against the manifest: a file that differs, lacks a record or is missing in a corpus'
    folder fails. A whole corpus may be absent, unless --corpora names it."""
    table = read_manifest(manifest)
    if source not in table and not record:
        raise MTLError(E173(path=manifest, source=source, known=", ".join(sorted(table)) or "none"))
    found = digests(corpora_dir, names_or_none(corpora))
    recorded = table.setdefault(source, {"description": "", "sha256": {}})["sha256"]
    if record:
        recorded.update(found)
        manifest.write_text(json.dumps(table, indent=1) + "\n", encoding="utf8")
    problems = differences(found, recorded, corpora_dir, manifest, source)
    for problem in problems:
        msg.fail(problem)
    if problems:
        raise typer.Exit(1)
    if report is not None:
        report.parent.mkdir(parents=True, exist_ok=True)
        report.write_text(json.dumps({"source": source, "sha256": found}, indent=1) + "\n", encoding="utf8")
    msg.good(f"{len(found)} files are as recorded in source '{source}' of {manifest}")


def read_manifest(path: Path) -> Manifest:
    """Return the recorded sources, none where there is no such file. Raises MTLError (MTL174) for another file."""
    try:
        table = json.loads(path.read_text(encoding="utf8")) if path.exists() else {}
    except (OSError, ValueError) as error:
        raise MTLError(E174(path=path, reason=str(error), expected="a manifest in JSON")) from error
    entries = table.values() if isinstance(table, dict) else [None]
    if not all(isinstance(entry, dict) and isinstance(entry.get("sha256"), dict) for entry in entries):
        raise MTLError(E174(path=path, reason="no manifest", expected='{source: {"sha256": {file: digest}}}'))
    return table


def digests(corpora_dir: Path, corpora: Optional[Sequence[str]] = None) -> Dict[str, str]:
    """Return the sha256 of each ``<corpus>/<file>.tsv`` below a folder, keyed by the relative path.

    corpora: the folders to look at, ``None`` for all. Raises MTLError (MTL174) where a folder holds no such file.
    """
    names = corpora if corpora is not None else sorted(path.name for path in corpora_dir.iterdir() if path.is_dir())
    found = {}
    for name in names:
        files = sorted((corpora_dir / name).glob("*.tsv"))
        if not files:
            raise MTLError(E174(path=corpora_dir / name, reason="no .tsv file", expected="train, devel and test"))
        for path in files:
            found[f"{name}/{path.name}"] = hashlib.sha256(path.read_bytes()).hexdigest()
    if not found:
        raise MTLError(E174(path=corpora_dir, reason="no corpus folder", expected="one folder a corpus"))
    return found


def differences(
    found: Dict[str, str], recorded: Dict[str, str], corpora_dir: Path, manifest: Path, source: str
) -> List[str]:
    """Return one coded message a file that is not as recorded; files of folders not looked at do not count."""
    folders = {name.split("/")[0] for name in found}
    problems = []
    for name in sorted(set(found) | {name for name in recorded if name.split("/")[0] in folders}):
        path = corpora_dir / name
        if name not in recorded:
            problems.append(E170(path=path, source=source, manifest=manifest))
        elif name not in found:
            problems.append(E172(path=path, source=source, manifest=manifest))
        elif found[name] != recorded[name]:
            problems.append(E171(path=path, found=found[name], expected=recorded[name], source=source))
    return problems
