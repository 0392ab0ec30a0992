"""Gold annotation as the model learns it: labels and word forms first, then tag ids."""

import logging
from collections import Counter
from typing import Callable, Dict, Iterable, List, Mapping, Tuple

import numpy as np
from spacy.attrs import ORTH
from spacy.tokens import Doc, Token
from spacy.training import Example
from spacy.vocab import Vocab

from ..errors import E100, E122, E123, E124, E128, E129, MTLError
from ..models.lexicon import Lexicon
from ..models.multi_task_ner import Gold
from ..types import DEFAULT_CORPUS, CorpusSpec, Kind, TokenSpan

logger = logging.getLogger("spacy_mtl_bioner")


def corpus_of(example: Example) -> str:
    """The corpus that an example is from."""
    return example.reference._.corpus or DEFAULT_CORPUS


def has_gold(doc: Doc, kind: Kind) -> bool:
    """Whether a reference holds entities (``spans``), or a tag at every word (``tags``): white space needs none."""
    if kind == "spans":
        return len(doc) > 0 and doc.has_annotation("ENT_IOB")  # spaCy says that an empty Doc has every annotation
    words = [token for token in doc if not token.is_space]
    return bool(words) and all(token.tag for token in words)


def kind_of(doc: Doc) -> str:
    """The kind of gold that a reference holds, ``spans`` before ``tags``, or an empty string."""
    return next((kind for kind in _GOLD if has_gold(doc, kind)), "")


def survey(examples: Iterable[Example], vocab: Vocab) -> Tuple[Lexicon, Dict[str, CorpusSpec]]:
    """One pass over the examples: their word forms, and the words and labels (sorted) of each corpus. A corpus is of
    kind ``spans`` where any of its documents has an entity, or none of them a tag; that it has no entity is logged
    (MTL128). Entities that the predicted tokens cannot say, because they end within a token, are counted and logged
    (MTL123), and so are documents with tokens of unknown kind (MTL124), and those that teach nothing (MTL129)."""
    lexicon = Lexicon(vocab)
    labels: Dict[str, Dict[str, Counter]] = {}
    total, lost, partly, seen = Counter(), Counter(), Counter(), Counter()
    given = {kind: Counter() for kind in _GOLD}
    for example in examples:
        corpus, kinds = corpus_of(example), [kind for kind in _GOLD if has_gold(example.reference, kind)]
        lexicon.add(example.predicted, corpus)
        seen[corpus] += len(example.predicted) > 0
        if not kinds:
            continue
        lexicon.add_words(corpus, example.reference)
        found = labels.setdefault(corpus, {kind: Counter() for kind in _GOLD})
        for kind in kinds:
            given[kind][corpus] += 1
        if "spans" in kinds:
            entities = example.reference.ents
            found["spans"].update(entity.label_ for entity in entities)
            partly[corpus] += not example.reference.has_annotation("ENT_IOB", require_complete=True)
            total[corpus] += len(entities)
            lost[corpus] += len(entities) - len(_entities(example))
        if "tags" in kinds:
            found["tags"].update(token.tag_ for token in example.reference if _has_tag(token))
    for corpus, count in lost.items():
        if count:
            logger.warning(E123(corpus=corpus, lost=count, total=total[corpus]))
    for corpus, count in partly.items():
        if count:
            logger.warning(E124(corpus=corpus, count=count, total=given["spans"][corpus]))
    specs = {}
    for corpus, kinds in labels.items():
        kind = next((kind for kind in _GOLD if kinds[kind]), "spans")
        if given[kind][corpus] < seen[corpus]:
            logger.warning(E129(corpus=corpus, count=seen[corpus] - given[kind][corpus], total=seen[corpus], kind=kind))
        if given["spans"][corpus] and not kinds["spans"]:
            logger.warning(E128(corpus=corpus, count=given["spans"][corpus], kind=kind))
        specs[corpus] = CorpusSpec(kind, tuple(sorted(kinds[kind])))
    return lexicon, specs


def encode(examples: List[Example], heads: Mapping[str, CorpusSpec]) -> Gold:
    """The gold of every non-empty document that has gold of the kind of its corpus' head, as spans of its predicted
    tokens; other documents have no corpus. An example that names no corpus is of the only one. Raises MTL122 for a
    label and MTL100 for a corpus without a head."""
    docs, corpora, spans = [], [], []
    unnamed = next(iter(heads)) if len(heads) == 1 else DEFAULT_CORPUS
    for example in examples:
        corpus, reference = example.reference._.corpus or unnamed, example.reference
        kind = heads[corpus].kind if corpus in heads else kind_of(reference)
        given = bool(kind) and len(example.predicted) > 0 and has_gold(reference, kind)
        docs.append(example.predicted)
        corpora.append(corpus if given else "")
        spans.append(_GOLD[kind](example) if given else [])
        if given:
            _require_head(corpus, spans[-1], heads)
    return Gold(docs, corpora, spans)


def _require_head(corpus: str, spans: List[TokenSpan], heads: Mapping[str, CorpusSpec]) -> None:
    for label in sorted({label for _, _, label in spans}):
        if corpus not in heads or label not in heads[corpus].labels:
            known = ", ".join(f"{name}:{'|'.join(spec.labels)}" for name, spec in heads.items())
            raise MTLError(E122(corpus=corpus, label=label, known=known or "none"))
    if corpus not in heads:
        raise MTLError(E100(corpus=corpus, where="the training examples", known=", ".join(heads) or "none"))


def _same_tokens(example: Example) -> bool:
    """Whether predicted and reference are split alike (the reader's gold tokens), which needs no alignment."""
    predicted, reference = example.predicted, example.reference
    return len(predicted) == len(reference) and np.array_equal(predicted.to_array([ORTH]), reference.to_array([ORTH]))


def _entities(example: Example) -> List[TokenSpan]:
    entities = example.reference.ents
    if not _same_tokens(example):
        entities = example.get_aligned_spans_y2x(entities, allow_overlap=False)
    return [(entity.start, entity.end, entity.label_) for entity in entities]


def _token_tags(example: Example) -> List[TokenSpan]:
    """A tag a token: one that holds several of the reference's has the last's, one that holds none the tag before.
    White space before the first word may have none."""
    reference = example.reference
    if _same_tokens(example):
        return [(token.i, token.i + 1, token.tag_) for token in reference if _has_tag(token)]
    tags: List[TokenSpan] = []
    last = 0
    for i in range(len(example.predicted)):
        last = max([last, *(j for j in example.alignment.x2y[i].tolist() if _has_tag(reference[j]))])
        if _has_tag(reference[last]):
            tags.append((i, i + 1, reference[last].tag_))
    return tags


def _has_tag(token: Token) -> bool:
    """White space has none that could be learned, though spaCy's taggers call it ``_SP``."""
    return bool(token.tag) and not token.is_space


_GOLD: Dict[Kind, Callable[[Example], List[TokenSpan]]] = {"spans": _entities, "tags": _token_tags}
