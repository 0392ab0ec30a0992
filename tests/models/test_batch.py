"""Documents as flat tokens and padded batches."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.lang.en import English
from spacy.tokens import Doc

from spacy_mtl_bioner.models.batch import Tokens

from .parts import CPU, batch_of, doc_of

VOCAB = English().vocab


def sentences_of(docs):
    """Positions of the flat tokens of each sentence, by spaCy's own iteration."""
    found, offset = [], 0
    for doc in docs:
        if len(doc) and doc.has_annotation("SENT_START"):
            found += [list(range(offset + sent.start, offset + sent.end)) for sent in doc.sents]
        elif len(doc):
            found.append(list(range(offset, offset + len(doc))))
        offset += len(doc)
    return found


DOCS = st.lists(
    st.builds(
        lambda sizes, marked: doc_of(VOCAB, *[" ".join(f"w{n}" for n in range(size)) for size in sizes], marked=marked),
        st.lists(st.integers(1, 9), max_size=4),
        st.booleans(),
    ),
    min_size=1,
    max_size=5,
)


@settings(max_examples=60, deadline=None)
@given(DOCS, st.integers(1, 40))
def test_batches_hold_every_sentence_once_within_the_budget(docs, budget):
    tokens = Tokens(docs)
    expected = sentences_of(docs)
    assert [list(range(a, a + n)) for a, n in zip(tokens.starts, tokens.lengths)] == expected
    found, longest = [], 10**9
    for batch in tokens.batches(budget, CPU):
        assert batch.shape[0] * batch.shape[1] <= budget or batch.shape[0] == 1
        assert batch.lengths.max() <= longest
        longest = batch.lengths.min()
        for row, length in enumerate(batch.lengths):
            found.append(batch.positions[row, :length].tolist())
        assert torch.equal(batch.mask.sum(1), batch.length_tensor)
        assert not batch.positions[~batch.mask].any()
    assert sorted(found) == sorted(expected)


def test_empty_documents_have_no_sentence():
    empty = Doc(VOCAB)
    tokens = Tokens([empty, doc_of(VOCAB, "a b", "c"), empty, doc_of(VOCAB, "d e f", marked=False), empty])
    assert tokens.doc_starts.tolist() == [0, 0, 3, 3, 6, 6]
    assert tokens.starts.tolist() == [0, 2, 3] and tokens.lengths.tolist() == [2, 1, 3]
    nothing = Tokens([Doc(VOCAB), Doc(VOCAB)])
    assert len(nothing) == 0 and list(nothing.batches(10, CPU)) == []
    assert len(Tokens([])) == 0


def flags(*positions, size=7):
    return np.isin(np.arange(size), positions)


def test_joined_sentences():
    tokens = Tokens([doc_of(VOCAB, "a b", "c d", "e"), doc_of(VOCAB, "f", "g")])
    tokens.join(flags(2, 3))
    assert tokens.starts.tolist() == [0, 4, 5, 6] and tokens.lengths.tolist() == [4, 1, 1, 1]
    tokens.join(flags())
    assert tokens.lengths.tolist() == [4, 1, 1, 1] and tokens.docs_of.tolist() == [0, 0, 1, 1]


def test_white_space_is_no_token():
    """At the start, within and at the end of sentences, as a sentence of its own and as a document of its own."""
    words = ["\n", "a", " ", "b", "c", "\n\n", "\n", "d", " "]
    starts = [True, False, False, False, True, False, True, True, False]
    spaced = Doc(VOCAB, words=words, sent_starts=starts)
    tokens = Tokens([Doc(VOCAB, words=[" "]), spaced, Doc(VOCAB, words=["\t", "e"], sent_starts=[True, True])])
    assert [VOCAB.strings[orth] for orth in tokens.orth.tolist()] == ["a", "b", "c", "d", "e"]
    assert tokens.at.tolist() == [2, 4, 5, 8, 11]
    assert tokens.starts.tolist() == [0, 2, 3, 4] and tokens.lengths.tolist() == [2, 1, 1, 1]
    assert tokens.docs_of.tolist() == [1, 1, 1, 2]
    tokens.join(flags(5, 6, 7, 8, size=12))
    assert tokens.lengths.tolist() == [4, 1]


def test_forms_are_looked_up_once():
    batch = batch_of([doc_of(VOCAB, "The cat saw the Cat", "the cat")])
    words = batch.form_strings()
    assert sorted(words) == sorted({"The", "cat", "saw", "the", "Cat"})
    for form, lower in zip(words, batch.lower_forms.tolist()):
        assert VOCAB.strings[lower] == form.lower()
    vectors = torch.arange(5.0)[:, None]
    spread = batch.spread(vectors)
    assert [words[int(i)] for i in spread[0, :, 0]] == ["The", "cat", "saw", "the", "Cat"]
    assert [words[int(i)] for i in spread[1, :2, 0]] == ["the", "cat"]


def test_turning_around_and_padding():
    batch = batch_of([doc_of(VOCAB, "a b c d", "e", "f g")])
    values = torch.arange(12)
    turned = values[batch.reversal].reshape(3, 4).tolist()
    assert turned == [[3, 2, 1, 0], [4, 5, 6, 7], [9, 8, 10, 11]]
    padded = batch.padded(np.arange(10, 17))
    assert padded.tolist() == [[10, 11, 12, 13], [14, 0, 0, 0], [15, 16, 0, 0]]


@pytest.mark.parametrize("order", [[0], [2, 0], [1, 2, 0]])
def test_a_batch_of_some_sentences(order):
    batch = batch_of([doc_of(VOCAB, "a b c", "d", "e f")], order)
    starts = [[0, 1, 2], [3], [4, 5]]
    found = [batch.positions[row, : batch.lengths[row]].tolist() for row in range(len(order))]
    assert found == [starts[i] for i in order]
