"""The unified set of labels: what the catalogue says, what goes before it, and corpora that agree by it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spacy.util import registry

from spacy_mtl_bioner.corpora.catalogue import load_catalogue
from spacy_mtl_bioner.errors import MTLError
from spacy_mtl_bioner.pipeline.label_map import (
    ANY,
    MergeUnified,
    built_in,
    merge_unified,
    read_label_map,
    unified_label,
)
from spacy_mtl_bioner.pipeline.merging import (
    Candidate,
    MergeByPriority,
    MergeByScore,
    MergeByVote,
    Merged,
    MergeLongest,
    Source,
)

from .recognizer import pipeline
from .test_merging import plain, spans

UNIFIED = {
    "Gene", "Chemical", "Disease", "Species", "CellType", "CellLine", "CellularComponent", "Anatomy", "DNA", "RNA",
    "Complex", "Sequence",
}  # fmt: skip


def test_every_label_of_every_corpus_is_known():
    for name, entry in load_catalogue().items():
        if entry.kind == "spans":
            assert {unified_label(name, label, {}) for label in entry.labels} <= UNIFIED


@pytest.mark.parametrize(
    "corpus, label, expected",
    [
        ("BC2GM", "GENE", "Gene"),
        ("JNLPBA", "protein", "Gene"),
        ("JNLPBA", "cell_type", "CellType"),
        ("BioNLP13CG", "Cancer", "Disease"),
        ("CRAFT", "CL", "CellType"),
        ("mine", "Simple_chemical", "Chemical"),
        ("mine", "Chemical", "Chemical"),
        ("mine", "Gadget", None),
    ],
)
def test_built_in(corpus, label, expected):
    assert unified_label(corpus, label, {}) == expected


def test_a_corpus_goes_before_all_and_yours_before_the_built_in():
    labels = {"BC5CDR": {"Chemical": "Drug"}, ANY: {"Chemical": "Compound", "GENE": "Locus"}}
    assert unified_label("BC5CDR", "Chemical", labels) == "Drug"
    assert unified_label("BC4CHEMD", "Chemical", labels) == "Compound"
    assert unified_label("BC2GM", "GENE", labels) == "Locus"
    assert unified_label("BC5CDR", "Disease", labels) == "Disease"
    assert "Drug" not in str(built_in())


def test_corpora_vote_on_unified_labels():
    found = [
        Candidate(0, 2, "Disease", "A", 0.9, 0),
        Candidate(0, 1, "GENE", "BC2GM", 0.5, 1),
        Candidate(0, 1, "protein", "JNLPBA", 0.4, 2),
    ]
    assert [m.label for m in MergeByVote()(found)] == ["GENE"]
    (merged,) = MergeUnified(MergeByVote(2))(found)
    assert merged[:3] == (0, 1, "Gene")
    assert [tuple(source) for source in merged.sources] == [
        ("BC2GM", "GENE", 0.5, "Gene"),
        ("JNLPBA", "protein", 0.4, "Gene"),
    ]


def test_unknown_labels_are_kept_or_dropped():
    found = [Candidate(0, 1, "Gadget", "A", 0.9), Candidate(2, 3, "Gene", "A", 0.1)]
    assert spans(MergeUnified(MergeByScore())(found)) == [(0, 1, "Gadget"), (2, 3, "Gene")]
    assert spans(MergeUnified(MergeByScore(), drop_unknown=True)(found)) == [(2, 3, "Gene")]


labels = st.sampled_from(["Gene", "GENE", "Protein", "Gadget"])
candidates = st.builds(
    lambda start, size, label, corpus, score: Candidate(start, start + size, label, corpus, score, "ABC".index(corpus)),
    st.integers(0, 9), st.integers(1, 4), labels, st.sampled_from("ABC"), st.sampled_from([None, 0.25, 0.5]),
)  # fmt: skip
policies = st.sampled_from([MergeByScore(), MergeLongest(), MergeByVote(2), MergeByPriority(("B",))])


@given(found=st.lists(candidates, max_size=12), policy=policies, drop=st.booleans())
def test_as_the_other_policy_on_renamed_candidates(found, policy, drop):
    """Entities are those of the other policy; sources are the candidates of these tokens, under their own labels."""
    names = {"GENE": "Gene", "Protein": "Gene", "Gene": "Gene", "Gadget": "Gadget"}
    known = [c for c in found if not (drop and c.label == "Gadget")]
    merged = MergeUnified(policy, drop_unknown=drop)(found)
    assert spans(merged) == spans(policy([c._replace(label=names[c.label]) for c in known]))
    for entity in merged:
        expected = [(c.corpus, c.label, c.score, names[c.label]) for c in known if c[:2] == entity[:2]]
        assert sorted(map(repr, map(tuple, entity.sources))) == sorted(map(repr, expected))
    sources = [(m, s) for m in merged for s in m.sources]
    again = [Candidate(m.start, m.end, s.label, s.corpus, s.score, "ABC".index(s.corpus)) for m, s in sources]
    assert plain(MergeUnified(policy, drop_unknown=drop)(again)) == plain(merged)


def test_from_config():
    inner = {"@misc": "spacy_mtl_bioner.MergeByPriority.v1", "priority": ["nowhere"]}
    setting = {"@misc": "spacy_mtl_bioner.MergeUnified.v1", "merge": inner, "labels": {"A": {"X": "Y"}}}
    policy = registry.resolve({"merge": setting})["merge"]
    assert policy == MergeUnified(MergeByPriority(("nowhere",)), {"A": {"X": "Y"}})
    nlp = pipeline(merge=setting)
    assert nlp.config["components"]["mtl_ner"]["merge"] == {**setting, "drop_unknown": False}
    nlp.get_pipe("mtl_ner").add_label("X", "A")
    with pytest.raises(MTLError, match="MTL100.*'nowhere'.*A"):
        nlp.get_pipe("mtl_ner").predict([])


WRONG = [
    *([], {"A": "Gene"}, {"A": {"X": 1}}, {"A": {"X": ""}}),
    *({"corpora": {"A": {"labels": "Gene"}}}, {"corpora": {"A": {"labels": {"X": 1}}}}),
    *({"corpora": {"A": {"folder": "a"}}}, {"corpora": {"A": {"labels": {"X": "Y"}}, "B": "Gene"}}),
]


@pytest.mark.parametrize("data", WRONG)
def test_what_is_no_map(data, tmp_path):
    path = tmp_path / "map.json"
    path.write_text(json.dumps(data))
    with pytest.raises(MTLError, match=r"MTL400.*map\.json"):
        read_label_map(path)


def test_files(tmp_path):
    path = tmp_path / "map.json"
    with pytest.raises(MTLError, match=r"MTL001.*map\.json"):
        read_label_map(path)
    path.write_text("{")
    with pytest.raises(MTLError, match=r"MTL400.*map\.json"):
        read_label_map(path)
    path.write_text('{"*": {"X": "Y"}}')
    assert read_label_map(path) == {"*": {"X": "Y"}}


def test_a_catalogue_is_a_map(tmp_path):
    """Its fields but ``labels`` are passed over, and tags are no entities; a corpus may be called ``corpora``."""
    path = tmp_path / "catalogue.json"
    entries = {
        "my-genes": {"labels": {"Locus": "Gene"}},
        "my-assays": {"folder": "assays", "labels": {"Assay": "Assay"}, "license": "CC0"},
        "my-tags": {"kind": "tags", "labels": ["NN", "VB"]},
    }
    path.write_text(json.dumps({"categories": {"Assay": "laboratory methods"}, "corpora": entries}))
    assert read_label_map(path) == {"my-genes": {"Locus": "Gene"}, "my-assays": {"Assay": "Assay"}}
    for plain_map in ({"corpora": {"Locus": "Gene"}}, {"corpora": {}}):
        path.write_text(json.dumps(plain_map))
        assert read_label_map(path) == plain_map


def test_a_map_that_a_saved_config_could_not_hold():
    """A dot ends the name of a section."""
    with pytest.raises(MTLError, match=r"MTL400.*dot.*my\.corpus"):
        merge_unified(MergeByScore(), {"my.corpus": {"A": "B"}})


def test_a_policy_that_makes_stretches_of_its_own():
    def union(candidates):
        first, last = min(candidates), max(candidates, key=lambda found: found.end)
        sources = tuple(Source(found.corpus, found.label, found.score) for found in candidates)
        return [Merged(first.start, last.end, first.label, sources)]

    candidates = [Candidate(0, 2, "GENE", "BC2GM"), Candidate(1, 3, "protein", "JNLPBA")]
    (found,) = MergeUnified(union)(candidates)
    assert found[:3] == (0, 3, "Gene") and [source.corpus for source in found.sources] == ["BC2GM", "JNLPBA"]
