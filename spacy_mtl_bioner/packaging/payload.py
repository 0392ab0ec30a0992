"""Find pickled data in a wheel, an archive or a folder without ever loading it."""

import pickletools
import zipfile
from pathlib import Path
from typing import Iterator, List, Tuple

SUFFIXES = (".pickle", ".pkl", ".dill", ".joblib", ".pt", ".pth")
"""Names that say it themselves."""

LEGACY_TORCH = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
"""The magic number, a pickle itself, that torch wrote at the start of a file before it used zip archives."""

NUMPY = b"\x93NUMPY"
"""How an array file of NumPy starts; the header after it says in its first bytes whether the items are objects."""

FRAMES = (b"\x80\x04\x95", b"\x80\x05\x95")
"""Protocol header and frame opcode: the first bytes of a pickle of protocol 4 and 5; eight bytes of length follow."""


def pickled_members(path: Path) -> List[str]:
    """Return the names of the members of a wheel, zip archive or folder that are or contain a pickle or a torch zip."""
    return sorted(name for name, data in members(path) if name.lower().endswith(SUFFIXES) or holds_pickle(data))


def members(path: Path) -> Iterator[Tuple[str, bytes]]:
    """Yield the name and content of each file in a folder or zip archive."""
    if path.is_dir():
        for file in sorted(path.rglob("*")):
            if file.is_file():
                yield file.relative_to(path).as_posix(), file.read_bytes()
        return
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if not name.endswith("/"):
                yield name, archive.read(name)


def holds_pickle(data: bytes) -> bool:
    """Say whether bytes are a pickle, or hold a framed pickle, a legacy torch file, a zip with ``data.pkl``
    or an array of objects, which NumPy pickles."""
    if LEGACY_TORCH in data or (b"PK\x03\x04" in data and b"data.pkl" in data):
        return True
    if data.startswith(NUMPY) and b"'|O'" in data[:256]:
        return True
    return is_pickle(data) or any(framed(data, at, len(header)) for header in FRAMES for at in find(data, header))


def is_pickle(data: bytes) -> bool:
    """Say whether bytes are one complete pickle of protocol 2 or later; opcodes are read, never executed."""
    if data[:1] != b"\x80" or data[1:2] not in (b"\x02", b"\x03", b"\x04", b"\x05"):
        return False
    try:
        return any(opcode.name == "STOP" for opcode, _, _ in pickletools.genops(data))
    except (ValueError, UnicodeDecodeError, IndexError):
        return False


def framed(data: bytes, at: int, header: int) -> bool:
    """Say whether a frame length that fits in the data follows the header at a position."""
    length = int.from_bytes(data[at + header : at + header + 8], "little")
    return 0 < length <= len(data) - at - header - 8


def find(data: bytes, part: bytes) -> Iterator[int]:
    """Yield each position of a part."""
    at = data.find(part)
    while at >= 0:
        yield at
        at = data.find(part, at + 1)
