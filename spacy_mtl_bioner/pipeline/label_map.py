"""One set of labels for all corpora: a gene is ``GENE``, ``Protein`` or ``GGP`` to a corpus, and ``Gene`` here.

The built-in map is that of the catalogue (``corpora/catalogue.json``), which says the category of every label of every
corpus. A map of yours goes before it, ``{corpus: {label: unified label}}``; the corpus ``*`` stands for all::

    {"BC5CDR": {"Chemical": "Drug"}, "*": {"Protein": "Protein"}}

A file may also be a catalogue of corpora, of which ``labels`` alone are looked at::

    {"corpora": {"my-genes": {"labels": {"Locus": "Gene"}}}}
"""

import json
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Set, Tuple

from spacy.util import registry

from ..corpora.catalogue import load_catalogue
from ..errors import E001, E400, MTLError
from .merging import Candidate, Merged, MergePolicy, Source, by_place

LabelMap = Mapping[str, Mapping[str, str]]
"""Corpus, or ``ANY``, to labels, to unified labels."""

ANY = "*"
"""Stands for every corpus."""


@lru_cache(maxsize=1)
def built_in() -> LabelMap:
    """Return the map of the catalogue. ``ANY`` holds what its corpora agree on, for corpora that are not in it: each
    category itself, and each label that has one category wherever it occurs."""
    corpora = {name: dict(entry.labels) for name, entry in load_catalogue().items() if entry.kind == "spans"}
    seen: Dict[str, Set[str]] = {}
    for labels in corpora.values():
        for label, category in labels.items():
            seen.setdefault(label, set()).add(category)
            seen.setdefault(category, set()).add(category)
    return {**corpora, ANY: {label: min(found) for label, found in seen.items() if len(found) == 1}}


def read_label_map(path: Path) -> LabelMap:
    """Read a map, or a catalogue's, from JSON. Raises MTLError: MTL001 where the file cannot be read, MTL400 where it
    holds neither."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        return checked(_of_catalogue(data, str(path)) if _is_catalogue(data) else data, str(path))
    except OSError as error:
        raise MTLError(E001(path=path, reason=error.strerror)) from error
    except ValueError as error:
        if isinstance(error, MTLError):
            raise
        raise MTLError(E400(where=path, found=error)) from error


def _is_catalogue(data: Any) -> bool:
    """A map has no objects two deep, so that a corpus called ``corpora`` is not taken for a catalogue."""
    entries = data.get("corpora") if isinstance(data, dict) else None
    return isinstance(entries, dict) and any(isinstance(entry, dict) for entry in entries.values())


def _of_catalogue(data: Dict[str, Any], where: str) -> Dict[str, Any]:
    """The labels of a catalogue's corpora, but for those whose labels are tags, a plain list. Raises MTL400."""
    found = {}
    for corpus, entry in data["corpora"].items():
        if not isinstance(entry, dict) or "labels" not in entry:
            raise MTLError(E400(where=where, found=f"{entry!r:.80} for the corpus {corpus!r}"))
        if not isinstance(entry["labels"], list):
            found[corpus] = entry["labels"]
    return found


def checked(data: Any, where: str) -> LabelMap:
    """Return ``data`` if it is a map of labels, else raise MTL400, which says what in ``where`` is none."""
    if not isinstance(data, Mapping):
        raise MTLError(E400(where=where, found=f"{data!r:.80}"))
    for corpus, labels in data.items():
        if not isinstance(labels, Mapping):
            raise MTLError(E400(where=where, found=f"{labels!r:.80} for the corpus {corpus!r}"))
        for label, unified in labels.items():
            if not (isinstance(label, str) and isinstance(unified, str) and label and unified):
                raise MTLError(E400(where=where, found=f"{label!r:.80} to {unified!r:.80} for the corpus {corpus!r}"))
    return data


def unified_label(corpus: str, label: str, labels: LabelMap) -> Optional[str]:
    """Return what ``label`` of ``corpus`` is called in the unified set; ``None`` where no map knows it.

    labels: a map that goes before the built-in one, and in each the corpus goes before ``ANY``.
    """
    for source in (labels, built_in()):
        for name in (corpus, ANY):
            if label in source.get(name, ()):
                return source[name][label]
    return None


@registry.misc("spacy_mtl_bioner.MergeUnified.v1")
def merge_unified(
    merge: MergePolicy, labels: Optional[Dict[str, Dict[str, str]]] = None, drop_unknown: bool = False
) -> MergePolicy:
    """Merge by ``merge``, with every label replaced by its unified one; see ``MergeUnified``.

    labels: a map that goes before the built-in one. drop_unknown: leave out what no map knows, instead of keeping it
    under its own label. Raises MTL400 where ``labels`` is no map, or a corpus has a dot in its name: a saved config, in
    which it would be the name of a section, could not be read again.
    """
    where = "labels of MergeUnified"
    for corpus in checked(labels or {}, where):
        if "." in corpus:
            raise MTLError(E400(where=where, found=f"a dot in the name of the corpus {corpus!r}"))
    return MergeUnified(merge, labels or {}, drop_unknown)


@dataclass(frozen=True)
class MergeUnified:
    """Merge by another policy, to which corpora that call a thing by different names agree.

    So ``MergeByVote`` counts votes for unified labels. ``doc.ents`` get the unified label, ``doc.spans`` keep the
    corpus' own, and ``Doc._.mtl`` has both.
    """

    merge: MergePolicy
    labels: LabelMap = field(default_factory=dict)
    drop_unknown: bool = False

    def __call__(self, candidates: List[Candidate]) -> List[Merged]:
        unified: List[Candidate] = []
        sources: Dict[Tuple[int, int], List[Tuple[Candidate, str]]] = {}
        for found in candidates:
            label = unified_label(found.corpus, found.label, self.labels)
            if label is None and self.drop_unknown:
                continue
            unified.append(found._replace(label=label or found.label))
            sources.setdefault(found[:2], []).append((found, label or found.label))
        merged = self.merge(unified)  # a policy may make stretches that no candidate has
        return [m._replace(sources=_sources(sources[m[:2]])) if m[:2] in sources else m for m in merged]

    @property
    def priority(self) -> Optional[Tuple[str, ...]]:
        """The corpora that the other policy names, which the component checks."""
        return getattr(self.merge, "priority", None)

    @property
    def minimum(self) -> Optional[int]:
        """How many corpora must agree for the other policy, which the component checks."""
        return getattr(self.merge, "minimum", None)


def _sources(group: List[Tuple[Candidate, str]]) -> Tuple[Source, ...]:
    group.sort(key=lambda pair: by_place(pair[0]))
    return tuple(Source(c.corpus, c.label, c.score, unified) for c, unified in group)
