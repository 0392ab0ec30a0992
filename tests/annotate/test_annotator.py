"""The core, on any text: offsets, provenance, isolation of what fails."""

import json
from dataclasses import replace

import pytest
import spacy
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.tokens import Span
from spacy.util import registry

from spacy_mtl_bioner.annotate.annotator import MTL, Annotator, entities_of
from spacy_mtl_bioner.annotate.records import Failure
from spacy_mtl_bioner.annotate.stitch import join_docs
from spacy_mtl_bioner.errors import MTLError
from spacy_mtl_bioner.pipeline.merging import MergeByScore, MergeByVote, Merged, MergeLongest, Source
from spacy_mtl_bioner.types import Document, Passage

from ..pipeline.recognizer import TEXTS, trained

KNOWN = "BRCA1 mutations cause breast cancer and asthma"


@pytest.fixture(scope="module")
def annotator(pipeline):
    return Annotator(pipeline)


def found(result):
    return [(entity.start, entity.end, entity.text, entity.label) for entity in result.entities]


def test_entities_have_offsets_text_and_provenance(annotator):
    result = annotator(KNOWN)
    assert found(result) == [
        (0, 5, "BRCA1", "Gene"),
        (22, 35, "breast cancer", "Disease"),
        (40, 46, "asthma", "Disease"),
    ]
    for entity in result.entities:
        assert entity.score == max(score for _, label, score in entity.sources if label == entity.label)
        assert entity.score == round(entity.score, 4) > 0.5
        assert {corpus for corpus, _, _ in entity.sources} <= {"disease", "gene"}
    assert result.tokens == 7


def test_they_are_the_entities_of_the_pipeline(annotator, pipeline):
    doc = pipeline(KNOWN)
    assert found(annotator(KNOWN)) == [(e.start_char, e.end_char, e.text, e.label_) for e in doc.ents]
    said = [(e.start, e.end, e.label, [list(s) for s in e.sources]) for e in annotator(KNOWN).entities]
    for entry, (start, end, label, sources) in zip(said, doc.user_data[MTL]):
        assert entry[:3] == (start, end, label)
        assert entry[3] == [[corpus, own, round(score, 4)] for corpus, own, score, _ in sources]


def test_a_pipeline_of_another_kind_has_entities_without_provenance():
    nlp = spacy.blank("en")
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "Gene", "pattern": "BRCA1"}])
    (entity,) = Annotator(nlp)("the BRCA1 gene").entities
    assert (entity.start, entity.label, entity.score, entity.sources) == (4, "Gene", None, ())


@pytest.mark.parametrize(
    "options, code",
    [
        ({"corpora": ["nope"]}, "MTL100"),
        ({"labels": ["nope"]}, "MTL370"),
        ({"labels": ["Gene"], "corpora": ["disease"]}, "MTL370"),
        ({"threshold": 2.0}, "MTL359"),
        ({"thresholds": {"nope": 0.5}}, "MTL100"),
        ({"merge": "nope"}, "MTL359"),
        ({"merge": "spacy_mtl_bioner.Balanced.v1"}, "MTL359"),
        ({"merge": "spacy_mtl_bioner.SchwartzHearst.v1"}, "MTL359"),
        ({"merge": "priority"}, "MTL359"),
        ({"merge": "priority", "priority": ["nope"]}, "MTL100"),
        ({"device": "cuda:99"}, "MTL368"),
        ({"device": "tpu"}, "MTL368"),
        ({"component": "nope", "corpora": ["disease"]}, "MTL369"),
        ({"batch_tokens": 0}, "MTL359"),
        ({"merge": "vote", "minimum": 3}, r"MTL359.*--minimum is 3; expected 1 to 2, as many as tag \(disease, gene\)"),
        ({"merge": "vote", "minimum": 2, "corpora": ["gene"], "label_map": "default"}, r"MTL359.*1 to 1.*\(gene\)"),
    ],
)
def test_wrong_options_are_coded(options, code):
    with pytest.raises(MTLError, match=code):
        Annotator(trained(), **options)


def test_a_vote_of_the_pipeline_itself_that_too_few_corpora_take_part_in():
    merge = {"@misc": "spacy_mtl_bioner.MergeByVote.v1", "minimum": 2}
    nlp = trained(settings={"merge": merge})
    assert Annotator(nlp).nlp is nlp
    with pytest.raises(MTLError, match=r"MTL359.*the pipeline's own merge policy is 2; expected 1 to 1.*\(gene\)"):
        Annotator(nlp, corpora=["gene"])
    assert Annotator(nlp, corpora=["gene"], merge="score")(KNOWN).entities


