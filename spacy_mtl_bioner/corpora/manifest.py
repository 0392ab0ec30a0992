"""The sha256 of corpus files, and the manifest that records them."""

import hashlib
import json
from pathlib import Path
from typing import Collection, Dict, List, Optional, Sequence

from ..errors import E170, E171, E172, E174, MTLError
from .sources import decoded, open_bytes, read_bytes

Manifest = Dict[str, Dict]
"""Source name to ``{"description": text, "sha256": {relative path: hexadecimal digest}}``."""


def folder_of(name: str) -> str:
    """The corpus of a file, by its path in the manifest."""
    return name.split("/")[0]


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
