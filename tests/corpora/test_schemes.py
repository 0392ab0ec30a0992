"""Tag schemes against brute force, round trips and seqeval's strict mode."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seqeval.metrics.sequence_labeling import get_entities
from seqeval.scheme import IOB1, IOB2, IOBES, Entities

from spacy_mtl_bioner.corpora.schemes import (
    SCHEMES,
    SchemeViolation,
    UnknownTag,
    convert_tags,
    get_scheme,
    legal_transitions,
    spans_to_tags,
    tag_names,
    tags_to_spans,
)
from spacy_mtl_bioner.errors import MTLError

ORACLES = {"IOB1": IOB1, "IOB2": IOB2, "IOBES": IOBES}
LABELS = ["X", "Regulon-operon"]


@st.composite
def sentences(draw):
    """A length and spans over it that do not overlap; adjacent spans of equal and of different labels are common."""
    length = draw(st.integers(0, 12))
    spans, position = [], 0
    while position < length:
        end = draw(st.integers(position, min(length, position + 4)))
        if end > position and draw(st.booleans()):
            spans.append((position, end, draw(st.sampled_from(LABELS))))
        position = max(end, position + 1)
    return length, spans


@pytest.mark.parametrize("scheme", SCHEMES)
@given(sentences())
def test_spans_come_back(scheme, sentence):
    length, spans = sentence
    assert tags_to_spans(spans_to_tags(length, spans, scheme), scheme) == spans


@pytest.mark.parametrize("source, target", list(product(SCHEMES, SCHEMES)))
@given(sentences())
def test_conversion_there_and_back(source, target, sentence):
    tags = spans_to_tags(*sentence, source)
    assert convert_tags(convert_tags(tags, source, target), target, source) == tags


@pytest.mark.parametrize("scheme", SCHEMES)
@given(sentences())
def test_seqeval_strict_reads_the_same_entities(scheme, sentence):
    length, spans = sentence
    tags = spans_to_tags(length, spans, scheme)
    found = Entities([tags], ORACLES[scheme]).entities[0] if tags else []
    assert [(e.start, e.end, e.tag) for e in found] == spans


@given(sentences())
def test_seqeval_lenient_agrees_on_iob2(sentence):
    length, spans = sentence
    found = get_entities(spans_to_tags(length, spans, "IOB2"))
    assert [(start, end + 1, label) for label, start, end in found] == spans


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("length", [1, 2, 3, 4])
def test_transitions_are_the_sequences_that_spans_can_make(scheme, length):
    """Brute force: of all tag sequences, the legal ones are exactly those that some set of spans is written as, and
    ``tags_to_spans`` accepts exactly these."""
    labels = LABELS if length < 4 else LABELS[:1]
    names = tag_names(labels, scheme)
    start, transitions, end = legal_transitions(labels, scheme)
    for ids in product(range(len(names)), repeat=length):
        tags = [names[i] for i in ids]
        legal = start[ids[0]] and end[ids[-1]] and all(transitions[a, b] for a, b in zip(ids, ids[1:]))
        try:
            accepted = spans_to_tags(length, tags_to_spans(tags, scheme), scheme) == tags
        except SchemeViolation:
            accepted = False
        assert legal == accepted, tags


@pytest.mark.parametrize(
    "scheme, tags, index, previous",
    [
        ("IOB2", ["O", "I-X"], 1, "O"),
        ("IOB2", ["I-X"], 0, None),
        ("IOB2", ["B-X", "I-Y"], 1, "B-X"),
        ("IOBES", ["B-X", "O"], 1, "B-X"),
        ("IOBES", ["S-X", "E-X"], 1, "S-X"),
        ("IOBES", ["B-X", "E-Y"], 1, "B-X"),
        ("IOBES", ["O", "B-X", "I-X"], 3, "I-X"),
        ("IOB1", ["O", "B-X"], 1, "O"),
        ("IOB1", ["I-Y", "B-X"], 1, "I-Y"),
    ],
)
def test_violations_say_where(scheme, tags, index, previous):
    with pytest.raises(SchemeViolation) as caught:
        tags_to_spans(tags, scheme)
    assert (caught.value.index, caught.value.previous) == (index, previous)


@pytest.mark.parametrize("tag", ["B", "B-", "-X", "E-X", "o", "", "X-B", "B_X"])
def test_unknown_tags(tag):
    with pytest.raises(UnknownTag) as caught:
        tags_to_spans(["O", tag], "IOB2")
    assert (caught.value.index, caught.value.tag) == (1, tag)


def test_adjacent_entities_stay_two():
    assert tags_to_spans(["B-X", "B-X", "B-Y"], "IOB2") == [(0, 1, "X"), (1, 2, "X"), (2, 3, "Y")]
    assert convert_tags(["B-X", "B-X", "I-X"], "IOB2", "IOB1") == ["I-X", "B-X", "I-X"]
    assert convert_tags(["B-X", "B-X", "I-X"], "IOB2", "IOBES") == ["S-X", "B-X", "E-X"]


def test_tag_order_of_a_head():
    assert tag_names(["X", "Y"], "IOB2") == ["O", "B-X", "I-X", "B-Y", "I-Y"]
    assert tag_names(["X"], "IOBES") == ["O", "B-X", "I-X", "E-X", "S-X"]


@pytest.mark.parametrize("spans", [[(0, 2, "X"), (1, 3, "X")], [(1, 1, "X")], [(2, 4, "X")], [(-1, 1, "X")]])
def test_spans_that_no_scheme_can_say(spans):
    with pytest.raises(ValueError, match="overlaps"):
        spans_to_tags(3, spans, "IOB2")


def test_unknown_scheme():
    with pytest.raises(MTLError, match="MTL007.*IOB3.*IOB1, IOB2, IOBES"):
        get_scheme("IOB3")
