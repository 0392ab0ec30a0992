"""What initialization learns from the training documents before any weight exists."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Counter as CounterType
from typing import List, Optional

from spacy.tokens import Doc
from spacy.vocab import Vocab


@dataclass
class Lexicon:
    """The word forms of the training documents with their counts, the vocabulary that has the vectors, and the first
    documents, from which a spaCy ``tok2vec`` takes its sizes.

    marks: names of all marks that the sharing part puts around sentences."""

    vocab: Vocab
    forms: CounterType[str] = field(default_factory=Counter)
    upstream_width: Optional[int] = None
    sample: List[Doc] = field(default_factory=list)
    marks: List[str] = field(default_factory=list)

    def add(self, doc: Doc) -> None:
        """Count the forms of a document."""
        self.forms.update(token.text for token in doc)
        if len(doc) and len(self.sample) < 10:
            self.sample.append(doc)
