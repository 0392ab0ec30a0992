"""The figures of the published systems, each with the protocol under which it was measured and its source."""

import csv
import re
from functools import lru_cache
from pathlib import Path
from typing import List, NamedTuple, Tuple

TABLE = Path(__file__).with_name("published.csv")
USUAL = ("", "GloVe", "PubMed", "PubMed and Wikipedia")
"""The vectors of the papers' main tables."""


class Published(NamedTuple):
    """A figure. also: another name of the system, that of this project's config. corpus: by its own name. partner: the
    one corpus beside it, "" for the paper's best, or several. share: percent of the training sentences. vectors: its
    word vectors. protocol: how it was measured."""

    paper: str
    system: str
    also: str
    corpus: str
    partner: str
    share: str
    vectors: str
    metric: str
    value: float
    protocol: str
    source: str

    def __str__(self) -> str:
        return f"{self.value:.2f} ({self.paper}; {self.protocol})"


@lru_cache(maxsize=1)
def published() -> List[Published]:
    """Return every figure."""
    with TABLE.open(encoding="utf8", newline="") as stream:
        rows = list(csv.reader(stream))[1:]
    return [Published(*row[:8], float(row[8]), *row[9:]) for row in rows]


def find(system: str, corpus: str, partner: str = "", share: str = "100", metric: str = "F1") -> List[Published]:
    """Return the figures of a system on a corpus: names may differ in case, hyphens and underscores."""
    wanted = _plain(corpus), _plain(partner), share, metric
    names = {_plain(system)} - {""}
    named = [figure for figure in published() if names & {_plain(figure.system), _plain(figure.also)}]
    return [figure for figure in named if wanted == _what(figure) and figure.vectors in USUAL]


def _what(figure: Published) -> Tuple[str, ...]:
    return _plain(figure.corpus), _plain(figure.partner), figure.share, figure.metric


def _plain(name: str) -> str:
    return re.sub(r"[\W_]", "", name).lower()
