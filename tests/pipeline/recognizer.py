"""Tiny corpora, a tiny component and one that has learned them by heart."""

from functools import lru_cache
from typing import Any, Dict, Iterable, List, Mapping, Optional, Sequence, Tuple

import spacy
from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.training import Example
from spacy.util import fix_random_seed
from spacy.vocab import Vocab

from spacy_mtl_bioner.extensions import register
from spacy_mtl_bioner.pipeline.mtl_ner import MultiTaskRecognizer
from spacy_mtl_bioner.training.optimizers import Adam

register()

Entities = List[Tuple[int, int, str]]

CORPORA: Dict[str, List[Tuple[str, Entities]]] = {
    "disease": [
        ("patients with breast cancer improved", [(2, 4, "Disease")]),
        ("asthma is common in mice", [(0, 1, "Disease")]),
        ("no change was seen", []),
        ("BRCA1 mutations cause breast cancer and asthma", [(3, 5, "Disease"), (6, 7, "Disease")]),
    ],
    "gene": [
        ("BRCA1 mutations cause breast cancer", [(0, 1, "Gene")]),
        ("the p53 protein binds MDM2", [(1, 3, "Protein"), (4, 5, "Gene")]),
        ("no change was seen in mice", []),
        ("BRCA1 MDM2 complexes", [(0, 1, "Gene"), (1, 2, "Gene")]),
        ("the breast cancer protein binds MDM2", [(1, 4, "Protein"), (5, 6, "Gene")]),
    ],
    "species": [
        ("asthma is common in mice", [(4, 5, "Species")]),
        ("mice and rats improved", [(0, 1, "Species"), (2, 3, "Species")]),
        ("no change was seen", []),
    ],
}
TAGS = [("mice improved", ["NN", "VB"]), ("the protein binds MDM2", ["DT", "NN", "VB", "NN"])]

TEXTS = [text for examples in CORPORA.values() for text, _ in examples]

MODEL: Dict[str, Any] = {
    "@architectures": "spacy_mtl_bioner.MultiTaskNER.v1",
    "embed": {
        "@architectures": "spacy_mtl_bioner.ConcatEmbed.v1",
        "*": {
            "words": {"@architectures": "spacy_mtl_bioner.WordVectors.v1", "width": 16, "min_count": 1},
            "chars": {"@architectures": "spacy_mtl_bioner.CharCNN.v1", "width": 8, "filters": 8, "min_count": 1},
        },
    },
    "sharing": {
        "@architectures": "spacy_mtl_bioner.CrossSharing.v1",
        "encoder": {"@layers": "spacy_mtl_bioner.BiLSTM.v1", "width": 16, "output": 16, "dropout": 0.0},
        "gate": {"@layers": "spacy_mtl_bioner.GatedInteraction.v1"},
    },
    "decoder": {"@layers": "spacy_mtl_bioner.CRF.v1"},
}


def pipeline(**settings: Any) -> Language:
    """A blank pipeline with the component, whose settings are given."""
    nlp = spacy.blank("en")
    nlp.add_pipe("mtl_ner", config={"model": MODEL, **settings})
    return nlp


def component(nlp: Language) -> MultiTaskRecognizer:
    return nlp.get_pipe("mtl_ner")


def example(vocab: Vocab, text: str, entities: Optional[Entities], corpus: Optional[str]) -> Example:
    """A sentence of a corpus; entities None: not annotated."""
    words = text.split()
    reference = Doc(vocab, words=words)
    if entities is not None:
        reference.set_ents([Span(reference, *where) for where in entities])
    reference._.corpus = corpus
    return Example(Doc(vocab, words=words), reference)


def tag_example(vocab: Vocab, text: str, tags: List[str], corpus: str = "pos") -> Example:
    reference = Doc(vocab, words=text.split(), tags=tags)
    reference._.corpus = corpus
    return Example(Doc(vocab, words=text.split()), reference)


def examples(nlp: Language, corpora: Iterable[str] = ("disease", "gene")) -> List[Example]:
    """All sentences of the corpora; ``pos`` is of kind tags."""
    found = []
    for corpus in corpora:
        if corpus == "pos":
            found += [tag_example(nlp.vocab, *pair) for pair in TAGS]
        else:
            found += [example(nlp.vocab, text, entities, corpus) for text, entities in CORPORA[corpus]]
    return found


def learn(nlp: Language, batch: Sequence[Example], steps: int, rate: float = 0.02) -> List[float]:
    """Update some times, one corpus a batch; the summed losses."""
    optimizer, losses = Adam(rate), []
    groups: Dict[Optional[str], List[Example]] = {}
    for one in batch:
        groups.setdefault(one.reference._.corpus, []).append(one)
    for _ in range(steps):
        total: Dict[str, float] = {}
        for group in groups.values():
            nlp.update(group, sgd=optimizer, losses=total)
        losses.append(total["mtl_ner"])
    return losses


@lru_cache(maxsize=None)
def _learned(corpora: Tuple[str, ...]) -> bytes:
    fix_random_seed(7)  # not every seed's model keeps to its entities where unknown words and brackets stand around
    nlp = pipeline()
    data = examples(nlp, corpora)
    nlp.initialize(lambda: data)
    learn(nlp, data, 40)
    return nlp.to_bytes()


def trained(corpora: Sequence[str] = ("disease", "gene"), settings: Mapping[str, Any] = {}) -> Language:
    """A pipeline that knows these corpora by heart, with settings of the component."""
    return pipeline(**settings).from_bytes(_learned(tuple(corpora)))


Found = Dict[str, List[Tuple[int, int, str]]]


def spans_of(doc: Doc) -> Found:
    """What each corpus found."""
    return {corpus: [(span.start, span.end, span.label_) for span in group] for corpus, group in doc.spans.items()}


def scores_of(doc: Doc) -> Dict[str, List[Optional[float]]]:
    return {corpus: group.attrs["scores"] for corpus, group in doc.spans.items()}


def knows(nlp: Language, corpora: Iterable[str]) -> bool:
    """Whether each corpus' sentences get exactly its entities from its head."""
    for corpus in corpora:
        for text, entities in CORPORA[corpus]:
            doc = Doc(nlp.vocab, words=text.split())
            doc._.corpora = [corpus]
            if spans_of(component(nlp)(doc)) != {corpus: entities}:
                return False
    return True
