"""Exact-match scores of each corpus against its own gold, and of all together."""

import logging
from collections import Counter
from typing import Any, Callable, Dict, Iterable, List, NamedTuple, Optional, Set, Tuple

from spacy.scorer import PRFScore
from spacy.tokens import Doc, Span
from spacy.training import Example
from spacy.util import registry

from ..errors import E116
from ..extensions import MTL_TAGS

logger = logging.getLogger("spacy_mtl_bioner")

Found = Set[Tuple[int, int, str]]
"""Entities as first character, one past the last, label; of the reference's text."""

POOLED = ("micro", "macro")
"""What stands in the place of a corpus in the names of the scores of all corpora; no corpus can have such a name."""


class Counts:
    """True and false positives and false negatives, together and by label."""

    def __init__(self) -> None:
        self.all = PRFScore()
        self.labels: Dict[str, PRFScore] = {}

    def add(self, predicted: Found, gold: Found) -> None:
        """Count one document."""
        self.all.score_set(predicted, gold)
        for label in {found[2] for found in predicted | gold}:
            score = self.labels.setdefault(label, PRFScore())
            score.score_set({f for f in predicted if f[2] == label}, {g for g in gold if g[2] == label})

    def per_type(self) -> Dict[str, Dict[str, float]]:
        """Return ``p``, ``r`` and ``f`` of each label."""
        return {label: score.to_dict() for label, score in sorted(self.labels.items())}

    def details(self) -> Dict[str, Any]:
        """Return the scores, the counts behind them, and each label's."""
        counts = {"tp": self.all.tp, "fp": self.all.fp, "fn": self.all.fn}
        return {**self.all.to_dict(), **counts, "per_type": self.per_type()}


class Accuracy(NamedTuple):
    """Tokens tagged as in the gold, of tokens that have a gold tag."""

    correct: int = 0
    total: int = 0

    def __add__(self, other: "Accuracy") -> "Accuracy":  # type: ignore[override]
        return Accuracy(self.correct + other.correct, self.total + other.total)

    def share(self) -> float:
        """Return the share of the correct ones, 0 of none."""
        return self.correct / max(self.total, 1)


@registry.scorers("spacy_mtl_bioner.mtl_scorer.v1")
def make_mtl_scorer() -> Callable[..., Dict[str, Any]]:
    """Return ``mtl_score``."""
    return mtl_score


def mtl_score(examples: Iterable[Example], **kwargs: Any) -> Dict[str, Any]:
    """Score entities by exact match of first character, last character and label.

    A reference of a known corpus (``Doc._.corpus``) is compared with ``predicted.spans[corpus]``, where there is such
    a group; any other with ``predicted.ents``. References without annotation are left out, and so are predictions
    on tokens whose annotation is missing. A head of kind ``tags`` is scored by ``user_data["mtl_tags"][corpus]``
    against ``Token.tag_`` where its reference has tags.

    Returns numbers from 0 to 1, 0 where there is nothing to divide by:
        ``ents_p``, ``ents_r``, ``ents_f`` and ``mtl_micro_p/r/f``: all documents pooled;
        ``mtl_macro_f``: the mean of the corpora's F (documents of no known corpus count as one more); where all
            corpora are of kind ``tags``, of their accuracies, so that a training has something to choose by;
        ``mtl_<corpus>_p/r/f``, or ``mtl_<corpus>_acc`` for tags;
    and for reading, not for weights, ``ents_per_type`` (labels of one name pooled) and ``mtl_per_corpus``.
    Without any annotated reference the ``ents`` scores are ``None``, as spaCy's are, and the others are absent.
    ``kwargs`` are the component's settings and ``heads``, the corpora that it knows. References of one of these that
    the setting ``corpora`` switches off, and that did not tag its document, are left out, which is logged (MTL116).
    """
    selected, silent = kwargs.get("corpora"), Counter[str]()
    switched_off = set(kwargs.get("heads", ())).difference(selected) if selected is not None else set()
    spans: Dict[Optional[str], Counts] = {}
    tags: Dict[str, Accuracy] = {}
    pooled = Counts()
    for example in examples:
        corpus = example.reference._.corpus
        if corpus in switched_off:
            if not {corpus} & {*example.predicted.spans, *example.predicted.user_data.get(MTL_TAGS, ())}:
                silent[corpus] += 1
                continue
        predicted_tags = example.predicted.user_data.get(MTL_TAGS, {}).get(corpus)
        if predicted_tags is not None:
            tags[corpus] = tags.get(corpus, Accuracy()) + tag_accuracy(example, predicted_tags)
        elif len(example.reference) and example.reference.has_annotation("ENT_IOB"):
            predicted, gold = found_entities(example, corpus), offsets(example.reference.ents)
            spans.setdefault(corpus, Counts()).add(predicted, gold)
            pooled.add(predicted, gold)
    for corpus, count in silent.items():
        logger.warning(E116(corpus=corpus, count=count, selected=", ".join(selected) or "none"))
    return {**_ents_scores(pooled, bool(spans)), **_mtl_scores(spans, tags, pooled)}


