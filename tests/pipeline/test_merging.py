"""The merge policies: properties of all, and the choice of each."""

import json
import math
import pickle
import time
from itertools import combinations

import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import Doc, Span
from spacy.util import registry

from spacy_mtl_bioner.errors import MTLError
from spacy_mtl_bioner.pipeline.merging import (
    Candidate,
    MergeByPriority,
    MergeByScore,
    MergeByVote,
    MergeLongest,
    Source,
    provenance,
)

POLICIES = [MergeByScore(), MergeLongest(), MergeByPriority(("C", "A")), MergeByVote(), MergeByVote(2)]
RANKS = {"A": 0, "B": 1, "C": 2}


@st.composite
def candidates(draw):
    start, corpus = draw(st.integers(0, 12)), draw(st.sampled_from("ABC"))
    end, label = start + draw(st.integers(1, 5)), draw(st.sampled_from("XY"))
    score = draw(st.sampled_from([None, math.nan, 0.0, 0.5, 0.9]))
    return Candidate(start, end, label, corpus, score, RANKS[corpus])


many = st.lists(candidates(), max_size=14)


def plain(merged):
    return repr(merged)  # NaN equals itself there


def spans(merged):
    return [(found.start, found.end, found.label) for found in merged]


@pytest.mark.parametrize("merge", POLICIES, ids=repr)
@given(found=many, order=st.randoms())
def test_never_overlaps_ignores_order_and_is_idempotent(merge, found, order):
    merged = merge(found)
    assert all(one.end <= other.start for one, other in zip(merged, merged[1:]))
    shuffled = list(found)
    order.shuffle(shuffled)
    assert plain(merge(shuffled)) == plain(merged)
    again = [Candidate(m.start, m.end, s.label, s.corpus, s.score, RANKS[s.corpus]) for m in merged for s in m.sources]
    assert plain(merge(again)) == plain(merged)


@pytest.mark.parametrize("merge", POLICIES[:4], ids=repr)
@given(found=many)
def test_only_what_overlaps_is_left_out_and_sources_are_complete(merge, found):
    merged = merge(found)
    for candidate in found:
        assert any(candidate.start < m.end and m.start < candidate.end for m in merged)
    for entity in merged:
        expected = [c for c in found if (c.start, c.end) == (entity.start, entity.end)]
        assert sorted(map(repr, entity.sources)) == sorted(repr(Source(c.corpus, c.label, c.score)) for c in expected)
        assert entity.label in {c.label for c in expected}


@given(found=many)
def test_the_best_score_is_always_taken(found):
    scored = [c.score for c in found if c.score is not None and not math.isnan(c.score)]
    taken = [s.score for m in MergeByScore()(found) for s in m.sources if s.score is not None]
    assert not scored or max(scored) in taken


@given(found=many)
def test_vote_and_longest_by_brute_force(found):
    """The proposal taken first is the best of all; the others follow from what is left."""

    def greedy(key):
        left, taken = {(c.start, c.end) for c in found}, []
        while left:
            best = min(left, key=key)
            taken.append(best)
            left = {span for span in left if span[1] <= best[0] or best[1] <= span[0]}
        return sorted(taken)

    unscored = [c._replace(score=None) for c in found]
    longest = greedy(lambda span: (span[0] - span[1], span[0]))
    assert [m[:2] for m in MergeLongest()(unscored)] == [m[:2] for m in MergeByScore()(unscored)] == longest
    votes = {span: len({c.corpus for c in found if (c.start, c.end) == span}) for span in [c[:2] for c in found]}
    assert [m[:2] for m in MergeByVote()(unscored)] == greedy(lambda span: (-votes[span], span[0] - span[1], span[0]))


def test_choices():
    found = [
        Candidate(0, 4, "Long", "A", 0.2, 0),
        Candidate(1, 2, "Sure", "B", 0.9, 1),
        Candidate(3, 5, "Both", "B", 0.5, 1),
        Candidate(3, 5, "Both2", "C", 0.6, 2),
        Candidate(6, 7, "Free", "C", None, 2),
    ]
    free = (6, 7, "Free")
    assert spans(MergeByScore()(found)) == [(1, 2, "Sure"), (3, 5, "Both2"), free]
    assert spans(MergeLongest()(found)) == [(0, 4, "Long"), free]
    assert spans(MergeByPriority(("A",))(found)) == [(0, 4, "Long"), free]
    assert spans(MergeByPriority(("B", "A"))(found)) == [(1, 2, "Sure"), (3, 5, "Both"), free]
    assert spans(MergeByVote()(found)) == [(1, 2, "Sure"), (3, 5, "Both2"), free]
    assert spans(MergeByVote(2)(found)) == [(3, 5, "Both2")]
    assert MergeByVote(2)(found)[0].sources == (Source("B", "Both", 0.5), Source("C", "Both2", 0.6))