def test_labels_without_a_unified_one_are_named_once(tmp_path, caplog):
    path = tmp_path / "catalogue.json"
    entries = {"gene": {"labels": {"Gene": "Locus"}}, "odd": {"labels": {"Gene": "Odd"}}}
    path.write_text(json.dumps({"corpora": entries}))
    nlp = trained()
    annotator = Annotator(nlp, label_map=str(path))
    assert {e.unified for e in annotator(KNOWN).entities} == {"Locus", "Disease"} and not caplog.messages
    for label, corpus in (("Gadget", "gene"), ("Widget", "gene"), ("Gadget", "disease")):
        nlp.get_pipe("mtl_ner").add_label(label, corpus)
    for options in ({"corpora": ["gene"], "labels": ["Locus"]}, {"label_map": None}):
        Annotator(nlp, **{"label_map": str(path), **options})
    assert not caplog.messages
    Annotator(nlp, label_map=str(path), corpora=["disease", "gene"])
    (said,) = caplog.messages
    assert "[MTL373] --label-map: 3 label(s)" in said and "disease: Gadget; gene: Gadget, Widget" in said
    Annotator(nlp, label_map="default", corpora=["gene"], labels=["Gadget"])
    assert "1 label(s) of the corpora that tag have no unified one and stay as they are: gene: Gadget." in caplog.text


def test_a_policy_of_ones_own():
    """It never gets an empty list, so that it may fail on one."""

    def first_only(candidates):
        first = candidates[0]
        return [Merged(first.start, first.end, first.label, (Source(first.corpus, first.label, first.score),))]

    registry.misc("test.FirstOnly.v1", func=lambda: first_only)
    assert len(Annotator(trained(), merge="test.FirstOnly.v1")(KNOWN).entities) == 1
    assert len(Annotator(trained())(KNOWN).entities) > 1


def test_an_unknown_pipeline_is_coded(tmp_path):
    with pytest.raises(MTLError, match="MTL365"):
        Annotator(str(tmp_path / "nope"))


def test_corpora_and_labels_and_thresholds_select():
    assert {e.label for e in Annotator(trained(), corpora=["disease"])(KNOWN).entities} == {"Disease"}
    assert {e.label for e in Annotator(trained(), labels=["Gene"])(KNOWN).entities} == {"Gene"}
    assert {e.score for e in Annotator(trained(), scores=False)(KNOWN).entities} == {None}
    text = "asthma is a BRCA1 mice change"
    scores = sorted(e.score for e in Annotator(trained())(text).entities)
    limit = scores[-1] - 0.0001  # they are rounded
    kept = sorted(e.score for e in Annotator(trained(), threshold=limit)(text).entities)
    assert kept and kept == [score for score in scores if score > limit]


def test_a_threshold_of_one_corpus_leaves_the_others():
    def said(corpus, **options):
        odd = "asthma is a BRCA1 mice change", "breast protein", "the asthma protein", "patients with cancer"
        found = Annotator(trained(), **options).pipe([*odd, "cancer rats", *TEXTS])
        return [score for one in found for e in one.entities for name, _, score in e.sources if name == corpus]

    limit = min(said("disease")) + 0.0002  # scores are rounded
    kept = said("disease", threshold=0.0, thresholds={"disease": limit})
    assert 0 < len(kept) < len(said("disease")) and min(kept) > limit - 0.0001
    assert said("gene", thresholds={"disease": limit}) == said("gene")


def test_labels_are_unified_and_stay_what_they_were(tmp_path):
    text = "the p53 protein binds MDM2"
    (tmp_path / "map.json").write_text('{"gene": {"Protein": "Gene"}, "*": {"Disease": "Illness"}}')
    options = {"label_map": str(tmp_path / "map.json")}
    assert [(e.label, e.unified) for e in Annotator(trained(), **options)(text).entities] == [
        ("Protein", "Gene"),
        ("Gene", "Gene"),
    ]
    assert {e.shown for e in Annotator(trained(), labels=["Illness"], **options)(KNOWN).entities} == {"Illness"}
    assert [e.unified for e in Annotator(trained(), label_map="default")(KNOWN).entities] == [
        "Gene",
        "Disease",
        "Disease",
    ]


def test_labels_that_are_not_wanted_do_not_compete():
    text = "the breast cancer protein binds MDM2"  # gene: a protein of three words; disease: its first two
    first = {"merge": "longest", "corpora": ["disease", "gene"]}
    assert "Protein" in {e.label for e in Annotator(trained(), **first)(text).entities}
    kept = Annotator(trained(), labels=["Disease"], **first)(text).entities
    assert [(e.text, e.label) for e in kept] == [("breast cancer", "Disease")]


@pytest.mark.parametrize(
    "merge, policy", [("longest", MergeLongest()), ("score", MergeByScore()), ("vote", MergeByVote())]
)
def test_merge_policies_by_short_name(merge, policy):
    annotator = Annotator(trained(), merge=merge)
    assert annotator.nlp.get_pipe("mtl_ner").merge == policy
    assert annotator("the breast cancer protein binds MDM2").entities


