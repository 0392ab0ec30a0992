"""An auxiliary task that is taken over from a pipeline that learned it alone."""

import pytest
import spacy
from spacy.tokens import Doc
from spacy.training import Example

from spacy_mtl_bioner.errors import MTLError
from spacy_mtl_bioner.extensions import register
from spacy_mtl_bioner.pipeline.gold import encode
from spacy_mtl_bioner.training.adopt import make_adopt_auxiliary

register()
WORDS = "BRCA1 mutations cause breast cancer".split()
GOLD = {"pos": ["NN", "NNS", "VBP", "NN", "NN"], "disease": ["O", "O", "O", "B-Disease", "I-Disease"]}
ALONE = {"@architectures": "spacy_mtl_bioner.SingleTask.v1"}
DEPENDENT = {"@architectures": "spacy_mtl_bioner.Dependent.v1", "auxiliary": "pos"}


def examples(vocab, *corpora, tags=None):
    for corpus in corpora:
        gold = {"tags": tags or GOLD[corpus]} if corpus == "pos" else {"ents": GOLD[corpus]}
        doc = Doc(vocab, words=WORDS, **gold)
        doc._.corpus = corpus
        yield Example(Doc(vocab, words=WORDS), doc)


def pipeline(sharing, *corpora, hidden=6, left=3, dropout=0.0, tags=None):
    """A pipeline that has begun to learn the corpora."""
    encoder = {"@layers": "spacy_mtl_bioner.WindowCNN.v1", "filters": 3, "hidden": hidden, "left": left}
    nlp = spacy.blank("en")
    words = {"@architectures": "spacy_mtl_bioner.WordVectors.v1", "width": 8, "min_count": 1}
    model = {
        "@architectures": "spacy_mtl_bioner.MultiTaskNER.v1",
        "embed": {"@architectures": "spacy_mtl_bioner.ConcatEmbed.v1", "*": {"words": words}},
        "sharing": {**sharing, "encoder": encoder},
        "decoder": {"@layers": "spacy_mtl_bioner.Softmax.v1", "dropout": dropout},
    }
    nlp.add_pipe("mtl_ner", config={"model": model, "corpora": list(corpora)})
    gold = list(examples(nlp.vocab, *corpora, tags=tags))
    optimizer = nlp.initialize(lambda: gold)
    optimizer.learn_rate = 0.01
    for _ in range(5):
        nlp.update(gold, sgd=optimizer)
    return nlp


def loss_of(nlp, corpus):
    """What a corpus' own network says of its gold."""
    pipe = nlp.get_pipe("mtl_ner")
    losses, _ = pipe.model.begin_update(encode(list(examples(nlp.vocab, corpus)), pipe.heads))
    return losses.of[corpus]


def test_the_network_says_the_same_and_others_stay(tmp_path):
    learned = pipeline(ALONE, "pos")
    learned.to_disk(tmp_path / "pos")
    nlp = pipeline(DEPENDENT, "disease", "pos")
    model = nlp.get_pipe("mtl_ner").model
    own = [layer.to_bytes() for layer in model.layers[0].layers[:2]]
    expected = loss_of(learned, "pos")
    assert loss_of(nlp, "pos") != pytest.approx(expected)
    assert make_adopt_auxiliary(str(tmp_path / "pos"))(nlp) is nlp
    assert loss_of(nlp, "pos") == pytest.approx(expected)
    assert [layer.to_bytes() for layer in model.layers[0].layers[:2]] == own
    nlp.to_disk(tmp_path / "both")
    assert loss_of(spacy.load(tmp_path / "both"), "pos") == pytest.approx(expected)


def test_the_network_is_trained_by_its_own_config(tmp_path):
    pipeline(ALONE, "pos", dropout=0.75).to_disk(tmp_path / "pos")
    nlp = pipeline(DEPENDENT, "disease", "pos", dropout=0.25)
    make_adopt_auxiliary(str(tmp_path / "pos"))(nlp)
    heads = nlp.get_pipe("mtl_ner").model.layers[2]
    modules = [shim.module for node in heads.walk() for shim in node.shims if shim.built]
    assert len(modules) == 2 and {module.dropout for module in modules} == {0.25}


@pytest.mark.parametrize(
    "other, reason",
    [
        (lambda: pipeline(ALONE, "disease"), "it knows disease"),
        (lambda: pipeline(DEPENDENT, "disease", "pos"), "it shares by dependent"),
        (lambda: pipeline(ALONE, "pos", hidden=5), "window_cnn is of another kind or size"),
        (lambda: pipeline(ALONE, "pos", left=2), "window_cnn is of another kind or size"),
        (lambda: pipeline(ALONE, "pos", tags=["X"] * 5), "its labels are others"),
    ],
    ids=["corpus", "sharing", "size", "window", "labels"],
)
def test_a_pipeline_without_such_a_network_is_refused(tmp_path, other, reason):
    other().to_disk(tmp_path / "other")
    nlp = pipeline(DEPENDENT, "disease", "pos")
    before = nlp.get_pipe("mtl_ner").model.to_bytes()
    with pytest.raises(MTLError, match=f"MTL258.*{reason}"):
        make_adopt_auxiliary(str(tmp_path / "other"))(nlp)
    assert nlp.get_pipe("mtl_ner").model.to_bytes() == before


def test_a_pipeline_that_is_not_there_or_has_no_recognizer_is_refused(tmp_path):
    spacy.blank("en").to_disk(tmp_path / "blank")
    for source, code in (("blank", "MTL369"), ("nope", "MTL365")):
        with pytest.raises(MTLError, match=code):
            make_adopt_auxiliary(str(tmp_path / source))(pipeline(DEPENDENT, "disease", "pos"))


def test_only_dependent_has_an_auxiliary_corpus(tmp_path):
    with pytest.raises(MTLError, match="MTL259.*'single_task'"):
        make_adopt_auxiliary(str(tmp_path))(pipeline(ALONE, "disease"))
