"""The configs of the syntax pipelines train on tiny documents, and annotate what they learned after loading."""

import io

import pytest
import spacy
from spacy.training.initialize import init_nlp
from spacy.training.loop import train

from .syntax_pipelines import SENTENCES, annotated, chunks, config


@pytest.mark.parametrize("name", ["tagger_parser", "chunker"])
def test_it_learns_and_annotates_raw_text(name: str, tmp_path):
    loaded = config(name, tmp_path, max_steps=40, eval_frequency=20, dropout=0.0)
    loaded["training"]["optimizer"]["learn_rate"] = 0.01
    nlp = init_nlp(loaded)
    (tmp_path / "out").mkdir()
    trained = train(nlp, tmp_path / "out", stdout=io.StringIO())[1]
    found = spacy.load(trained)
    for text in SENTENCES:
        doc, words = found(text), text.split()
        expected = annotated(doc.vocab, words)
        if name == "chunker":
            assert [token._.chunk for token in doc] == chunks(words) and not doc.ents
        else:
            assert [token.tag_ for token in doc] == [token.tag_ for token in expected]
            assert [token.head.i for token in doc] == [token.head.i for token in expected]
