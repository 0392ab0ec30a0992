"""Callbacks of the training config."""

from typing import Callable, Dict, List

from spacy.language import Language
from spacy.util import registry
from spacy.vectors import Vectors

from ..pipeline.loading import recognizer_of


@registry.callbacks("spacy_mtl_bioner.drop_vectors.v1")
def make_drop_vectors() -> Callable[[Language], Language]:
    """For ``[training.before_to_disk]``: leave the vocabulary's vectors out of the saved pipeline.

    ``WordVectors`` took its own copy at initialization, which training changed; shipping the original too would double
    the package for nothing. Leave this out where another component uses ``StaticVectors``.
    """
    return drop_vectors


def drop_vectors(nlp: Language) -> Language:
    """Replace the vectors by an empty table."""
    if len(nlp.vocab.vectors):
        nlp.vocab.vectors = Vectors(strings=nlp.vocab.strings, name=nlp.vocab.vectors.name)
    return nlp


@registry.callbacks("spacy_mtl_bioner.add_labels.v1")
def make_add_labels(labels: Dict[str, List[str]], component: str = "mtl_ner") -> Callable[[Language], Language]:
    """For ``[initialize.after_init]``: give a component that was sourced from a trained pipeline (and which
    ``spacy train`` therefore does not initialize) further corpora, or corpora further labels.

    labels: {corpus: labels}; what is known already changes nothing. component: the pipe's name.
    """

    def add_labels(nlp: Language) -> Language:
        # spaCy disables what is sourced while it initializes the rest
        pipe = recognizer_of(nlp, component, "of this training", "add_labels", disabled=True)
        for corpus, names in labels.items():
            for name in names:
                pipe.add_label(name, corpus=corpus)
        return nlp

    return add_labels
