"""What initialization learns from the training documents before any weight exists."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Counter as CounterType
from typing import Optional

from spacy.tokens import Doc
from spacy.vocab import Vocab


@dataclass
class Lexicon:
    """The word forms of the training documents with their counts, and the vocabulary that has the vectors."""

    vocab: Vocab
    forms: CounterType[str] = field(default_factory=Counter)
    upstream_width: Optional[int] = None

    def add(self, doc: Doc) -> None:
        """Count the forms of a document."""
        self.forms.update(token.text for token in doc)
