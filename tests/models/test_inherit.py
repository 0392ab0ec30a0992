"""Corpora that join a saved model, whose vocabulary has no vectors any more."""

import numpy as np
import pytest
import spacy
import torch
from spacy.vectors import Vectors

from spacy_mtl_bioner.errors import MTLError
from spacy_mtl_bioner.layers.torch_layer import shim_of
from spacy_mtl_bioner.training.callbacks import drop_vectors

from ..pipeline.recognizer import MODEL, component, example, examples

WORDS = ["asthma", "cancer", "mice", "BRCA1"]
ENCODER = MODEL["sharing"]["encoder"]
ALONE = {"@architectures": "spacy_mtl_bioner.SingleTask.v1", "encoder": ENCODER}
PART = {"@architectures": "spacy_mtl_bioner.PartlyShared.v1", "encoder": ENCODER, "shared": ["char_cnn"]}


def blank(sharing, vectors=True, **words):
    """A pipeline with word vectors of 5 numbers."""
    nlp = spacy.blank("en")
    if vectors:
        data = np.random.RandomState(0).rand(len(WORDS), 5).astype("float32")
        nlp.vocab.vectors = Vectors(data=data, keys=WORDS, strings=nlp.vocab.strings)
    embed = MODEL["embed"]["*"]
    embed = {**MODEL["embed"], "*": {**embed, "words": {**embed["words"], **words}}}
    nlp.add_pipe("mtl_ner", config={"model": {**MODEL, "embed": embed, "sharing": sharing}})
    return nlp


def tables(nlp):
    """The word tables that are built: {word of WORDS or "cells": its vector}, rows, whether training moves them."""
    found = []
    for node in component(nlp).model.walk():
        if node.name == "word_vectors" and shim_of(node).built:
            table, strings = shim_of(node).module, nlp.vocab.strings
            rows = table._find(np.asarray([strings[word] for word in (*WORDS, "cells")], dtype="uint64"))
            found.append((dict(zip((*WORDS, "cells"), rows.tolist())), table.weight.detach().clone()))
    return found


@pytest.mark.parametrize("sharing", [ALONE, PART], ids=["single_task", "partly_shared"])
@pytest.mark.parametrize("words", [{}, {"trainable": False, "min_count": None}], ids=["trained", "frozen"])
def test_a_new_corpus_starts_from_the_vectors_that_the_first_one_has(sharing, words, tmp_path):
    nlp = blank(sharing, **words)
    nlp.initialize(lambda: examples(nlp))
    drop_vectors(nlp)
    nlp.to_disk(tmp_path)
    nlp = spacy.load(tmp_path)
    before = tables(nlp)
    new = [example(nlp.vocab, "asthma cells of mice", [(1, 2, "Cell")], "cell")] * 2
    component(nlp).initialize(lambda: new, extend=True)
    *same, (rows, table) = tables(nlp)
    assert [found for found, _ in same] == [found for found, _ in before]
    assert all(torch.equal(now, then) for (_, now), (_, then) in zip(same, before, strict=True))
    old_rows, old = before[0]
    assert all(torch.equal(table[rows[word]], old[old_rows[word]]) for word in WORDS)
    assert torch.equal(table[0], old[0])
    new_rows = 0 if words else len({"cells", "of"})
    assert (rows["cells"] > 0) == (new_rows > 0) and len(table) == len(old) + new_rows


@pytest.mark.parametrize("sharing", [ALONE, PART], ids=["single_task", "partly_shared"])
def test_a_corpus_has_a_row_for_its_own_words_as_if_it_were_alone(sharing):
    together = blank(sharing, vectors=False)
    together.initialize(lambda: examples(together))
    alone = []
    for corpus in component(together).corpora:
        nlp = blank(sharing, vectors=False)
        nlp.initialize(lambda: examples(nlp, [corpus]))
        alone += [(rows, len(table)) for rows, table in tables(nlp)]
    assert [(rows, len(table)) for rows, table in tables(together)] == alone and len(alone) == 2
    assert len({tuple(rows.items()) for rows, _ in alone}) > 1


def test_without_vectors_ever_a_new_corpus_has_the_words_of_both(tmp_path):
    nlp = blank(ALONE, vectors=False)
    nlp.initialize(lambda: examples(nlp))
    component(nlp).initialize(
        lambda: [example(nlp.vocab, "asthma cells of mice", [(1, 2, "Cell")], "cell")] * 2, extend=True
    )
    first, *_, (rows, table) = tables(nlp)
    assert torch.equal(table[rows["asthma"]], first[1][first[0]["asthma"]]) and rows["cells"] > 0


@pytest.mark.parametrize("vectors", [True, False])
def test_a_pipeline_without_vectors_is_told_once(vectors, caplog):
    nlp = blank(ALONE, vectors=vectors)
    nlp.initialize(lambda: examples(nlp))
    component(nlp).add_label("Cell", corpus="cell")
    assert caplog.text.count("MTL138") == (not vectors)


def test_vectors_that_nothing_moves_have_to_be_there():
    nlp = blank(ALONE, vectors=False, trainable=False)
    with pytest.raises(MTLError, match="MTL137.*--paths.vectors"):
        nlp.initialize(lambda: examples(nlp))
