"""The component's life: before initialization, labels, learning by heart, and storage."""

import numpy as np
import pytest
import spacy
import srsly
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import make_tempdir

from spacy_mtl_bioner.errors import MTLError
from spacy_mtl_bioner.training.optimizers import Adam

from .recognizer import CORPORA, MODEL, TEXTS, component, example, examples, knows, learn, pipeline
from .recognizer import scores_of, spans_of, trained


def test_before_initialization():
    nlp = pipeline()
    with pytest.raises(MTLError, match="MTL101.*'mtl_ner'.*initialize"):
        nlp("asthma")
    with pytest.raises(MTLError, match="MTL122.*'disease'.*'Disease'.*[Ii]nitialize"):
        component(nlp).update(examples(nlp, ["disease"]))


def test_initialization_without_labels():
    with pytest.raises(ValueError, match="E143"):
        pipeline().initialize()
    nlp = pipeline()
    with pytest.raises(ValueError, match="E143"):
        nlp.initialize(lambda: [example(nlp.vocab, "no change", [], "disease")])
    with pytest.raises(TypeError, match="E930"):
        component(nlp).initialize([])


def test_labels():
    nlp = pipeline()
    data = examples(nlp, ["gene", "pos", "disease"])
    nlp.initialize(lambda: data)
    pipe = component(nlp)
    assert pipe.corpora == ("gene", "pos", "disease")
    assert pipe.labels == ("Gene", "Protein", "DT", "NN", "VB", "Disease")
    assert pipe.head_labels["gene"] == ("Gene", "Protein")
    assert pipe.label_data == {
        "gene": ["Gene", "Protein"],
        "pos": {"kind": "tags", "labels": ["DT", "NN", "VB"]},
        "disease": ["Disease"],
    }
    assert nlp.pipe_labels["mtl_ner"] == list(pipe.labels)


def test_labels_as_init_labels_stores_them():
    """JSON in, the same heads in the same order out, whatever the examples hold."""
    nlp, other = pipeline(), pipeline()
    data = examples(nlp, ["gene", "pos", "disease"])
    nlp.initialize(lambda: data)
    with make_tempdir() as folder:
        srsly.write_json(folder / "mtl_ner.json", component(nlp).label_data)
        reader = {"@readers": "spacy.read_labels.v1", "path": str(folder / "mtl_ner.json")}
        other.config["initialize"]["components"]["mtl_ner"] = {"labels": reader}
        other.initialize(lambda: [data[0]])
    assert component(other).label_data == component(nlp).label_data
    assert component(other).corpora == component(nlp).corpora
    learn(other, examples(other, ["gene", "pos", "disease"]), 1)
    with pytest.raises(MTLError, match="MTL122.*'species'.*'Species'.*gene:Gene.Protein"):
        component(other).update(examples(other, ["species"]))


@pytest.mark.parametrize("corpus", ["micro", "macro"])
def test_no_corpus_has_the_name_of_a_score_of_all(corpus):
    """Its F would be written over that of all corpora."""
    nlp = trained()
    with pytest.raises(MTLError, match=f"MTL102.*mtl_{corpus}_f"):
        component(nlp).add_label("Gene", corpus=corpus)
    with pytest.raises(MTLError, match="MTL102"):
        component(nlp).initialize(lambda: examples(nlp), labels={corpus: ["Gene"]})
    assert knows(nlp, ["gene"])


def test_examples_are_read_once():
    nlp, reads = pipeline(), []

    def get_examples():
        reads.append(1)
        return examples(nlp)

    component(nlp).initialize(get_examples, nlp=nlp)
    assert len(reads) <= 2, "once to check that there are examples, once for all of them"


def test_initialization_again_starts_afresh():
    nlp = trained()
    data = examples(nlp, ["species"])
    nlp.initialize(lambda: data)
    assert component(nlp).corpora == ("species",) and not knows(nlp, ["species"])
    learn(nlp, data, 40)
    assert knows(nlp, ["species"])


def test_overfitting_and_round_trips():
    nlp = pipeline()
    data = examples(nlp)
    nlp.initialize(lambda: data)
    losses = learn(nlp, data, 40)
    assert losses[-1] < 0.05 * losses[0]
    assert knows(nlp, CORPORA.keys() - {"species"})
    expected = [(spans_of(doc), scores_of(doc), doc._.mtl) for doc in nlp.pipe(TEXTS)]
    with make_tempdir() as folder:
        nlp.to_disk(folder)
        from_disk = spacy.load(folder)
    from_bytes = pipeline().from_bytes(nlp.to_bytes())
    for other in (from_disk, from_bytes):
        assert [(spans_of(doc), scores_of(doc), doc._.mtl) for doc in other.pipe(TEXTS)] == expected
        assert component(other).label_data == component(nlp).label_data
        assert component(other).to_bytes() == component(nlp).to_bytes()
        learn(other, examples(other), 1)


def test_how_it_is_trained_is_what_the_config_says_at_each_load(tmp_path):
    trained().to_disk(tmp_path)
    model = {
        "sharing": {"encoder": {"dropout": 0.25}},
        "decoder": {"dropout": 0.4},
        "embed": {"*": {"words": {"trainable": False}}},
    }
    nlp = spacy.load(tmp_path, config={"components": {"mtl_ner": {"model": model}}})
    found = {}
    for node in component(nlp).model.walk():
        for shim in filter(lambda shim: shim.built, node.shims):
            for name in {"dropout", "trainable"} & vars(shim.module).keys():
                found.setdefault(node.name, set()).add(getattr(shim.module, name))
    assert found == {"bilstm": {0.25}, "crf": {0.4}, "word_vectors": {False}}
    words = [node for node in component(nlp).model.walk() if node.name == "word_vectors"]
    tables = [shim.module for node in words for shim in node.shims if shim.built]
    assert not any(table.weight.requires_grad for table in tables)
    assert knows(nlp, ["disease", "gene"])


