"""What a bootstrap draws: documents where there are enough, else sentences."""

import pytest
from spacy.tokens import Doc, Span, SpanGroup
from spacy.training import Example
from spacy.vocab import Vocab

from spacy_mtl_bioner.experiments.scoring import count_units
from spacy_mtl_bioner.extensions import register

register()
VOCAB = Vocab()


def sentence(document, gold, found):
    reference, predicted = (Doc(VOCAB, words=["p53", "binds", "MDM2"]) for _ in range(2))
    reference._.document = document
    reference.set_ents([Span(reference, at, at + 1, "Gene") for at in gold])
    spans = [Span(predicted, at, at + 1, "Gene") for at in found]
    predicted.spans["genes"] = SpanGroup(predicted, name="genes", spans=spans)
    return Example(predicted, reference)


@pytest.mark.parametrize("documents, unit", [(1, "sentence"), (19, "sentence"), (20, "document"), (40, "document")])
def test_few_documents_are_no_units(documents, unit):
    """One that is the whole file leaves nothing to draw, and two would agree by chance every other time."""
    examples = [sentence(f"d{i % documents}", [0, 2], [2] if i % 2 else [0, 1]) for i in range(40)]
    found, counts = count_units(examples, "genes")
    assert found == unit and len(counts) == (documents if unit == "document" else 40)
    assert tuple(map(sum, zip(*counts))) == (40, 20, 40)


def test_sentences_of_no_document():
    examples = [sentence(f"d{i}" if i else None, [0], [0]) for i in range(30)]
    assert count_units(examples, "genes") == ("sentence", [(1, 0, 0)] * 30)
    assert count_units([], "genes") == ("sentence", [])
