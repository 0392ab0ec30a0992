"""From what the heads found in flat tokens to annotations on documents."""

from typing import Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

import numpy as np
from spacy.tokens import Doc
from thinc.api import Model

from ..extensions import MTL_TAGS
from ..models.multi_task_ner import Found, Wanted
from ..types import CorpusSpec
from .groups import clear_groups, clear_merged, merge_groups, others_of, write_group
from .merging import Candidate, MergePolicy


class _Piece(NamedTuple):
    """One corpus' entities in one document, as parallel lists of token positions, label strings and scores."""

    corpus: str
    starts: List[int]
    ends: List[int]
    labels: List[str]
    scores: List[Optional[float]]


class Predictions:
    """What some documents' selected corpora found, document by document."""

    def __init__(self, heads: Mapping[str, CorpusSpec], thresholds: Mapping[str, float]) -> None:
        self.heads = heads
        self.thresholds = thresholds
        self.no_entities = all(spec.kind == "tags" for spec in heads.values())
        self.pieces: Dict[int, List[_Piece]] = {}
        self.tags: Dict[int, Dict[str, List[str]]] = {}

    def add(
        self, model: Model, docs: Sequence[Doc], members: Sequence[int], selection: Tuple[str, ...], scores: bool
    ) -> None:
        """Run the model for the documents at positions ``members`` with the selected corpora."""
        chosen = [docs[i] for i in members]
        borders = np.concatenate([[0], np.cumsum([len(doc) for doc in chosen], dtype="int64")])
        found = model.predict(Wanted(chosen, selection, scores)) if selection else {}
        for i in members:
            self.pieces[i] = []
        for corpus, entities in found.items():
            if self.heads[corpus].kind == "tags":
                tags = np.full(borders[-1], -1) if entities.tags is None else entities.tags
                self._add_tags(corpus, tags, members, borders)
            else:
                self._add_entities(corpus, entities, members, borders)

    def _add_entities(self, corpus: str, found: Found, members: Sequence[int], borders: np.ndarray) -> None:
        starts, ends, labels, scores = found.starts, found.ends, found.labels, found.scores
        limit = self.thresholds[corpus]
        if scores is not None and limit > 0:
            keep = scores >= limit
            starts, ends, labels, scores = starts[keep], ends[keep], labels[keep], scores[keep]
        cuts = np.searchsorted(starts, borders).tolist()
        names = self.heads[corpus].labels
        label_list = [names[label] for label in labels.tolist()]
        score_list = [None] * len(starts) if scores is None else scores.tolist()
        offsets = np.repeat(borders[:-1], np.diff(cuts))
        start_list, end_list = (starts - offsets).tolist(), (ends - offsets).tolist()
        for i, a, b in zip(members, cuts, cuts[1:]):
            self.pieces[i].append(_Piece(corpus, start_list[a:b], end_list[a:b], label_list[a:b], score_list[a:b]))

    def _add_tags(self, corpus: str, tags: np.ndarray, members: Sequence[int], borders: np.ndarray) -> None:
        names = self.heads[corpus].labels
        for i, a, b in zip(members, borders.tolist(), borders[1:].tolist()):
            self.tags.setdefault(i, {})[corpus] = [names[tag] if tag >= 0 else "" for tag in tags[a:b].tolist()]

    def write(self, docs: Sequence[Doc], merge: MergePolicy, overwrite: bool = True) -> None:
        """Set ``doc.spans``, ``doc.ents``, ``Doc._.mtl``, and the tags of corpora of kind ``tags``. What these heads
        found in an earlier call goes, unless only corpora of kind ``tags`` are selected: those touch no entity. Where
        no corpus is selected, the entities of others stay, and unless ``overwrite``, in any case."""
        for i, doc in enumerate(docs):
            only_tags = not self.pieces[i] and (i in self.tags or self.no_entities)
            others = others_of(doc, self.heads) if self.pieces[i] and not overwrite else ()
            if doc.spans and not only_tags:
                clear_groups(doc, self.heads)
            candidates: List[Candidate] = []
            for rank, (corpus, starts, ends, labels, scores) in enumerate(self.pieces[i]):
                write_group(doc, corpus, rank, zip(starts, ends, labels), scores)
                candidates += [Candidate(a, b, c, corpus, s, rank) for a, b, c, s in zip(starts, ends, labels, scores)]
            if i in self.tags:
                doc.user_data[MTL_TAGS] = {**doc.user_data.get(MTL_TAGS, {}), **self.tags[i]}
            if self.pieces[i]:
                merge_groups(doc, candidates, merge, others)
            elif not only_tags:
                clear_merged(doc, self.heads)
