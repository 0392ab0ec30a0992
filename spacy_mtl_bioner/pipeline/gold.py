"""Gold annotation as the model learns it: labels and word forms first, then tag ids."""

import logging
from collections import Counter
from typing import Callable, Dict, Iterable, List, Tuple

import numpy as np
from spacy.attrs import ORTH
from spacy.tokens import Doc
from spacy.training import Example
from spacy.vocab import Vocab

from ..errors import E123
from ..models.lexicon import Lexicon
from ..models.multi_task_ner import Gold
from ..types import CorpusSpec, TokenSpan

logger = logging.getLogger(__name__)

DEFAULT_CORPUS = "default"
"""The corpus of examples that name none, as spaCy's own ``Corpus`` reader gives them."""


def corpus_of(example: Example) -> str:
    """The corpus that an example is from."""
    return example.reference._.corpus or DEFAULT_CORPUS


def kind_of(doc: Doc) -> str:
    """Whether a reference holds entities (``spans``), a tag at every token (``tags``) or neither (an empty string)."""
    if not len(doc):
        return ""  # where spaCy says that it has every annotation
    if doc.has_annotation("ENT_IOB"):
        return "spans"
    return "tags" if doc.has_annotation("TAG", require_complete=True) else ""


def survey(examples: Iterable[Example], vocab: Vocab) -> Tuple[Lexicon, Dict[str, CorpusSpec]]:
    """One pass over the examples: their word forms, and the labels of each corpus (sorted). Entities that the predicted
    tokens cannot say, because they end within a token, are counted and logged (MTL123)."""
    lexicon = Lexicon(vocab)
    labels: Dict[str, Counter] = {}
    kinds: Dict[str, str] = {}
    total, lost = Counter(), Counter()
    for example in examples:
        lexicon.add(example.predicted)
        corpus, kind = corpus_of(example), kind_of(example.reference)
        if not kind:
            continue
        kinds.setdefault(corpus, kind)
        found = labels.setdefault(corpus, Counter())
        if kind == "spans":
            entities = example.reference.ents
            found.update(entity.label_ for entity in entities)
            total[corpus] += len(entities)
            lost[corpus] += len(entities) - len(_entities(example))
        else:
            found.update(token.tag_ for token in example.reference)
    for corpus, count in lost.items():
        if count:
            logger.warning(E123(corpus=corpus, lost=count, total=total[corpus]))
    specs = {corpus: CorpusSpec(kinds[corpus], tuple(sorted(found))) for corpus, found in labels.items() if found}
    return lexicon, specs


def encode(examples: List[Example], require: Callable[[str, str], None]) -> Gold:
    """The gold of every annotated, non-empty document as spans of its predicted tokens; other documents have no corpus.

    require: called with each corpus and label; raises where no head has it.
    """
    docs, corpora, spans = [], [], []
    for example in examples:
        kind = kind_of(example.reference)
        has_gold = bool(kind) and len(example.predicted) > 0
        docs.append(example.predicted)
        corpora.append(corpus_of(example) if has_gold else "")
        spans.append(_GOLD[kind](example) if has_gold else [])
        for label in {label for _, _, label in spans[-1]}:
            require(corpora[-1], label)
    return Gold(docs, corpora, spans)


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
    """A tag a token: one that holds several of the reference's has the last's, one that holds none the tag before."""
    if _same_tokens(example):
        return [(token.i, token.i + 1, token.tag_) for token in example.reference]
    tags: List[TokenSpan] = []
    last = 0
    for i in range(len(example.predicted)):
        last = max([last, *example.alignment.x2y[i].tolist()])
        tags.append((i, i + 1, example.reference[last].tag_))
    return tags


_GOLD = {"spans": _entities, "tags": _token_tags}
