"""Entities with half a pair of brackets."""

import pytest
import spacy
from hypothesis import given, settings
from hypothesis import strategies as st

from spacy_mtl_bioner.pipeline.brackets import BracketMender, mend, unmatched
from spacy_mtl_bioner.pipeline.groups import read_groups
from spacy_mtl_bioner.pipeline.merging import MergeByScore

from .tagged import check, documents, shown, snapshot, tagged

mender = BracketMender(merge=MergeByScore())


@pytest.mark.parametrize(
    "text, said, expected",
    [
        ("given N-(4-hydroxyphenyl)retinamide", "N-(4-hydroxyphenyl", ["N-(4-hydroxyphenyl)"]),
        ("given (R)-carvone daily", "R)-carvone", ["(R)-carvone"]),
        ("in breast cancer (of stage two, or worse)", "breast cancer (", ["breast cancer"]),
        ("in breast cancer (stage", "breast cancer (stage", ["breast cancer"]),
        ("in breast cancer (n = 5) and", "breast cancer (", ["breast cancer"]),
        ("in breast cancer ((n = 5) and", "breast cancer ((", ["breast cancer"]),
        ("given (R)-carvone daily", ")-carvone", ["carvone"]),
        ("TP53 (p53) binds", "TP53 (p53", ["TP53 (p53)"]),
        ("a) breast cancer", "a) breast cancer", ["breast cancer"]),
        ("in (breast cancer), (colon cancer) too", "breast cancer), (colon cancer", ["breast cancer"]),
        ("both [D-Pen2]-enkephalin and", "Pen2]-enkephalin", ["[D-Pen2]-enkephalin"]),
        ("the ( of", "(", []),
        ("(2-(3-methyl)ethyl)urea", "2-(3-methyl)ethyl)urea", ["(2-(3-methyl)ethyl)urea"]),
        ("cancer (CA) is", "cancer (CA)", ["cancer (CA)"]),
        ("in breast cancer \n\n ( see", "breast cancer \n\n (", ["breast cancer"]),
        ("see )\n\nbreast cancer", ")\n\nbreast cancer", ["breast cancer"]),
    ],
)
def test_examples(text, said, expected):
    doc = mender(tagged(text, (said, "X", "A", 0.5)))
    assert shown(doc, "A") == [(entity, "X", 0.5) for entity in expected]
    assert [ent.text for ent in doc.ents] == expected
    check(doc)


def test_it_grows_no_further_than_told_and_not_into_others():
    text, said = "a (b c d e) f", "a (b"
    for grow, expected in ((4, "a (b c d e)"), (3, "a"), (0, "a")):
        pipe = BracketMender(merge=MergeByScore(), grow=grow)
        assert shown(pipe(tagged(text, (said, "X", "A", 1.0))), "A") == [(expected, "X", 1.0)]
    doc = tagged(text, (said, "X", "A", 1.0), ("d", "X", "A", 1.0), ("e", "X", "B", 1.0))
    assert [entity[0] for entity in shown(mender(doc), "A")] == ["a", "d"]


@given(st.text(alphabet="()[]{}ab", max_size=12))
def test_unmatched_by_removing_pairs(text):
    """What is unmatched goes away, and the rest is gone once pairs are crossed out again and again."""
    alone = unmatched(text)
    rest = "".join(c for i, c in enumerate(text) if i not in alone and c not in "ab")
    for _ in text:
        rest = rest.replace("()", "").replace("[]", "").replace("{}", "")
    assert rest == ""
    assert all(text[i] in "()[]{}" for i in alone)


@settings(max_examples=150, deadline=None)
@given(doc=documents())
def test_no_half_pair_is_left_and_whole_ones_stay(doc):
    before, was = snapshot(doc), read_groups(doc)
    mender(doc)
    check(doc)
    groups = read_groups(doc)
    assert snapshot(doc)[3:] == before[3:]
    for corpus, entities in was.items():
        whole = [e for e in entities if not unmatched(doc[e.start : e.end].text)]
        assert set(whole) <= set(groups[corpus])
        if whole == entities:
            assert groups[corpus] == entities
    assert not any(unmatched(doc[e.start : e.end].text) for found in groups.values() for e in found)
    if groups == was:
        assert snapshot(doc) == before
    after = snapshot(doc)
    assert snapshot(mender(doc)) == after


def test_a_long_row_of_halves_is_stripped():
    """However many: one after the other, not one within the other."""
    doc = spacy.blank("en")(") , " * 3_000 + "cancer")
    assert mend(doc, 0, len(doc), 0, len(doc)) == (len(doc) - 1, len(doc))
    assert mend(doc, 0, len(doc) - 1, 0, len(doc) - 1) is None
