"""spaCy's own ``ner`` in its config for efficiency."""

from typing import Any, List, Sequence

from spacy.cli.init_config import init_config
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import load_model_from_config


class SpacyNER:
    """``init config --pipeline ner --optimize efficiency``, initialized with the batches' examples."""

    def __init__(self, batches: Sequence[Sequence[Example]]) -> None:
        config = init_config(lang="en", pipeline=["ner"], optimize="efficiency")
        self.nlp: Language = load_model_from_config(config, auto_fill=True)
        self.batches = [[self._example(example.reference) for example in batch] for batch in batches]
        examples = [example for batch in self.batches for example in batch]
        self.optimizer: Any = self.nlp.initialize(lambda: examples)

    def _example(self, gold: Doc) -> Example:
        words: List[str] = [token.text for token in gold]
        tags = [f"{token.ent_iob_}-{token.ent_type_}" if token.ent_type_ else "O" for token in gold]
        return Example(Doc(self.nlp.vocab, words=words), Doc(self.nlp.vocab, words=words, ents=tags))

    def train(self) -> None:
        """One step a batch."""
        for batch in self.batches:
            self.nlp.update(batch, sgd=self.optimizer, drop=0.1)
