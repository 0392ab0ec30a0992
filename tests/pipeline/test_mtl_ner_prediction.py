"""What the component writes, for which corpora, and that company does not matter."""

import json
import random

import pytest
from spacy.tokens import Doc, DocBin
from spacy.util import fix_random_seed

from spacy_mtl_bioner.errors import MTLError
from spacy_mtl_bioner.pipeline.groups import others_of, read_groups, write_groups
from spacy_mtl_bioner.pipeline.scorer import MTL_TAGS

from .recognizer import TEXTS, component, examples, learn, pipeline, scores_of, spans_of, trained


@pytest.mark.parametrize("text", ["", " ", "\n\n \t"])
def test_nothing_to_tag(text):
    nlp = trained(["disease", "pos"])
    doc = nlp(text)
    assert spans_of(doc) == {"disease": []} and scores_of(doc) == {"disease": []} and doc.ents == () and doc._.mtl == []
    found = list(nlp.pipe([text, TEXTS[0], text]))
    assert [len(doc.ents) for doc in found] == [0, 1, 0]
    doc = nlp(text, component_cfg={"mtl_ner": {"corpora": ["pos"]}})
    assert not doc.spans and doc.user_data[MTL_TAGS] == {"pos": [""] * len(doc)}


def test_annotations():
    doc = trained()("BRCA1 mutations cause breast cancer and asthma")
    assert spans_of(doc)["disease"] == [(3, 5, "Disease"), (6, 7, "Disease")]
    found = [(e.text, e.label_) for e in doc.ents]
    assert found == [("BRCA1", "Gene"), ("breast cancer", "Disease"), ("asthma", "Disease")]
    assert [entry[:3] for entry in doc._.mtl] == [[0, 5, "Gene"], [22, 35, "Disease"], [40, 46, "Disease"]]
    for entry, entity in zip(doc._.mtl, doc.ents):
        ((corpus, label, score, _),) = entry[3]
        assert label == entity.label_ and score in scores_of(doc)[corpus]
    for group in scores_of(doc).values():
        assert all(0.5 < score <= 1.0 for score in group)


def test_selection():
    nlp = trained()
    text = "BRCA1 mutations cause breast cancer"
    assert set(spans_of(nlp(text))) == {"disease", "gene"}
    settings = {"mtl_ner": {"corpora": ["gene"]}}
    for doc in (nlp(text, component_cfg=settings), *nlp.pipe([text, text], component_cfg=settings)):
        assert list(spans_of(doc)) == ["gene"] and {e.label_ for e in doc.ents} == {"Gene"}
    nlp = trained(settings={"corpora": ["disease"]})
    own, asks, none = (nlp.make_doc(text) for _ in range(3))
    asks._.corpora, none._.corpora = ["gene"], []
    assert [list(spans_of(doc)) for doc in nlp.pipe([own, asks, none])] == [["disease"], ["gene"], []]
    assert none.ents == () and none._.mtl == []
    assert list(spans_of(nlp(text, component_cfg=settings))) == ["gene"]


def test_no_corpus_leaves_the_entities_of_others():
    nlp = trained()
    nlp.add_pipe("entity_ruler", first=True).add_patterns([{"label": "Animal", "pattern": "mice"}])
    none = {"mtl_ner": {"corpora": []}}
    doc = nlp("mice with breast cancer", component_cfg=none)
    assert [(e.text, e.label_) for e in doc.ents] == [("mice", "Animal")] and doc._.mtl == []
    doc = nlp.make_doc("mice with breast cancer")
    doc = component(nlp)(doc)
    assert doc.ents and doc._.mtl
    doc.set_ents([*doc.ents, doc.char_span(0, 4, "Animal")])
    doc._.corpora = []
    doc = component(nlp)(doc)
    assert [e.label_ for e in doc.ents] == ["Animal"] and doc._.mtl == [] and not doc.spans


