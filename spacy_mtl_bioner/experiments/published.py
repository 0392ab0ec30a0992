"""The figures of the published systems, each with the protocol under which it was measured and its source."""

import csv
import re
from functools import lru_cache
from pathlib import Path
from typing import List, NamedTuple, Sequence

TABLE = Path(__file__).with_name("published.csv")
USUAL = ("", "GloVe", "PubMed", "PubMed and Wikipedia")
"""The vectors of the papers' main tables."""

PAPERS = {
    "crichton_2017": "Crichton et al. 2017",
    "wang_xi_2019": "Wang Xi et al. 2019",
    "wang_xuan_2018": "Wang Xuan et al. 2018",
    "zhang_chen_2022": "Zhang and Chen 2022",
}
"""Folders of configs, and whose systems they hold."""

BEST, ALL = "best", "all"
"""What stands for a partner: that of the paper's best figure, and all of the paper's corpora in one model."""


class Published(NamedTuple):
    """A figure. also: another name of the system, that of this project's config. corpus: by its own name. partner: the
    one corpus beside it, ``BEST``, ``ALL``, or "" for none. share: percent of the training sentences. vectors: its
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
        untold = self.partner == BEST and "partner" not in self.protocol
        return f"{self.value:.2f} ({self.paper}; {self.protocol}{', the best partner' if untold else ''})"


@lru_cache(maxsize=1)
def published() -> List[Published]:
    """Return every figure."""
    with TABLE.open(encoding="utf8", newline="") as stream:
        rows = list(csv.reader(stream))[1:]
    return [Published(*row[:8], float(row[8]), *row[9:]) for row in rows]


def find(
    system: str,
    corpus: str,
    partners: Sequence[str] = (),
    joint: bool = False,
    share: str = "100",
    config: str = "",
) -> List[Published]:
    """Return the F1 of a system on a corpus: names may differ in case, hyphens and underscores.

    partners: of one partner its own figures, else those with the paper's best; of several, or in a ``joint`` training,
    those of one model for all corpora; of none those of single corpora. config: FOLDER/FILE, which tells whose system
    it is, where the folder is one of ``PAPERS``: two papers have an STM.
    """
    names = {_plain(system)} - {""}
    paper = PAPERS.get(config.rpartition("/")[0])
    found = [
        figure
        for figure in published()
        if names & {_plain(figure.system), _plain(figure.also)}
        and (_plain(corpus), share, "F1") == (_plain(figure.corpus), figure.share, figure.metric)
        and figure.vectors in USUAL
        and paper in (None, figure.paper)
    ]
    for beside in [ALL] if joint or len(partners) > 1 else [*partners, BEST] if partners else [""]:
        with_it = [figure for figure in found if _plain(figure.partner) == _plain(beside)]
        if with_it:
            return with_it
    return []


def _plain(name: str) -> str:
    return re.sub(r"[\W_]", "", name).lower()
