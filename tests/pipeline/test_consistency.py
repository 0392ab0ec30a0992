"""A mention that is sure in one place, in the others."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spacy_mtl_bioner.errors import MTLError
from spacy_mtl_bioner.pipeline.consistency import DocumentConsistency
from spacy_mtl_bioner.pipeline.groups import read_groups
from spacy_mtl_bioner.pipeline.merging import MergeByScore
from spacy_mtl_bioner.pipeline.occurrences import Occurrences

from .tagged import check, documents, shown, snapshot, tagged

TEXT = "Aspirin helps. The aspirin of old, aspirin 1, and Aspirin resistance: aspirin."


def component(**options):
    return DocumentConsistency(merge=MergeByScore(), **{"minimum_share": 0.0, **options})


def test_other_occurrences_of_the_same_words():
    inner = ("Aspirin resistance", "Disease", "A", 0.4)
    doc = tagged(TEXT, ("aspirin", "Chemical", "A", 0.9), inner, ("old", "X", "B", 1.0))
    component()(doc)
    found = ("aspirin", "Chemical", 0.9)
    assert shown(doc, "A") == [found, found, ("Aspirin resistance", "Disease", 0.4), found]
    assert shown(doc, "B") == [("old", "X", 1.0)]
    check(doc)


def test_in_any_case():
    doc = component(attr="LOWER")(tagged(TEXT, ("aspirin", "Chemical", "A", 0.9)))
    assert [entity[0] for entity in shown(doc, "A")] == ["Aspirin", "aspirin", "aspirin", "Aspirin", "aspirin"]


def test_the_label_of_most_with_the_best_score():
    found = [("X", 0.9), ("Y", 0.8), ("Y", 0.85)]
    doc = tagged("p53 p53 p53 p53", *(("p53", label, "A", score, i) for i, (label, score) in enumerate(found)))
    assert shown(component()(doc), "A")[-1] == ("p53", "Y", 0.85)


@pytest.mark.parametrize(
    "options, expected",
    [
        ({"minimum_score": 0.95}, 1),
        ({"minimum_length": 8}, 1),
        ({"minimum_length": 7}, 3),
        ({"ignore": ["ASPIRIN"]}, 1),
        ({"minimum_share": 0.5}, 1),
        ({"minimum_share": 0.3}, 3),
    ],
)
def test_settings(options, expected):
    doc = component(**options)(tagged(TEXT, ("aspirin", "Chemical", "A", 0.9)))
    assert len(shown(doc, "A")) == expected


@pytest.mark.parametrize("text", ["of the of the", "2001 2001", "- - - - -"])
def test_what_is_no_mention(text):
    doc = tagged(text, (text[: len(text) // 2].strip(), "X", "A", 1.0))
    before = snapshot(doc)
    assert snapshot(component(minimum_length=1)(doc)) == before


def test_without_scores():
    text = "aspirin and aspirin"
    assert len(shown(component()(tagged(text, ("aspirin", "X", "A", None))), "A")) == 1
    assert len(shown(component(minimum_score=0.0)(tagged(text, ("aspirin", "X", "A", None))), "A")) == 2


@given(words=st.lists(st.sampled_from("aAb"), max_size=10), start=st.integers(0, 9), size=st.integers(1, 3))
def test_occurrences_by_comparing_everywhere(words, start, size):
    doc = tagged(" ".join(words))
    for attr, key in (("ORTH", str), ("LOWER", str.lower)):
        occurrences = Occurrences(doc, attr)
        end = min(start + size, len(words))
        if start < end:
            wanted = [key(word) for word in words[start:end]]
            places = [i for i in range(len(words)) if [key(word) for word in words[i : i + len(wanted)]] == wanted]
            assert occurrences.of(occurrences.form(start, end)) == [(i, i + len(wanted)) for i in places]


def test_many_mentions_that_begin_alike_take_linear_time():
    """``IL 0 , IL 1 , ...``: the first word of each is everywhere. By the first word alone: half a minute."""
    doc = tagged(" , ".join(f"IL {i}" for i in range(5_000)))
    occurrences, start = Occurrences(doc), time.process_time()
    assert all(occurrences.of(occurrences.form(i, i + 2)) == [(i, i + 2)] for i in range(0, len(doc), 3))
    assert time.process_time() - start < 4  # some 0.02 s on an idle core


@settings(max_examples=150, deadline=None)
@given(doc=documents(), share=st.sampled_from([0.0, 0.5, 1.0]))
def test_it_only_adds_and_does_so_once(doc, share):
    pipe = component(minimum_share=share, minimum_length=1)
    before, was = snapshot(doc), read_groups(doc)
    pipe(doc)
    check(doc)
    assert snapshot(doc)[3:] == before[3:]
    occurrences = Occurrences(doc)
    for corpus, entities in read_groups(doc).items():
        assert set(was[corpus]) <= set(entities)
        forms = {occurrences.form(*e[:2]) for e in was[corpus]}
        assert all(occurrences.form(*e[:2]) in forms for e in entities)
    if read_groups(doc) == was:
        assert snapshot(doc) == before
    if share in (0.0, 1.0):
        after = snapshot(doc)
        assert snapshot(pipe(doc)) == after
    if share == 1.0:
        assert snapshot(doc) == before


def test_words_without_a_lemma_are_not_alike():
    doc = tagged("BRCA1 causes TP53 loss", ("BRCA1", "Gene", "A", 0.9), ("TP53", "Gene", "A", 0.9))
    with pytest.raises(MTLError, match="MTL107.*'LEMMA'.*'BRCA1 causes TP53 loss'"):
        component(attr="LEMMA")(doc)
    assert len(shown(doc, "A")) == 2
    component(attr="LEMMA")(tagged("nothing was found"))
    for token in doc:
        token.lemma_ = "" if token.text in ("causes", "BRCA1") else token.lower_
    assert [entity[0] for entity in shown(component(attr="LEMMA")(doc), "A")] == ["BRCA1", "TP53"]


def test_unknown_attribute():
    with pytest.raises(MTLError, match="MTL105.*attr is 'WORD'.*ORTH, LOWER"):
        component(attr="WORD")


def test_mentions_are_found_over_white_space():
    text = "Loss of adenomatous polyposis.\nThe adenomatous\n\n polyposis gene."
    doc = tagged(text, ("adenomatous polyposis", "X", "A", 1.0))
    occurrences = Occurrences(doc)
    places = occurrences.of(occurrences.form(2, 4))
    found = [[token.text for token in doc[a:b] if not token.is_space] for a, b in places]
    assert found == [["adenomatous", "polyposis"]] * 2
    assert occurrences.of(()) == []
