"""What initialization learns from the training documents before any weight exists."""

from collections import Counter
from dataclasses import dataclass, field
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

    def add(self, doc: Doc) -> None:
        """Count the forms of a document and note its labels."""
        self.forms.update(token.text for token in doc)
        for annotation in ANNOTATIONS:
            self.labels[annotation.name] |= annotation.labels_of(doc)
        if len(doc) and len(self.sample) < 10:
            self.sample.append(doc)

    def add_words(self, corpus: str, doc: Doc) -> None:
        """Note the words of a corpus."""
        self.words.setdefault(corpus, set()).update(doc.to_array([LOWER]).ravel().tolist())