def found_entities(example: Example, corpus: Optional[str]) -> Found:
    """Return what was predicted for the reference, where the reference is annotated."""
    predicted, reference = example.predicted, example.reference
    entities = predicted.spans[corpus] if corpus is not None and corpus in predicted.spans else predicted.ents
    found = offsets(entities) if predicted.text == reference.text else _aligned(example, list(entities))
    if reference.has_annotation("ENT_IOB", require_complete=True):
        return found
    missing = [(token.idx, token.idx + len(token)) for token in reference if not token.ent_iob]
    return {f for f in found if not any(start < f[1] and f[0] < end for start, end in missing)}


def tag_accuracy(example: Example, predicted: List[str]) -> Accuracy:
    """Compare a tag a predicted token with the reference's; one without a counterpart of its own counts as wrong.
    White space has no tag."""
    gold = ["" if token.is_space else token.tag_ for token in example.reference]
    if _words(example.predicted) == _words(example.reference):
        given: List[Optional[str]] = list(predicted)
    else:
        to_reference, given = example.alignment.x2y, [None] * len(gold)
        alone = example.alignment.y2x.lengths == 1
        for i, tag in enumerate(predicted):
            if to_reference.lengths[i] == 1 and alone[to_reference[i][0]]:
                given[to_reference[i][0]] = tag
    pairs = [(tag, other) for tag, other in zip(gold, given) if tag]
    return Accuracy(sum(tag == other for tag, other in pairs), len(pairs))


def _words(doc: Doc) -> List[str]:
    return [token.text for token in doc]


def offsets(entities: Iterable[Span]) -> Found:
    """Return where entities are, and their labels."""
    return {(entity.start_char, entity.end_char, entity.label_) for entity in entities}


def _aligned(example: Example, entities: List[Span]) -> Found:
    """Carry predicted entities over to the reference where the texts differ (in spaces, for instance).

    One that cannot be carried over is still a false positive: it gets an offset that no gold has.
    """
    found: Found = set()
    for entity in entities:
        carried = example.get_aligned_spans_x2y([entity], allow_overlap=True)
        found |= offsets(carried) or {(-1 - entity.start_char, -1 - entity.end_char, entity.label_)}
    return found


def _ents_scores(pooled: Counts, annotated: bool) -> Dict[str, Any]:
    if not annotated:
        return dict.fromkeys(("ents_p", "ents_r", "ents_f", "ents_per_type"))
    return {**_named("ents", pooled.all), "ents_per_type": pooled.per_type()}


def _mtl_scores(
    spans: Dict[Optional[str], Counts], tags: Dict[str, Accuracy], pooled: Counts
) -> Dict[str, Any]:
    scores: Dict[str, Any] = {}
    details: Dict[str, Any] = {}
    if spans:
        scores.update(_named("mtl_micro", pooled.all))
        scores["mtl_macro_f"] = sum(counts.all.fscore for counts in spans.values()) / len(spans)
    elif tags:
        scores["mtl_macro_f"] = sum(found.share() for found in tags.values()) / len(tags)
    for corpus, counts in spans.items():
        if corpus is not None:
            scores.update(_named(f"mtl_{corpus}", counts.all))
            details[corpus] = counts.details()
    for corpus, accuracy in tags.items():
        scores[f"mtl_{corpus}_acc"] = accuracy.share()
        details[corpus] = {**details.get(corpus, {}), "acc": scores[f"mtl_{corpus}_acc"], **accuracy._asdict()}
    if details:
        scores["mtl_per_corpus"] = details
    return scores


def _named(prefix: str, score: PRFScore) -> Dict[str, float]:
    return {f"{prefix}_{name}": value for name, value in score.to_dict().items()}