def test_the_label_of_most_corpora_wins_a_vote():
    found = [Candidate(0, 1, "X", "A", 0.9, 0), Candidate(0, 1, "Y", "B", 0.1, 1), Candidate(0, 1, "Y", "C", 0.1, 2)]
    assert spans(MergeByVote()(found)) == [(0, 1, "Y")] and spans(MergeByScore()(found)) == [(0, 1, "X")]


def test_ties_go_to_the_longer_the_earlier_and_the_lower_rank():
    assert spans(MergeByScore()([Candidate(1, 3, "X", "A"), Candidate(0, 3, "X", "B")])) == [(0, 3, "X")]
    assert spans(MergeByScore()([Candidate(1, 3, "X", "A"), Candidate(0, 2, "X", "B")])) == [(0, 2, "X")]
    same = [Candidate(0, 1, "X", "A", 0.5, rank=1), Candidate(0, 1, "Y", "B", 0.5, rank=0)]
    assert spans(MergeByScore()(same)) == [(0, 1, "Y")]


def test_provenance_is_plain_and_in_characters():
    nlp = spacy.blank("en")
    doc = Doc(nlp.vocab, words=["a", "beta", "c"])
    merged = MergeByScore()([Candidate(1, 3, "X", "B", 0.5), Candidate(1, 3, "Y", "A", None)])
    doc.set_ents([Span(doc, m.start, m.end, m.label) for m in merged])
    found = provenance(doc.ents, merged)
    assert found == [[2, 8, "X", [["A", "Y", None, "Y"], ["B", "X", 0.5, "X"]]]]
    assert json.loads(json.dumps(found)) == found


@pytest.mark.parametrize(
    "block, policy",
    [
        ({"@misc": "spacy_mtl_bioner.MergeByScore.v1"}, MergeByScore()),
        ({"@misc": "spacy_mtl_bioner.MergeLongest.v1"}, MergeLongest()),
        ({"@misc": "spacy_mtl_bioner.MergeByPriority.v1", "priority": ["C", "A"]}, MergeByPriority(("C", "A"))),
        ({"@misc": "spacy_mtl_bioner.MergeByVote.v1", "minimum": 2}, MergeByVote(2)),
    ],
)
def test_from_config_and_to_other_processes(block, policy):
    merge = registry.resolve({"merge": block})["merge"]
    assert merge == policy and pickle.loads(pickle.dumps(merge)) == merge


def test_settings_that_cannot_be():
    for block, match in (
        ({"@misc": "spacy_mtl_bioner.MergeByPriority.v1", "priority": []}, "MTL105.*priority"),
        ({"@misc": "spacy_mtl_bioner.MergeByPriority.v1", "priority": ["A", "A"]}, "MTL105.*priority"),
        ({"@misc": "spacy_mtl_bioner.MergeByVote.v1", "minimum": 0}, "MTL105.*minimum"),
    ):
        with pytest.raises(MTLError, match=match):
            registry.resolve({"merge": block})


def test_a_single_corpus_costs_little():
    one = [Candidate(i, i + 2, "X", "A", 0.5) for i in range(0, 4_000, 2)]
    back = one[::-1]

    def cost(found):
        start = time.process_time()
        assert len(MergeByScore()(found)) == 2_000
        return time.process_time() - start

    costs = [(cost(one), cost(back)) for _ in range(20)]  # by turns: other work on the machine meets both
    assert 2 * min(first for first, _ in costs) < min(second for _, second in costs)


def test_a_long_document_of_many_corpora():
    found = [Candidate(i, i + 3, "X", corpus, 0.5, RANKS[corpus]) for i in range(10_000) for corpus in "ABC"]
    start = time.process_time()
    merged = MergeByScore()(found)
    assert time.process_time() - start < 3
    assert len(merged) == 3334 and not any(one.end > other.start for one, other in combinations(merged[:100], 2))
