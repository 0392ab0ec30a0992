"""Definitions of abbreviations."""

import re
import sys

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from spacy.util import registry

from spacy_mtl_bioner.errors import MTLError
from spacy_mtl_bioner.pipeline.short_forms import _REACH, _words_before, find_definitions, match

from .tagged import NLP, documents, tagged


def texts(finder, doc):
    return [(doc[slice(*found.short)].text, doc[slice(*found.long)].text) for found in finder(doc)]


@pytest.mark.parametrize(
    "text, expected",
    [
        ("The adenomatous polyposis coli (APC) tumour", [("APC", "adenomatous polyposis coli")]),
        ("Ataxia-telangiectasia (A-T) is", [("A-T", "Ataxia-telangiectasia")]),
        ("copper toxicosis (CT; MIM 215600) and", [("CT", "copper toxicosis")]),
        ("NF1 (neurofibromatosis type 1) patients", [("NF1", "neurofibromatosis type 1")]),
        ("MI (myocardial infarction) patients", [("MI", "myocardial infarction")]),
        ("heat shock protein (HSP) and a factor (RNF)", [("HSP", "heat shock protein")]),
        ("Cancer of the colon. Colon rectum (CR)", [("CR", "Colon rectum")]),
        ("Colon cancer. Rectum (CR) hurts", []),
        ("breast (in 2 of 3 patients) and (see above)", []),
        ("the gene (BRCA1) and p53 (p53)", []),
        ("(APC) adenomatous", []),
        ("x () (a) ( ) (AB", []),
        ("glucose-6-phosphate dehydrogenase\n(G6PD)", [("G6PD", "glucose-6-phosphate dehydrogenase")]),
    ],
)
def test_examples(text, expected):
    assert texts(find_definitions, tagged(text)) == expected


def by_pattern(short, long):
    """The rule as a pattern on both read backwards, where the nearest is the first; then to the start of the word."""
    wanted = [re.escape(c) for c in reversed(short.lower()) if c.isalnum()]
    found = re.match("(?s).*?" + ".*?".join(wanted) + r"(?![^\W_])", long.lower()[::-1])
    if found is None:
        return None
    at = len(long) - found.end()
    at = max((i for i in range(at + 1) if i == 0 or long[i - 1].isspace()), default=0)
    return at if len(long) - at > len(short) and short not in long[at:].split() else None


@settings(max_examples=300)
@given(short=st.text("ab1-", min_size=1, max_size=4), long=st.text("ab1 -", max_size=12))
def test_match_against_a_pattern(short, long):
    assume(short[0].isalnum())
    assert match(short, long) == by_pattern(short, long)


@settings(max_examples=100, deadline=None)
@given(doc=documents(["APC", "(", ")", "adenomatous", "polyposis", "coli", "-", ".", ";", " "]))
def test_definitions_are_in_the_text(doc):
    found = find_definitions(doc)
    assert found == sorted(found)
    for short, long in found:
        assert 0 <= short[0] < short[1] <= len(doc) and 0 <= long[0] < long[1] <= len(doc)
        assert short[1] <= long[0] or long[1] <= short[0]


def test_words_within_reach():
    """A text without sentence borders is not read from its start for each bracket; no word is cut."""
    word = "colon " * 2000
    text = word + "adenomatous polyposis coli (APC)"
    words = _words_before(text, 0, text.index("("))
    assert sum(len(found[0]) + 1 for found in words) <= _REACH and {found[0] for found in words[:-3]} == {"colon"}
    assert texts(find_definitions, NLP(text)) == [("APC", "adenomatous polyposis coli")]
    assert _words_before("x" * 5000 + " (", 0, 5001) == [] and len(_words_before("x" * 5000 + " (", 4990, 5001)) == 1


def test_from_config():
    assert registry.resolve({"x": {"@misc": "spacy_mtl_bioner.SchwartzHearst.v1"}})["x"] is find_definitions


def test_without_scispacy(monkeypatch):
    monkeypatch.setitem(sys.modules, "scispacy.abbreviation", None)
    with pytest.raises(MTLError, match="MTL401.*scispacy"):
        registry.resolve({"x": {"@misc": "spacy_mtl_bioner.ScispacyAbbreviations.v1"}})


def test_scispacy_leaves_nothing_on_the_doc():
    pytest.importorskip("scispacy.abbreviation")
    finder = registry.resolve({"x": {"@misc": "spacy_mtl_bioner.ScispacyAbbreviations.v1"}})["x"]
    doc = tagged("The adenomatous polyposis coli (APC) gene and APC. Wilson disease (WD) is not (here) WD.")
    kept = dict(doc.user_data)
    expected = [("APC", "adenomatous polyposis coli"), ("WD", "Wilson disease")]
    assert texts(finder, doc) == texts(find_definitions, doc) == expected
    assert texts(finder, tagged("nothing (at all) here")) == texts(finder, tagged("")) == []
    assert doc.user_data == kept and not doc.spans
