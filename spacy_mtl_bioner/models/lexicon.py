"""What initialization learns from the training documents before any weight exists."""

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Counter as CounterType
from typing import Dict, List, Optional, Set

from spacy.attrs import LOWER
from spacy.tokens import Doc
from spacy.vocab import Vocab

from .syntax.annotation import ANNOTATIONS


@dataclass
class Lexicon:
    """The word forms of the training documents with their counts, the vocabulary that has the vectors, and the first
    documents, from which a spaCy ``tok2vec`` takes its sizes.

    forms_of: the same forms, those of each corpus.
    marks: names of all marks that the sharing part puts around sentences.
    labels: the labels of each kind of syntactic annotation.
    words: {corpus: hashes of its words, lower-cased}.
    """

    vocab: Vocab
    forms: CounterType[str] = field(default_factory=Counter)
    upstream_width: Optional[int] = None
    sample: List[Doc] = field(default_factory=list)
    marks: List[str] = field(default_factory=list)
    labels: Dict[str, Set[str]] = field(default_factory=lambda: {annotation.name: set() for annotation in ANNOTATIONS})
    words: Dict[str, Set[int]] = field(default_factory=dict)
    forms_of: Dict[str, CounterType[str]] = field(default_factory=dict)

    def add(self, doc: Doc, corpus: Optional[str] = None) -> None:
        """Count the forms of a document, which may be of a corpus, and note its labels."""
        counted = Counter(token.text for token in doc)
        self.forms.update(counted)
        if corpus is not None:
            self.forms_of.setdefault(corpus, Counter()).update(counted)
        for annotation in ANNOTATIONS:
            self.labels[annotation.name] |= annotation.labels_of(doc)
        if len(doc) and len(self.sample) < 10:
            self.sample.append(doc)

    def of(self, corpus: str) -> "Lexicon":
        """What a part that one corpus has for itself learns from: the forms of its documents alone, where there are
        any."""
        return replace(self, forms=self.forms_of.get(corpus) or self.forms)

    def add_words(self, corpus: str, doc: Doc) -> None:
        """Note the words of a corpus."""
        self.words.setdefault(corpus, set()).update(doc.to_array([LOWER]).ravel().tolist())