def test_priority_by_short_name():
    priority = Annotator(trained(), merge="priority", priority=["disease", "gene"])
    assert priority("the breast cancer protein binds MDM2").entities[0].label == "Disease"


ODD = st.text(st.sampled_from("ab \n\t\x00\ud800\udfff\u202eא\u0301😀.<"), max_size=40)


@settings(max_examples=60, deadline=None)
@given(st.lists(ODD, max_size=6))
def test_odd_neighbors_change_nothing(annotator, texts):
    documents = [Document("known", KNOWN), *(Document(str(i), text) for i, text in enumerate(texts))]
    results = annotator.annotate(documents)
    assert [result.id for result in results] == [document.id for document in documents]
    assert found(results[0]) == found(annotator(KNOWN))
    for document, result in zip(documents, results):
        halves = sum("\ud800" <= char <= "\udfff" for char in document.text)
        assert result.problems.get("surrogate", 0) == halves
        assert len(result.text) == len(document.text)
        for given_char, char in zip(document.text, result.text):
            assert char == ("\ufffd" if "\ud800" <= given_char <= "\udfff" else given_char)
        assert all(result.text[e.start : e.end] == e.text for e in result.entities)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.sampled_from([KNOWN, "no change was seen", "é😀 x", "\n\n"]), min_size=1, max_size=8),
    st.integers(60, 90),
)
def test_a_long_text_is_its_paragraphs(annotator, paragraphs, limit):
    """Each paragraph fits, so that cutting at their borders must not change what is found."""
    text = "\n\n".join(paragraphs)
    expected = found(annotator(text))
    before, annotator.nlp.max_length = annotator.nlp.max_length, limit
    try:
        result = annotator(text)
    finally:
        annotator.nlp.max_length = before
    assert found(result) == expected
    assert (result.text, result.problems.get("cut", 0) > 0) == (text, len(text) > limit)


def test_the_doc_of_a_long_text_is_whole(pipeline):
    text = f"{KNOWN}.\n\n{KNOWN}."
    whole = pipeline(text)
    half = len(KNOWN) + 3
    joined = join_docs([pipeline(text[:half]), pipeline(text[half:])])
    assert joined.text == text
    assert [(e.start_char, e.end_char, e.label_) for e in joined.ents] == [
        (e.start_char, e.end_char, e.label_) for e in whole.ents
    ]
    assert [s.text for s in joined.sents] == [s.text for s in whole.sents]
    assert [entry[:3] for entry in joined._.mtl] == [entry[:3] for entry in whole._.mtl]
    for corpus, group in whole.spans.items():
        assert [span.text for span in joined.spans[corpus]] == [span.text for span in group]
        assert joined.spans[corpus].attrs["scores"] == pytest.approx(group.attrs["scores"], abs=1e-4)


def test_a_passage_starts_a_sentence(pipeline):
    text = "asthma in mice breast cancer improved"
    passages = [Passage(0, 14, "title"), Passage(15, len(text), "abstract")]
    annotator = Annotator(pipeline, keep_docs=True)
    result = annotator(Document("1", text, passages=passages))
    assert [sentence.text for sentence in result.doc.sents] == ["asthma in mice", "breast cancer improved"]
    assert result.passages == passages
    assert len(list(annotator(text).doc.sents)) == 1


def test_one_poisoned_document_costs_itself(poisoned):
    path, code = poisoned
    annotator = Annotator(str(path), code=str(code))
    documents = [Document(str(i), KNOWN) for i in range(8)]
    documents[5] = replace(documents[5], text="POISON")
    results = annotator.annotate(documents)
    assert [result.id for result in results] == [str(i) for i in range(8)]
    assert isinstance(results[5], Failure)
    assert results[5].code == "MTL355" and "RuntimeError: a poisoned document" in results[5].message
    assert all(len(result.entities) == 3 for i, result in enumerate(results) if i != 5)
    failures = []
    assert [r.id for r in annotator.pipe(documents, batch_size=3, failures=failures)] == list("0123467")
    assert [failure.id for failure in failures] == ["5"]
    with pytest.raises(MTLError, match="MTL355"):
        list(annotator.pipe(documents))


ILLEGAL = "CUDA error: an illegal memory access was encountered\nCUDA kernel errors might be asynchronously reported"


