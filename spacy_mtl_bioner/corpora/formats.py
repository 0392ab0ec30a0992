"""The stand-off formats by name and by suffix: one table, to which a new format is one more entry."""

from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Dict, Iterable, Iterator, Optional, Protocol, Tuple

from ..errors import E029, E030, E037, MTLError
from ..types import Document
from .bioc_format import JSON_SUFFIXES, XML_SUFFIXES, read_bioc_json, read_bioc_xml
from .bioc_write import write_bioc_json, write_bioc_xml
from .brat import read_brat, write_brat
from .jsonl import SUFFIXES as JSONL_SUFFIXES
from .jsonl import read_jsonl, write_jsonl
from .problems import Problems, code_of
from .pubtator import SUFFIXES as PUBTATOR_SUFFIXES
from .pubtator import read_pubtator, read_pubtator_texts, write_pubtator
from .sources import suffix_of
from .standoff import Labels


class Reader(Protocol):
    """Yields the documents of a path. ``labels``: those of mentions that count where others overlap them."""

    def __call__(self, path: Path, problems: Problems, labels: Labels = None) -> Iterator[Document]: ...


Writer = Callable[[Path, Iterable[Document]], None]


@dataclass(frozen=True)
class Format:
    """A format: how to read and write it, and the lower-case suffixes of its files (``""``: a folder). All are read
    from a folder of files too, in the order of their names."""

    read: Reader
    write: Writer
    suffixes: Tuple[str, ...]


FORMATS: Dict[str, Format] = {
    "pubtator": Format(read_pubtator, write_pubtator, PUBTATOR_SUFFIXES),
    "brat": Format(read_brat, write_brat, ("", ".ann")),
    "bioc-xml": Format(read_bioc_xml, write_bioc_xml, XML_SUFFIXES),
    "bioc-json": Format(read_bioc_json, write_bioc_json, JSON_SUFFIXES),
    "jsonl": Format(read_jsonl, write_jsonl, JSONL_SUFFIXES),
}


def get_format(path: Path, name: Optional[str] = None) -> Format:
    """The format called ``name``, else the one that the suffix of ``path`` tells (before ``.gz``; a folder is BRAT).

    Raises MTL037 for a name or suffix that is not in ``FORMATS``.
    """
    suffix = "" if path.is_dir() else suffix_of(path) or ("(none)" if path.is_file() or path.suffix else "")
    by_suffix = {suffix: key for key, entry in FORMATS.items() for suffix in entry.suffixes}
    found = FORMATS.get(name or by_suffix.get(suffix, ""))
    if found is None:
        raise MTLError(E037(path=path, format=name or suffix, expected=", ".join(FORMATS)))
    return found


def read_documents(
    path: Path, problems: Problems, format: Optional[str] = None, labels: Labels = None
) -> Iterator[Document]:
    """Yield the documents of ``path``, in the named format or the one its suffix tells; raises as its reader does."""
    return get_format(path, format).read(path, problems, labels)


def read_texts(path: Path, problems: Problems) -> Iterator[Document]:
    """Yield the documents of a file that is read for its texts: mentions that no flat span expresses (MTL029, MTL030)
    are no loss there, nor is any mention of PubTator, which ``.txt`` is, as its corpora are often distributed so.
    Raises as its reader."""
    entry = get_format(path, "pubtator" if suffix_of(path) == ".txt" and not path.is_dir() else None)
    read = read_pubtator_texts if entry is FORMATS["pubtator"] else entry.read
    return read(path, _Texts(problems))


class _Texts(Problems):
    """Counts into another collector what is wrong with more than a mention."""

    def __init__(self, problems: Problems) -> None:
        super().__init__(problems.on_error)
        self.skipped, self.warned = problems.skipped, problems.warned

    def error(self, message: str) -> None:
        """As any collector does, but for MTL029 and MTL030, which are passed over."""
        if code_of(message) not in (E029.code, E030.code):
            super().error(message)
