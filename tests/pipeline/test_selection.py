"""Which corpora tag a document."""

import pytest
import spacy
from spacy.tokens import Doc

from spacy_mtl_bioner.errors import MTLError
from spacy_mtl_bioner.extensions import register
from spacy_mtl_bioner.pipeline.selection import group_by_selection, resolve, select

register()
VOCAB = spacy.blank("en").vocab
KNOWN = ("B", "A", "C")


def doc(corpora=None, word="text"):
    made = Doc(VOCAB, words=[word])
    if corpora is not None:
        made._.corpora = corpora
    return made


def test_resolve():
    assert resolve(None, KNOWN, "here") == KNOWN
    assert resolve(None, KNOWN, "here", default=["A"]) == ("A",)
    assert resolve(["C", "A", "C"], iter(KNOWN), "here", default=["B"]) == ("C", "A")
    assert resolve([], KNOWN, "here") == ()


def test_unknown_names_list_the_known():
    with pytest.raises(MTLError, match=r"MTL100\].*'Z' in the setting corpora.*known are: B, A, C\."):
        resolve(["A", "Z"], KNOWN, "the setting corpora")
    with pytest.raises(MTLError, match=r"MTL100\].*known are: none"):
        resolve(["Z"], (), "here")
    with pytest.raises(MTLError, match=r"MTL100\].*Doc._.corpora of 'culprit '"):
        select(doc(["Z"], "culprit"), KNOWN, KNOWN)


@pytest.mark.parametrize("wrong", ["A", 3, {"A": 1}])
def test_what_is_no_list_is_refused(wrong):
    with pytest.raises(MTLError, match="MTL104.*here"):
        resolve(wrong, KNOWN, "here")


def test_the_document_goes_before_the_rest():
    assert select(doc(), ("A",), KNOWN) == ("A",)
    assert select(doc(["C"]), ("A",), KNOWN) == ("C",)
    assert select(doc([]), ("A",), KNOWN) == ()
    made = doc(["C"])
    assert select(Doc(VOCAB).from_bytes(made.to_bytes()), ("A",), KNOWN) == ("C",)


def test_what_a_document_asks_of_a_recognizer_is_not_meant_for_the_chunker_before_it():
    assert select(doc(["BC5CDR"]), ("chunks",), ("chunks",), auxiliary=True) == ("chunks",)
    assert select(doc([]), ("chunks",), ("chunks",), auxiliary=True) == ()
    assert select(doc(["C"]), ("A",), KNOWN, auxiliary=True) == ("C",)
    with pytest.raises(MTLError, match="MTL100"):
        select(doc(["C", "BC5CDR"]), ("A",), KNOWN, auxiliary=True)
    with pytest.raises(MTLError, match="MTL104"):
        select(doc(3), ("A",), KNOWN, auxiliary=True)


def test_groups_keep_positions_and_order():
    docs = [doc(), doc(["C"]), doc(), doc(["A", "B"]), doc(("C",)), doc(["B", "A"])]
    assert group_by_selection(docs, ("A", "B"), KNOWN) == [
        (("A", "B"), [0, 2, 3]),
        (("C",), [1, 4]),
        (("B", "A"), [5]),
    ]
    assert group_by_selection([], ("A",), KNOWN) == []


def test_gold_of_a_corpus_that_was_not_learned_says_what_to_do():
    gold = doc(["D"])
    gold._.corpus = "D"
    with pytest.raises(MTLError, match="MTL109.*'D'.*B, A, C.*corpora.dev.paths"):
        select(gold, ("A",), KNOWN)
