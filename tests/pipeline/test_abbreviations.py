"""Short forms take the entities of their long forms."""

from hypothesis import given, settings

from spacy_mtl_bioner.pipeline.abbreviations import AbbreviationResolver
from spacy_mtl_bioner.pipeline.groups import read_groups
from spacy_mtl_bioner.pipeline.merging import MergeByScore
from spacy_mtl_bioner.pipeline.occurrences import Occurrences
from spacy_mtl_bioner.pipeline.short_forms import find_definitions

from .tagged import check, documents, shown, snapshot, tagged

resolver = AbbreviationResolver(merge=MergeByScore(), finder=find_definitions, minimum_score=0.0)
APC = "APC was found. Adenomatous polyposis coli (APC) is rare; APC1 and APC tumours differ from apc."


def test_in_the_whole_document_and_in_each_corpus():
    doc = tagged(APC, ("Adenomatous polyposis coli", "Disease", "A", 0.9), ("rare", "X", "B", 0.5))
    resolver(doc)
    long = ("Adenomatous polyposis coli", "Disease", 0.9)
    assert shown(doc, "A") == [("APC", "Disease", 0.9), long, ("APC", "Disease", 0.9), ("APC", "Disease", 0.9)]
    assert shown(doc, "B") == [("rare", "X", 0.5)]
    assert [ent.text for ent in doc.ents] == ["APC", long[0], "APC", "rare", "APC"]
    check(doc)


def test_another_label_changes_and_overlaps_stay():
    long = ("Adenomatous polyposis coli", "Disease", "A", 0.9)
    doc = tagged(APC, long, ("APC", "Gene", "A", 1.0), ("APC tumours", "Disease", "A", 0.3))
    found = shown(resolver(doc), "A")
    assert found[0] == ("APC", "Disease", 0.9)
    assert found[-1] == ("APC tumours", "Disease", 0.3)
    same = tagged(APC, long, ("APC", "Disease", "A", 0.2))
    assert shown(resolver(same), "A")[0] == ("APC", "Disease", 0.2)


def test_the_last_definition_counts():
    text = "AT? Ataxia telangiectasia (AT) and AT. Adenine thymine (AT) and AT."
    doc = tagged(text, ("Ataxia telangiectasia", "Disease", "A", 0.9), ("Adenine thymine", "Chemical", "A", 0.8))
    labels = [entity[1] for entity in shown(resolver(doc), "A")]
    assert labels == ["Disease", "Disease", "Disease", "Disease", "Chemical", "Chemical", "Chemical"]


def test_only_an_entity_that_is_the_long_form():
    cancer = "The deleted in colorectal cancer (DCC) protein."
    part = tagged(cancer, ("colorectal cancer", "Disease", "A", 0.9))
    assert len(shown(resolver(part), "A")) == 1
    more = tagged("Deficiency of aspartoacylase (ASPA).", ("Deficiency of aspartoacylase", "Disease", "A", 0.9))
    assert len(shown(resolver(more), "A")) == 1
    less = tagged("conversion to cyclosporin A (CsA).", ("cyclosporin A", "Chemical", "A", 0.9))
    assert shown(resolver(less), "A")[-1] == ("CsA", "Chemical", 0.9)


def test_minimum_score():
    strict = AbbreviationResolver(merge=MergeByScore(), finder=find_definitions, minimum_score=0.7)
    for score, expected in ((0.6, 1), (None, 1), (0.7, 4)):
        doc = tagged(APC, ("Adenomatous polyposis coli", "Disease", "A", score))
        assert len(shown(strict(doc), "A")) == expected


@settings(max_examples=150, deadline=None)
@given(doc=documents(["AC", "AC", "(", ")", "adenomatous", "coli", "-", ".", "coli"]))
def test_it_adds_short_forms_and_takes_nothing_away(doc):
    before, was = snapshot(doc), read_groups(doc)
    resolver(doc)
    check(doc)
    assert snapshot(doc)[3:] == before[3:]
    occurrences = Occurrences(doc)
    forms = {occurrences.form(*short) for short, _ in find_definitions(doc)}
    for corpus, entities in read_groups(doc).items():
        assert {e[:2] for e in was[corpus]} <= {e[:2] for e in entities}
        for entity in set(entities) - set(was[corpus]):
            assert occurrences.form(*entity[:2]) in forms
            assert any((e.label, e.score) == (entity.label, entity.score) for e in was[corpus])
    if read_groups(doc) == was:
        assert snapshot(doc) == before
