"""The catalogue of corpora: one JSON file that says of each where it lies, how it is written and what it annotates.

``catalogue.json`` beside this module describes the published corpora. Yours is a file in the same form, whose entries
are added to these (an entry of the same name replaces the published one)::

    {
      "categories": {"Assay": "laboratory methods"},
      "corpora": {
        "my-assays": {
          "folder": "assays",
          "labels": {"Assay": "Assay", "Drug": "Chemical"},
          "license": "CC BY 4.0",
          "citation": "Us 2025"
        }
      }
    }

``folder`` is relative to the folder that ``convert`` is given. ``labels`` maps each label to its category, which is
what the labels of all corpora have in common: one of ``categories``, published or your own. All else may be left out:
``format`` (``conll``, or a stand-off format: ``pubtator``, ``brat``, ``bioc-xml``, ``bioc-json``, ``jsonl``; default
``conll``), ``scheme`` (``IOB1``, ``IOB2`` or ``IOBES``, for ``conll``; default ``IOB2``), ``kind`` (``spans``, or
``tags`` for tags of ``conll`` files that are no spans, whose ``labels`` are a plain list; default ``spans``),
``renames`` (labels in the files to those of ``labels``), ``splits`` (``train``, ``devel`` and ``test`` to file names;
default ``train.tsv`` and so on; a corpus without ``devel`` gives a part of ``train``) and ``url``.
"""

import json
import re
from collections import Counter
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any, Dict, List, Mapping, NoReturn, Optional, Set, Tuple

from ..errors import E008, E009, E010, MTLError
from ..types import Kind
from .schemes import SCHEMES
from .sources import decoded, read_bytes

PUBLISHED = Path(__file__).with_name("catalogue.json")
SPLITS = ("train", "devel", "test")
CONLL = "conll"
FORMATS = (CONLL, "pubtator", "brat", "bioc-xml", "bioc-json", "jsonl")
_NAME = re.compile(r"[A-Za-z0-9][\w.-]*")


@dataclass(frozen=True)
class CorpusEntry:
    """What the catalogue says of a corpus; see the module's text for the fields."""

    name: str
    folder: str
    labels: Mapping[str, str]
    license: str
    citation: str
    format: str = CONLL
    kind: Kind = "spans"
    scheme: str = "IOB2"
    renames: Mapping[str, str] = field(default_factory=dict)
    splits: Mapping[str, str] = field(default_factory=lambda: {split: f"{split}.tsv" for split in SPLITS})
    url: str = ""

    def known_labels(self) -> Dict[str, str]:
        """Every label that the files may hold, to the label that is used for it."""
        return {**{label: label for label in self.labels}, **self.renames}


def load_catalogue(path: Optional[Path] = None) -> Dict[str, CorpusEntry]:
    """Return the published corpora, with those of the file ``path`` added.

    Raises MTL001, MTL002 and MTL008 for a file that cannot be read and MTL009 for a field that is missing, unknown or
    wrong.
    """
    entries: Dict[str, CorpusEntry] = {}
    categories: Set[str] = set()
    for source in (PUBLISHED, path):
        if source is not None:
            data = _load(source)
            categories.update(data.get("categories", {}))
            for name, record in data["corpora"].items():
                entries[name] = _entry(source, name, record, categories)
    return entries


def get_entry(catalogue: Mapping[str, CorpusEntry], name: str) -> CorpusEntry:
    """Return the entry of a corpus. Raises MTL010, with the known names, for an unknown one."""
    if name not in catalogue:
        raise MTLError(E010(corpus=name, known=", ".join(catalogue)))
    return catalogue[name]


def _load(path: Path) -> Dict[str, Any]:
    text = decoded(read_bytes(path), path)
    try:
        data = json.loads(text, object_pairs_hook=_object)
    except (ValueError, RecursionError) as error:
        raise MTLError(E008(path=path, reason=error)) from error
    if not isinstance(data, dict) or not isinstance(data.get("corpora"), dict):
        raise MTLError(E008(path=path, reason="no object 'corpora'"))
    if not isinstance(data.get("categories", {}), dict):
        raise MTLError(E008(path=path, reason="'categories' is no object"))
    return data


def _object(pairs: List[Tuple[str, Any]]) -> Dict[str, Any]:
    """A JSON object. Raises ValueError for a name that comes twice, of which json would take the last."""
    for name, times in Counter(name for name, _ in pairs).items():
        if times > 1:
            raise ValueError(f"{name!r} stands there twice")
    return dict(pairs)


def _is_texts(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(item, str) and item for pair in value.items() for item in pair)


def _entry(path: Path, name: str, record: Any, categories: Set[str]) -> CorpusEntry:
    """Check a record and return its entry. Raises MTL009."""

    def fail(field: str, reason: str) -> NoReturn:
        raise MTLError(E009(path=path, corpus=name, field=field, reason=reason))

    if not _NAME.fullmatch(name):
        fail("(name)", "expected letters, digits and . _ -, for it names a folder, and A+B are two corpora")
    if not isinstance(record, dict):
        fail("(all)", "expected an object")
    known = {f.name: f for f in fields(CorpusEntry) if f.name != "name"}
    for key, value in record.items():
        if key not in known:
            fail(key, f"unknown; expected one of {', '.join(known)}")
        if key in ("renames", "splits") and not _is_texts(value):
            fail(key, "expected an object of texts")
        if key not in ("renames", "splits", "labels") and not isinstance(value, str):
            fail(key, "expected a text")
    for key, known_field in known.items():
        if key not in record and known_field.default is MISSING and known_field.default_factory is MISSING:
            fail(key, "missing")
    choices = {"format": FORMATS, "kind": ("spans", "tags"), "scheme": tuple(SCHEMES)}
    for key, allowed in choices.items():
        if record.get(key, allowed[0]) not in allowed:
            fail(key, f"{record[key]!r} is not one of {', '.join(allowed)}")
    labels = record["labels"]
    if record.get("kind") == "tags":
        if record.get("format", CONLL) != CONLL:
            fail("kind", f"files of format {record['format']} give spans; tags need {CONLL}")
        if not isinstance(labels, list) or not labels or not all(isinstance(label, str) and label for label in labels):
            fail("labels", "expected a list of tags")
        record = {**record, "labels": dict.fromkeys(labels, "")}
    elif not _is_texts(labels) or not labels:
        fail("labels", "expected an object of labels and their categories")
    for label, category in record["labels"].items():
        if category and category not in categories:
            fail("labels", f"category {category!r} of {label!r} is not one of {', '.join(sorted(categories))}")
    for target in record.get("renames", {}).values():
        if target not in record["labels"]:
            fail("renames", f"{target!r} is not one of the labels")
    if "train" not in record.get("splits", {"train": ""}) or set(record.get("splits", ())) - set(SPLITS):
        fail("splits", "expected train, and devel and test where there are such")
    return CorpusEntry(name=name, **record)
