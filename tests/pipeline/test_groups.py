"""What corpora found, on a Doc: round trips, other groups, merging anew."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.tokens import Doc, DocBin
from spacy.vocab import Vocab

from spacy_mtl_bioner.errors import MTLError
from spacy_mtl_bioner.pipeline.groups import corpora_of, from_plain, read_groups, to_plain, write_groups
from spacy_mtl_bioner.pipeline.label_map import MergeUnified
from spacy_mtl_bioner.pipeline.merging import Candidate, MergeByVote

from .recognizer import TEXTS, component, trained

VOCAB = Vocab()
WORDS = "wild type p53 binds MDM2 in breast cancer cells".split()


@st.composite
def groups(draw):
    """Two corpora with entities that do not overlap within one."""
    found = {}
    for rank, corpus in enumerate(draw(st.permutations(["B", "A", "C"]))[:2]):
        borders = sorted(draw(st.sets(st.integers(0, len(WORDS)), max_size=6)))
        pairs = zip(borders[::2], borders[1::2])
        score = st.sampled_from([None, 0.25, 1.0])
        label = st.sampled_from(["GENE", "Disease"])
        found[corpus] = [Candidate(a, b, draw(label), corpus, draw(score), rank) for a, b in pairs]
    return found


@settings(max_examples=50, deadline=None)
@given(found=groups())
def test_they_come_back_as_they_were_written(found):
    doc = Doc(VOCAB, words=WORDS)
    doc.spans["other"] = [doc[0:2], doc[1:3]]
    policy = MergeUnified(MergeByVote())
    write_groups(doc, found, policy)
    assert list(doc.spans["other"]) == [doc[0:2], doc[1:3]]
    assert read_groups(doc) == found and list(read_groups(doc)) == list(found)
    expected = policy([c for group in found.values() for c in group])
    assert [(e.start, e.end, e.label_) for e in doc.ents] == [m[:3] for m in expected]
    data = DocBin(store_user_data=True, docs=[doc]).to_bytes()
    (other,) = DocBin().from_bytes(data).get_docs(Vocab())
    assert read_groups(other) == found and list(read_groups(other)) == list(found)
    assert json.dumps(other._.mtl) == json.dumps(doc._.mtl)  # DocBin makes lists tuples
    text = json.dumps(doc.to_json(underscore=["mtl", "mtl_found"]))
    other = Doc(Vocab()).from_json(json.loads(text))
    assert read_groups(other) == found and list(read_groups(other)) == list(found)
    assert other._.mtl == doc._.mtl and to_plain(other) == to_plain(doc)
    assert [(e.start, e.end, e.label_) for e in other.ents] == [m[:3] for m in expected]


def test_a_second_call_leaves_nothing_of_the_first():
    nlp = trained()
    doc = nlp(TEXTS[0])
    assert corpora_of(doc) == ["disease", "gene"]
    component(nlp)(doc, corpora=["gene"])
    assert corpora_of(doc) == list(read_groups(doc)) == ["gene"]
    assert set(doc.spans) == {"gene"}


def test_entities_of_other_tokens():
    doc = Doc(VOCAB, words=WORDS)
    with pytest.raises(MTLError, match="MTL106.*'A'.*GENE at characters 1 to 4 .'ild'"):
        from_plain(doc, {"A": [[1, 4, "GENE", None]]})


def test_spans_that_somebody_appended_have_no_score():
    doc = Doc(VOCAB, words=WORDS)
    write_groups(doc, {"A": [Candidate(2, 3, "GENE", "A", 0.5, 0)]}, MergeByVote())
    doc.spans["A"].append(doc[6:8])
    assert [(found.start, found.end, found.score) for found in read_groups(doc)["A"]] == [(2, 3, 0.5), (6, 8, None)]
