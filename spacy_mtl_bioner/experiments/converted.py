"""What converted corpora hold, as ``mtl-bioner convert`` reported it."""

from pathlib import Path
from typing import Any, Dict, Sequence, Tuple

from ..errors import E310, MTLError
from .folder import read_json
from .training import Setting


def report_of(corpus: str, setting: Setting) -> Dict[str, Any]:
    """Return a corpus' ``report.json``. Raises MTLError (MTL310) where there is none."""
    path = setting.corpora_dir / corpus / "report.json"
    found = read_json(path)
    if not _is_report(found):
        raise MTLError(E310(path=path, corpus=corpus))
    return found


def _is_report(found: Any) -> bool:
    """Whether JSON is what ``convert`` writes: a study, or a program of others, has a ``report.json`` too."""
    parts = {"kind": str, "labels": (dict, list), "splits": dict}
    return isinstance(found, dict) and all(isinstance(found.get(name), kind) for name, kind in parts.items())


def labels_of(corpus: str, setting: Setting) -> Dict[str, str]:
    """Return the category of each label; nothing for a corpus of kind ``tags``."""
    found = report_of(corpus, setting)
    return dict(found["labels"]) if found["kind"] == "spans" else {}


def categories_of(folder: Path) -> Dict[str, str]:
    """Return the category of each label of the corpus in a folder; nothing where there is no report of it."""
    found = read_json(folder / "report.json")
    return dict(found["labels"]) if _is_report(found) and isinstance(found["labels"], dict) else {}


def tokens_of(corpus: str, setting: Setting) -> int:
    """Return the number of training tokens."""
    return int(report_of(corpus, setting)["splits"]["train"]["tokens"])


def spans_corpora(corpora_dir: Path) -> Tuple[str, ...]:
    """Return the names of all corpora of kind ``spans`` in a folder."""
    reports = {path.parent.name: read_json(path) for path in sorted(corpora_dir.glob("*/report.json"))}
    return tuple(name for name, found in reports.items() if _is_report(found) and found["kind"] == "spans")


def groups_of(corpora: Sequence[str], setting: Setting) -> Dict[str, Dict[str, Tuple[str, ...]]]:
    """Return category -> corpus -> its labels, for each category that at least two of the corpora annotate."""
    groups: Dict[str, Dict[str, Tuple[str, ...]]] = {}
    for corpus in corpora:
        for label, category in labels_of(corpus, setting).items():
            of = groups.setdefault(category, {})
            of[corpus] = (*of.get(corpus, ()), label)
    return {category: of for category, of in sorted(groups.items()) if len(of) > 1}