@pytest.mark.parametrize(
    "overwrite, expected",
    [
        (True, [("asthma", "Disease"), ("mice", "Species"), ("breast cancer", "Disease")]),
        (False, [("asthma", "Disease"), ("mice", "Animal"), ("breast", "Site")]),
    ],
)
def test_entities_of_others_are_replaced_or_stay(overwrite, expected):
    """Where they stay, the merge goes around them; the groups have all, and each entity says where it is from."""
    patterns = [{"label": "Animal", "pattern": "mice", "id": "MESH:D051379"}, {"label": "Site", "pattern": "breast"}]
    nlp = trained(["disease", "species"], {"overwrite_ents": overwrite})
    nlp.add_pipe("entity_ruler", first=True).add_patterns(patterns)
    nlp.add_pipe("mtl_brackets")
    first, second = docs = list(nlp.pipe(["asthma is common in mice", "patients with breast cancer improved"]))
    assert spans_of(first) == {"disease": [(0, 1, "Disease")], "species": [(4, 5, "Species")]}
    assert spans_of(second) == {"disease": [(2, 4, "Disease")], "species": []}
    assert [(e.text, e.label_) for doc in docs for e in doc.ents] == expected
    for doc in docs:
        sources = {(e.start_char, e.end_char): e._.mtl for e in doc.ents if e.label_ in ("Disease", "Species")}
        assert sources == {(start, end): found for start, end, _, found in doc._.mtl}
        assert all((e._.mtl is None) == (e.label_ in ("Animal", "Site")) for e in doc.ents)
        assert nlp(nlp.make_doc(doc.text)).to_json() == nlp(doc).to_json() == doc.to_json()
    assert [e.ent_id_ for e in first.ents] == ["", "" if overwrite else "MESH:D051379"]


def test_revising_goes_around_entities_that_stayed():
    nlp = trained(["disease"], {"overwrite_ents": False})
    nlp.add_pipe("entity_ruler", first=True).add_patterns([{"label": "Site", "pattern": "breast"}])
    doc = nlp("patients with breast cancer improved")
    found = read_groups(doc)
    write_groups(doc, found, component(nlp).merge, others_of(doc))
    assert [(e.text, e.label_) for e in doc.ents] == [("breast", "Site")] and doc._.mtl == []


def test_an_entity_after_those_of_others_has_its_own_sources():
    nlp = trained()
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "Animal", "pattern": "mice"}])
    doc = nlp("mice with asthma")
    assert [(e.text, e._.mtl and e._.mtl[0][:2]) for e in doc.ents] == [
        ("mice", None), ("asthma", ["disease", "Disease"])
    ]


@pytest.mark.parametrize("settings", [{"threshold": 50.0}, {"threshold": -0.1}, {"thresholds": {"gene": 5.0}}])
def test_a_threshold_that_no_score_can_reach_is_refused(settings):
    with pytest.raises(MTLError, match="MTL105.*mtl_ner.*from 0 to 1"):
        trained(settings=settings)
    if "threshold" in settings:
        with pytest.raises(MTLError, match="MTL105.*a call of mtl_ner"):
            trained()("asthma", component_cfg={"mtl_ner": settings})


def test_unknown_corpora_list_the_known():
    nlp = trained()
    with pytest.raises(MTLError, match="MTL100.*'chemical'.*known are: disease, gene"):
        nlp("asthma", component_cfg={"mtl_ner": {"corpora": ["chemical"]}})
    doc = nlp.make_doc("asthma")
    doc._.corpora = ["disease", "chemical"]
    with pytest.raises(MTLError, match="MTL100.*'chemical'.*Doc._.corpora of 'asthma'"):
        nlp(doc)
    with pytest.raises(MTLError, match="MTL100.*'chemical'.*setting corpora"):
        trained(settings={"corpora": ["chemical"]})("asthma")


def test_scores_and_thresholds():
    """Entities below the threshold vanish everywhere; a corpus' own threshold goes before the common one."""
    text = "BRCA1 and breast cancer of rats with asthma"
    whole = trained()(text)
    spans, scores = spans_of(whole), scores_of(whole)
    limit = sorted(score for group in scores.values() for score in group)[1]
    cut = trained(settings={"threshold": limit})(text)
    for corpus in spans:
        assert spans_of(cut)[corpus] == [s for s, p in zip(spans[corpus], scores[corpus]) if p >= limit]
    assert sum(map(len, spans_of(cut).values())) == sum(map(len, spans.values())) - 1 > 1
    one = trained(settings={"threshold": 1.0, "thresholds": {"gene": 0.0}})(text)
    assert spans_of(one) == {"disease": [], "gene": spans["gene"]}
    per_call = trained()(text, component_cfg={"mtl_ner": {"threshold": 1.0}})
    assert per_call.ents == () and spans_of(per_call) == {"disease": [], "gene": []}


def test_a_threshold_of_no_corpus_is_a_slip():
    with pytest.raises(MTLError, match="MTL100.*'genes'.*setting thresholds of mtl_ner.*disease, gene"):
        trained(settings={"thresholds": {"genes": 0.5}})("asthma")