@pytest.mark.parametrize("kind", [RuntimeError, getattr(torch, "AcceleratorError", RuntimeError)])
def test_a_gpu_that_is_of_no_more_use_is_no_fault_of_documents(annotator, monkeypatch, kind):
    def broken(docs, **settings):
        raise kind(ILLEGAL)

    monkeypatch.setattr(annotator.nlp, "pipe", broken)
    for documents in (["a"], ["a", "b"]):
        with pytest.raises(MTLError, match=r"MTL368.*CUDA error: an illegal memory access was encountered; .*--resume"):
            list(annotator.pipe(documents, failures=[]))


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"),
        RuntimeError("CUDA error: out of memory"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        ValueError(ILLEGAL),
    ],
)
def test_a_document_that_takes_too_much_memory_costs_itself(annotator, monkeypatch, error):
    pipe = annotator.nlp.pipe

    def small(docs, **settings):
        if any("large" in doc.text for doc in docs):
            raise error
        return pipe(docs, **settings)

    monkeypatch.setattr(annotator.nlp, "pipe", small)
    results = annotator.annotate([Document("1", KNOWN), Document("2", "large"), Document("3", KNOWN)])
    assert [isinstance(result, Failure) for result in results] == [False, True, False]
    assert results[1].code == "MTL355" and len(results[2].entities) == 3


def test_texts_are_numbered(annotator):
    assert [result.id for result in annotator.pipe(["a", "b"])] == ["1", "2"]


def test_entities_without_a_known_corpus_are_unified_too(pipeline):
    doc = pipeline.make_doc("x y")
    doc.set_ents([doc.char_span(0, 1, label="Gene")])
    (entity,) = entities_of(doc, 10, lambda corpus, label: f"{corpus}-{label}")
    assert (entity.start, entity.end, entity.text, entity.unified, entity.shown) == (10, 11, "x", "-Gene", "-Gene")


@pytest.mark.parametrize(
    "text",
    ["a" * 50_000, "(" * 2_000, " \n\u2028" * 2_000, "a:" * 1_000, "a\u0301" * 5_000, "asthma " * 2_000, "\n" * 5_000],
    ids=["one token", "brackets", "white space", "colons", "combining", "no sentence end", "blank lines"],
)
def test_hostile_texts_leave_their_neighbors_alone(annotator, text):
    before, result, after = annotator.annotate([Document("a", KNOWN), Document("x", text), Document("b", KNOWN)])
    assert found(before) == found(after) == found(annotator(KNOWN))
    assert result.text == text and all(text[e.start : e.end] == e.text for e in result.entities)


@pytest.mark.parametrize("documents", ["asthma", [("1", "asthma")], [None]])
def test_what_is_no_document_is_told(annotator, documents):
    with pytest.raises(MTLError, match="MTL362"):
        list(annotator.pipe(documents))


@pytest.mark.parametrize(
    "options, code, said",
    [
        ({"corpora": "disease"}, "MTL359", r"\['disease'\]"),
        ({"labels": "Gene"}, "MTL359", r"\['Gene'\]"),
        ({"corpus": ["disease"]}, "MTL372", "corpora, labels"),
        ({"threshold": 1.5}, "MTL359", "0 to 1"),
        ({"priority": ["disease"]}, "MTL359", "policy 'priority'"),
        ({"merge": "longest", "minimum": 2}, "MTL359", "policy 'vote'"),
    ],
)
def test_options_that_are_none_are_told(pipeline, options, code, said):
    with pytest.raises(MTLError, match=f"{code}.*{said}"):
        Annotator(pipeline, **options)


def test_corpora_are_chosen_for_a_call(pipeline):
    annotator = Annotator(pipeline)
    for corpora in ([], ["gene"], ("disease", "gene"), None):
        result = annotator(KNOWN, corpora=corpora)
        wanted = {"disease", "gene"} if corpora is None else set(corpora)
        assert {corpus for entity in result.entities for corpus, _, _ in entity.sources} == wanted
    for corpora, code in ((["nope"], "MTL100"), ("gene", "MTL104")):
        with pytest.raises(MTLError, match=code):
            annotator(KNOWN, corpora=corpora)


def test_a_text_in_pieces_keeps_identifiers():
    nlp = spacy.blank("en")
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "Gene", "pattern": "TP53", "id": "7157"}])
    docs = [nlp("TP53 and "), nlp("again TP53")]
    for doc in docs:
        doc.set_ents([Span(doc, e.start, e.end, e.label, kb_id="KB", span_id=e.ent_id_) for e in doc.ents])
    whole = join_docs(docs)
    assert [(e.text, e.kb_id_, e.ent_id_) for e in whole.ents] == [("TP53", "KB", "7157")] * 2


@pytest.mark.parametrize("option", ["abbreviations", "consistency"])
def test_components_that_need_scores(pipeline, option):
    with pytest.raises(MTLError, match=f"MTL359.*scores, by which mtl_{option} .*or --no-{option}"):
        Annotator(trained(), scores=False, **{option: True})
    Annotator(trained(), scores=False, threshold=0.5, **{option: True})  # for which scores are computed
    Annotator(trained(), scores=False, brackets=True)
