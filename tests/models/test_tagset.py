"""Tag ids against the tag names of ``corpora.schemes``."""

import itertools
from typing import List

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from seqeval.metrics.sequence_labeling import get_entities

from spacy_mtl_bioner.corpora.schemes import spans_to_tags, tag_names, tags_to_spans
from spacy_mtl_bioner.errors import MTLError
from spacy_mtl_bioner.models.decoder.tagset import TagSet
from spacy_mtl_bioner.types import CorpusSpec, TokenSpan

LABELS = ("Gene", "Cell-line", "O")
SCHEMES = ["IOB2", "IOBES"]


@st.composite
def sentences(draw) -> List[TokenSpan]:
    """Spans side by side, at least some without a gap, and the length of their sentence as an empty last span."""
    spans, at = [], 0
    pieces = st.tuples(st.integers(0, 2), st.integers(1, 4), st.sampled_from(LABELS))
    for gap, size, label in draw(st.lists(pieces, max_size=5)):
        spans.append((at + gap, at + gap + size, label))
        at += gap + size
    return [*spans, (0, max(1, at + draw(st.integers(0, 2))), "")]


@settings(max_examples=100, deadline=None)
@given(st.lists(sentences(), min_size=1, max_size=4), st.sampled_from(SCHEMES))
def test_there_and_back(batch, scheme):
    tagset, names = TagSet(CorpusSpec("spans", LABELS), scheme), tag_names(LABELS, scheme)
    longest = max(spans[-1][1] for spans in batch)
    tags, mask = np.full((len(batch), longest), 2), np.zeros((len(batch), longest), dtype=bool)
    expected = []
    for row, (*spans, (_, length, _)) in enumerate(batch):
        encoded = tagset.encode(length, spans)
        assert [names[tag] for tag in encoded] == spans_to_tags(length, spans, scheme)
        tags[row, :length], mask[row, :length] = encoded, True
        expected += [(row, start, end, LABELS.index(label)) for start, end, label in spans]
    found = tagset.spans(tags, mask)
    assert list(zip(*(array.tolist() for array in found))) == expected


@pytest.mark.parametrize("scheme", SCHEMES)
def test_all_legal_sequences_of_four_tags(scheme: str):
    """What the mask permits is what the strict reader of tags accepts, and both read the same entities."""
    labels = LABELS[:2] if scheme == "IOB2" else LABELS[:1]
    tagset, names = TagSet(CorpusSpec("spans", labels), scheme), tag_names(labels, scheme)
    start, transitions, end = tagset.legal()
    accepted = 0
    for path in itertools.product(range(len(names)), repeat=4):
        legal = start[path[0]] and end[path[-1]] and all(transitions[a, b] for a, b in zip(path, path[1:]))
        try:
            spans = tags_to_spans([names[tag] for tag in path], scheme)
        except ValueError:
            assert not legal
            continue
        assert legal
        accepted += 1
        found = tagset.spans(np.array([path]), np.ones((1, 4), dtype=bool))
        assert [(a, b, labels[label]) for _, a, b, label in zip(*(array.tolist() for array in found))] == spans
    assert 10 < accepted < len(names) ** 4


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_tag_that_lengthens_an_entity(scheme: str):
    """Under IOB2 an entity ends where the next tag is not I of its label; under IOBES its last tag says so."""
    tagset, names = TagSet(CorpusSpec("spans", LABELS), scheme), tag_names(LABELS, scheme)
    found = tagset.continuation(np.array([2, 0, 1]))
    if scheme == "IOBES":
        assert found.tolist() == [-1, -1, -1]
    else:
        assert [names[tag] for tag in found] == ["I-O", "I-Gene", "I-Cell-line"]


def test_tags_are_their_own_labels():
    tagset = TagSet(CorpusSpec("tags", ("DT", "NN")), "IOBES")
    assert tagset.size == 2
    assert tagset.encode(3, [(0, 1, "NN"), (1, 2, "DT"), (2, 3, "NN")]).tolist() == [1, 0, 1]
    assert all(array.all() for array in tagset.legal())


def test_other_schemes_are_refused():
    with pytest.raises(MTLError, match="MTL132.*IOB1"):
        TagSet(CorpusSpec("spans", LABELS), "IOB1")
    with pytest.raises(MTLError, match="MTL007.*BILOU"):
        TagSet(CorpusSpec("spans", LABELS), "BILOU")


@pytest.mark.parametrize("scheme", ["IOB2", "IOBES"])
def test_forbidden_sequences_are_read_as_conlleval_reads_them(scheme: str):
    tagset, names = TagSet(CorpusSpec("spans", LABELS), scheme), tag_names(LABELS, scheme)
    tags = np.random.RandomState(0).randint(len(names), size=(300, 7))
    mask = np.arange(7)[None, :] < np.random.RandomState(1).randint(1, 8, size=300)[:, None]
    found = tagset.spans(tags, mask)
    for row in range(len(tags)):
        expected = get_entities([names[tag] for tag in tags[row][mask[row]]])
        at = found.rows == row
        ours = zip(found.labels[at], found.starts[at], found.ends[at] - 1)
        assert [(LABELS[label], start, last) for label, start, last in ours] == expected
