"""Subsets: of labels, of sentences, of documents."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_mtl_bioner.corpora.schemes import SCHEMES, convert_tags, tags_to_spans
from spacy_mtl_bioner.corpora.select import keep_labels, map_labels, sample, split_off
from spacy_mtl_bioner.types import Sentence

from .test_conll import TAGS


def sentences(n, documents=None):
    return [Sentence([str(i)], ["O"], document=None if documents is None else str(i % documents)) for i in range(n)]


@pytest.mark.parametrize("scheme", SCHEMES)
@given(TAGS)
def test_kept_labels_are_kept_as_they_were(scheme, tags):
    sentence = Sentence(["w"] * len(tags), convert_tags(tags, "IOBES", scheme))
    [kept] = keep_labels([sentence], ["X"], scheme)
    expected = [span for span in tags_to_spans(sentence.tags, scheme) if span[2] == "X"]
    assert tags_to_spans(kept.tags, scheme) == expected


def test_labels_are_renamed_and_rewritten():
    [found] = map_labels([Sentence(list("abc"), ["B-X", "B-Y", "I-Y"])], {"X": "Z", "Y": "Z"}, "IOB2", "IOBES")
    assert found.tags == ["S-Z", "B-Z", "E-Z"]


@given(st.integers(1, 60), st.floats(0.01, 1), st.integers(0, 9))
def test_share(n, share, seed):
    whole = sentences(n)
    part = sample(whole, share, seed)
    assert part == sample(whole, share, seed)
    assert len(part) == max(1, round(share * n))
    numbers = [int(sentence.words[0]) for sentence in part]
    assert numbers == sorted(set(numbers))
    larger = {sentence.words[0] for sentence in sample(whole, min(1, share * 2), seed)}
    assert {sentence.words[0] for sentence in part} <= larger


def test_seeds_differ():
    assert sample(sentences(50), 0.5, 0) != sample(sentences(50), 0.5, 1)


@given(st.integers(4, 60), st.integers(2, 4), st.integers(0, 9))
def test_documents_are_not_cut(n, documents, seed):
    whole = sentences(n, documents)
    rest, part = split_off(whole, 0.3, seed)
    assert {s.document for s in rest}.isdisjoint(s.document for s in part)
    assert len({s.document for s in part}) == max(1, round(0.3 * documents))
    assert sorted(s.words for s in rest + part) == sorted(s.words for s in whole)


def test_split_off_sentences_where_no_documents_are_known():
    rest, part = split_off(sentences(40), 0.1, 0)
    assert (len(rest), len(part)) == (36, 4)


@pytest.mark.parametrize("n, documents, parts", [(10, 1, (9, 1)), (2, 1, (1, 1)), (4, 2, (2, 2)), (3, None, (1, 2))])
def test_neither_part_is_empty(n, documents, parts):
    """A file with one -DOCSTART- at its head knows one document: that is cut."""
    rest, part = split_off(sentences(n, documents), 0.1 if n > 3 else 0.9, 0)
    assert (len(rest), len(part)) == parts