def test_from_bytes_of_other_corpora_forgets_the_own_ones():
    nlp = trained(["species"])
    nlp.from_bytes(trained().to_bytes())
    assert component(nlp).corpora == ("disease", "gene") and knows(nlp, ["disease", "gene"])


def test_no_pickle_in_a_saved_pipeline():
    """Neither zip archives (torch's own format) nor pickle's opcodes; weights are safetensors."""
    with make_tempdir() as folder:
        trained().to_disk(folder)
        files = [path for path in folder.rglob("*") if path.is_file()]
        assert (folder / "mtl_ner" / "model") in files
        for path in files:
            data = path.read_bytes()
            assert not data.startswith((b"PK\x03\x04", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")), path
            assert b"torch._utils" not in data and b"_rebuild_tensor" not in data, path
        weights = (folder / "mtl_ner" / "model").read_bytes()
        assert weights.count(b'"__metadata__"') == len(
            [shim for node in component(trained()).model.walk() for shim in node.shims]
        )


def test_an_update_without_optimizer_only_adds_gradients():
    nlp = trained()
    pipe = component(nlp)
    before, data = pipe.model.to_bytes(), examples(nlp)
    pipe.update(data)
    assert pipe.model.to_bytes() == before
    pipe.finish_update(Adam(0.01))
    assert pipe.model.to_bytes() != before


LANGUAGE_MODEL = {"@architectures": "spacy_mtl_bioner.CharBiLSTM.v1", "language_model": 1.0, "dropout": 0.0}


@pytest.mark.parametrize("embed", [MODEL["embed"], {**LANGUAGE_MODEL, "highway": 1}])
def test_accumulated_gradients_are_those_of_the_whole_batch(embed):
    """Two parts and one step are one batch and one step: nothing is averaged before the step."""
    whole, parts = (pipeline(model={**MODEL, "embed": embed}) for _ in range(2))
    whole.initialize(lambda: examples(whole))
    parts.from_bytes(whole.to_bytes())
    for nlp, cuts in ((whole, [(0, 9)]), (parts, [(0, 3), (3, 9)])):
        data = examples(nlp)
        for a, b in cuts:
            component(nlp).update(data[a:b])
        component(nlp).finish_update(Adam(0.05, eps=1e-3))
    for ours, theirs in zip(component(whole).model.walk(), component(parts).model.walk()):
        for shim, other in zip(ours.shims, theirs.shims):
            if shim.built:
                for name, tensor in shim.module.state_dict().items():
                    np.testing.assert_allclose(tensor, other.module.state_dict()[name], rtol=1e-4, atol=2e-4)


def test_auxiliary_losses_have_keys_that_no_corpus_can_have():
    """Also where a corpus is called like one; the sum holds all."""
    part = {"@architectures": "spacy_mtl_bioner.Adversarial.v1", "encoder": MODEL["sharing"]["encoder"]}
    nlp = pipeline(model={**MODEL, "sharing": part})
    data = [example(nlp.vocab, *CORPORA["gene"][i], corpus) for i, corpus in enumerate(["adversarial", "gene"] * 2)]
    nlp.initialize(lambda: data)
    losses = component(nlp).update(data)
    parts = {f"mtl_ner{name}" for name in ("/adversarial", "/gene", ":adversarial", ":difference")}
    assert set(losses) == {"mtl_ner", *parts} and min(losses.values()) > 0
    assert losses["mtl_ner"] == pytest.approx(sum(losses[name] for name in parts))


def test_a_rate_that_no_part_reads_is_told_once(caplog):
    nlp = trained(["gene"])
    data = examples(nlp, ["gene"])
    caplog.clear()
    nlp.update(data, drop=0.0)
    assert not caplog.messages
    for _ in range(2):
        nlp.update(data, drop=0.1)
    assert [message[:8] for message in caplog.messages] == ["[MTL117]"] and "0.1" in caplog.text


def test_losses():
    nlp = trained()
    data = examples(nlp)
    losses = component(nlp).update(data, losses={"tagger": 1.0})
    assert set(losses) == {"tagger", "mtl_ner", "mtl_ner/disease", "mtl_ner/gene"}
    assert losses["mtl_ner"] == pytest.approx(losses["mtl_ner/disease"] + losses["mtl_ner/gene"])
    unannotated = [Example(Doc(nlp.vocab, words=["asthma"]), Doc(nlp.vocab, words=["asthma"]))]
    assert component(nlp).update(unannotated) == {"mtl_ner": 0.0}
    assert component(nlp).update([]) == {"mtl_ner": 0.0}


def test_averages_are_what_is_evaluated_and_saved():
    nlp = trained()
    optimizer, data = Adam(0.3), examples(nlp)
    raw_before = component(nlp).model.to_bytes()
    for _ in range(3):
        nlp.update(data, sgd=optimizer)
    doc = nlp.make_doc(TEXTS[0])
    raw = component(nlp).predict([doc]).pieces
    with nlp.use_params(optimizer.averages):
        averaged = component(nlp).predict([doc]).pieces
        saved = nlp.to_bytes()
    assert averaged != raw and component(nlp).predict([doc]).pieces == raw
    assert component(pipeline().from_bytes(saved)).predict([doc]).pieces == averaged
    assert component(nlp).model.to_bytes() != raw_before


def test_the_default_model_is_complete():
    nlp = spacy.blank("en")
    nlp.add_pipe("mtl_ner")
    data = examples(nlp)
    nlp.initialize(lambda: data)
    losses = learn(nlp, data, 6, rate=0.005)
    assert losses[-1] < losses[0]
