"""HTML, out: a page to look at, which needs nothing else; see ``annotate/html.py``."""

from typing import Sequence

from ..html import article, page_end, page_start
from ..records import Annotated
from .base import StreamWriter


def part(documents: Sequence[Annotated]) -> bytes:
    """An article each."""
    return "".join(map(article, documents)).encode("utf-8", "replace")


def make_writer(title: str) -> StreamWriter:
    """The writer of a page with this title."""
    ends = (page_start(title).encode("utf-8", "replace"), page_end().encode("utf-8"))
    return StreamWriter(part, (".html", ".htm"), head=ends[0], foot=ends[1], keep_docs=True)


WRITER = make_writer("Entities")
