"""Tables of records: mean and spread over seeds with the published figures beside, cost, differences."""

from collections import defaultdict
from statistics import mean, stdev
from typing import Any, Dict, Iterable, List, NamedTuple, Optional, Sequence, Tuple

from .published import find
from .report import Cell, Table
from .statistics import LEAST_SEEDS, Difference
from .training import Variant

Record = Dict[str, Any]


class Group(NamedTuple):
    """What the records of several seeds have in common. A part of a corpus is named as one. joint: no corpus of the
    training was the main one."""

    corpus: str
    system: str
    partners: Tuple[str, ...]
    joint: bool

    def title(self) -> str:
        """The system, and whether it was trained jointly."""
        return f"{self.system}, jointly" if self.joint else self.system

    def beside(self) -> str:
        """The partners, or their number where they are many."""
        return (" + ".join(self.partners) if len(self.partners) < 4 else f"{len(self.partners)} corpora") or "-"


PROTOCOL_NOTE = (
    "Percent on test, exact match, means over seeds; everything is chosen on devel, and test is scored once. A "
    "published figure was measured under its own protocol, which stands beside it."
)


def by_group(records: Iterable[Record]) -> Dict[Group, List[Record]]:
    """Group records that differ in their seed alone, in the order of their first."""
    groups: Dict[Group, List[Record]] = defaultdict(list)
    for record in records:
        corpus, *partners = (_named(name, record) for name in (record["corpus"], *record["partners"]))
        joint = record.get("main", corpus) is None
        groups[Group(corpus, record["system"], tuple(partners), joint)].append(record)
    return dict(groups)


def _named(corpus: str, record: Record) -> str:
    """The corpus, and which part of it the training used."""
    part = record.get("parts", {}).get(corpus)
    return corpus if part is None else f"{corpus} ({Variant(**part).title()})"


def average(records: Sequence[Record], name: str) -> Optional[float]:
    """Return the mean of a figure, ``None`` where no record has it."""
    values = [record[name] for record in records if record.get(name) is not None]
    return round(mean(values), 2) if values else None


def deviation(records: Sequence[Record]) -> Optional[float]:
    """Return the standard deviation of F1 over seeds, ``None`` for a single one."""
    values = [record["f1"] for record in records if record.get("f1") is not None]
    return round(stdev(values), 2) if len(values) > 1 else None


def results_table(records: Iterable[Record], name: str = "results", title: str = "Results") -> Table:
    """Return the main table: a row a corpus, system and partners."""
    header = [
        "corpus",
        "system",
        "partners",
        "seeds",
        "P",
        "R",
        "F1",
        "sd",
        "least",
        "most",
        "devel F1",
        "published F1",
    ]
    rows: List[List[Cell]] = []
    for group, found in by_group(records).items():
        seeds = ", ".join(str(record["seed"]) for record in found)
        values = [record["f1"] for record in found if "f1" in record]
        figures = [average(found, "precision"), average(found, "recall"), average(found, "f1"), deviation(found)]
        figures += [min(values, default=None), max(values, default=None), average(found, "devel_f1")]
        config = found[0].get("config", "")
        known = "; ".join(map(str, find(group.system, group.corpus, group.partners, group.joint, config=config)))
        rows.append([group.corpus, group.title(), group.beside(), seeds, *figures, known or None])
    return Table(name, title, header, rows, PROTOCOL_NOTE)


def cost_table(records: Iterable[Record]) -> Table:
    """Return what each training cost, and the size of its model."""
    header = ["corpus", "system", "partners", "M parameters", "without words", "steps", "best pass", "minutes"]
    rows: List[List[Cell]] = []
    for group, found in by_group(records).items():
        sizes = [round(found[0].get(n, 0) / 1e6, 3) for n in ("parameters", "parameters_without_words")]
        means = [average(found, n) for n in ("steps", "best_pass", "minutes")]
        rows.append([group.corpus, group.title(), group.beside(), *sizes, *means])
    return Table("cost", "Size and cost", header, rows, "Means over seeds; a pass is one over the main corpus.")


def differences_table(found: Sequence[Difference], title: str = "Differences") -> Table:
    """Return the tests of differences: a row a comparison."""
    header = [
        "corpus",
        "first",
        "second",
        "seeds",
        "difference",
        "low",
        "high",
        "p",
        "p (Holm)",
        "p (t)",
        "p (Wilcoxon)",
    ]
    rows = [
        [d.corpus, d.first, d.second, d.seeds, d.difference, d.low, d.high]
        + [f"{p:.4f}" if p is not None else None for p in (d.bootstrap, d.holm, d.t_test, d.wilcoxon)]
        for d in found
    ]
    units = {f"{d.units} {d.unit}s of {d.corpus}" for d in found}
    note = (
        "F1 of the second less that of the first, pooled over the seeds that both have, with its 95 % interval and "
        f"two-sided p by a paired bootstrap over units of test ({'; '.join(sorted(units))}); Holm's correction is for "
        f"the {len(found)} comparisons of this table. Paired tests over seeds need {LEAST_SEEDS} seeds."
    )
    if any(d.unit == "sentence" for d in found):
        note += (
            " Sentences of one document are alike: over them intervals are too narrow and p is too small, the more so "
            "the fewer documents there are; --block N has N sentences in a row stand for a document."
        )
    return Table("differences", title, header, rows, note)
