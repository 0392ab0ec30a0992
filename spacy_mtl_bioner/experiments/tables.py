"""Tables of results: mean and spread over seeds, with the published figure beside."""

from collections import defaultdict
from statistics import mean
from typing import Any, Dict, Iterable, List, Sequence, Tuple

from wasabi import table

Record = Dict[str, Any]
Group = Tuple[str, str, Tuple[str, ...]]
"""Corpus, system, partners: what the records of several seeds have in common."""


def by_group(records: Iterable[Record]) -> Dict[Group, List[Record]]:
    """Group records that differ in their seed alone, in the order of their first."""
    groups: Dict[Group, List[Record]] = defaultdict(list)
    for record in records:
        groups[record["corpus"], record["system"], tuple(record["partners"])].append(record)
    return dict(groups)


def spread(values: Sequence[float]) -> str:
    """Return the mean and, of several, the range."""
    if len(values) == 1:
        return f"{values[0]:.2f}"
    return f"{mean(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def results_table(records: Iterable[Record]) -> str:
    """Return the table: a row a corpus, system and partners; percent, on test but for the devel column."""
    header = ["corpus", "system", "partners", "seeds", "P", "R", "F1", "devel F1"]
    rows = []
    for (corpus, system, partners), found in by_group(records).items():
        seeds = ", ".join(str(record["seed"]) for record in found)
        named = "+".join(partners) if len(partners) < 4 else f"{len(partners)} corpora"
        figures = [[record.get(name, 0.0) for record in found] for name in ("precision", "recall", "f1", "devel_f1")]
        p, r, f1, devel = figures
        rows.append([corpus, system, named or "-", seeds, f"{mean(p):.2f}", f"{mean(r):.2f}", spread(f1), spread(devel)])
    return table(rows, header=header, divider=True, aligns=["l"] * 4 + ["r"] * 4)