def test_without_scores():
    nlp = trained(settings={"scores": False})
    doc = nlp("BRCA1 and asthma")
    assert spans_of(doc) == spans_of(trained()("BRCA1 and asthma"))
    assert all(score is None for group in scores_of(doc).values() for score in group)
    assert [source[0][2] for *_, source in doc._.mtl] == [None, None]
    doc = nlp("BRCA1 and asthma", component_cfg={"mtl_ner": {"scores": True}})
    assert all(0 <= score <= 1 for group in scores_of(doc).values() for score in group)


def test_entities_never_overlap():
    """A component that knows little proposes much: the merged entities are disjoint and each has its sources."""
    nlp = pipeline()
    fix_random_seed(0)
    data = examples(nlp)
    nlp.initialize(lambda: data)
    learn(nlp, data, 6)
    random.seed(0)
    words = sorted({word for text in TEXTS for word in text.split()})
    overlaps = 0
    for doc in nlp.pipe(" ".join(random.choices(words, k=12)) for _ in range(60)):
        spans = [{(a, b) for a, b, _ in group} for group in spans_of(doc).values()]
        overlaps += any(a < d and c < b for a, b in spans[0] for c, d in spans[1])
        covered = [token.i for entity in doc.ents for token in entity]
        assert len(covered) == len(set(covered)) and len(doc.ents) == len(doc._.mtl)
        for entity, (start, end, label, sources) in zip(doc.ents, doc._.mtl):
            assert (entity.start_char, entity.end_char, entity.label_) == (start, end, label)
            for corpus, name, *_ in sources:
                assert (entity.start, entity.end, name) in spans_of(doc)[corpus]
    assert overlaps > 0


def test_provenance_survives_docbin_and_json():
    nlp = trained()
    docs = list(nlp.pipe(TEXTS))
    data = DocBin(store_user_data=True, docs=docs).to_bytes()
    for doc, other in zip(docs, DocBin(store_user_data=True).from_bytes(data).get_docs(nlp.vocab)):
        assert json.dumps(other._.mtl) == json.dumps(doc._.mtl)
        assert json.loads(json.dumps(doc.to_json(underscore=["mtl"])))["_"]["mtl"] == doc._.mtl
        again = Doc(nlp.vocab).from_bytes(doc.to_bytes())
        assert spans_of(again) == spans_of(doc) and scores_of(again) == scores_of(doc)
    assert sum(len(doc._.mtl) for doc in docs) > 10


def test_the_same_alone_in_batches_and_in_any_order():
    """Each order and batch size gives the same spans, and scores to the rounding of float32."""
    nlp = trained()
    texts = [" ".join(TEXTS[i:j]) for i in range(5) for j in range(i + 1, len(TEXTS), 2)] + TEXTS + ["asthma"]
    alone = {text: nlp(text) for text in texts}
    random.seed(1)
    for batch_size in (1, 2, 7, 100):
        random.shuffle(texts)
        for text, doc in zip(texts, nlp.pipe(texts, batch_size=batch_size), strict=True):
            assert doc.text == text and spans_of(doc) == spans_of(alone[text])
            assert [entry[:3] for entry in doc._.mtl] == [entry[:3] for entry in alone[text]._.mtl]
            for corpus, scores in scores_of(doc).items():
                assert scores == pytest.approx(scores_of(alone[text])[corpus], abs=1e-5)


def test_corpora_of_tags():
    """They do not tag unless asked, or alone, and never touch entities."""
    nlp = trained(["disease", "pos"])
    doc = nlp("mice improved")
    assert list(spans_of(doc)) == ["disease"] and MTL_TAGS not in doc.user_data
    doc = nlp("mice improved", component_cfg={"mtl_ner": {"corpora": ["pos"]}})
    assert doc.user_data[MTL_TAGS] == {"pos": ["NN", "VB"]} and doc.ents == () and not doc.spans
    alone = trained(["pos"])
    alone.add_pipe("entity_ruler", first=True).add_patterns([{"label": "Species", "pattern": "mice"}])
    for settings in ({}, {"corpora": ["pos"]}, {"corpora": []}):
        doc = alone("mice improved", component_cfg={"mtl_ner": settings})
        assert [(entity.text, entity.label_) for entity in doc.ents] == [("mice", "Species")]
        assert doc.user_data.get(MTL_TAGS) == (None if settings.get("corpora") == [] else {"pos": ["NN", "VB"]})
    scores = nlp.evaluate(examples(nlp, ["disease"]))
    assert scores["mtl_disease_f"] == scores["mtl_macro_f"] == scores["ents_f"] == 1.0
