"""Each config resolves, trains some steps on tiny documents, and predicts the same after loading: also the scores that
training noted down for the weights it saved (averages), when they are evaluated again."""

import io
from pathlib import Path

import numpy as np
import pytest
import spacy
from spacy.cli.debug_config import debug_config
from spacy.cli.debug_model import debug_model
from spacy.language import DEFAULT_CONFIG
from spacy.schemas import ConfigSchemaTraining
from spacy.tokens import DocBin
from spacy.training.initialize import init_nlp
from spacy.training.loop import train
from spacy.util import load_config, load_model_from_config, registry
from spacy.vectors import Vectors

from spacy_mtl_bioner.extensions import register

from .models.encoders import tiny_bert
from .syntax_pipelines import annotated
from .syntax_pipelines import config as syntax_config

register()
CONFIGS = sorted((Path(__file__).resolve().parents[1] / "configs").rglob("*.cfg"))
CONFIGS = [path for path in CONFIGS if path.parent.name != "syntax"]  # test_syntax_configs.py
CONFIGS = [path for path in CONFIGS if "[nlp]" in path.read_text(encoding="utf8")]  # a protocol is no pipeline
CNN = Path(__file__).resolve().parents[1] / "configs" / "crichton_2017"
SENTENCES = [
    ("BRCA1 mutations cause breast cancer .", ["O", "O", "O", "B-X", "I-X", "O"]),
    ("Patients with asthma improved .", ["O", "O", "B-X", "O", "O"]),
    ("No change .", ["O", "O", "O"]),
]


def docbin(vocab, corpus: str) -> DocBin:
    """The sentences with their syntax, whose entities have the corpus' name as label."""
    found = DocBin(store_user_data=True)
    for sentence, tags in SENTENCES:
        words = sentence.split()
        ents = [tag.replace("X", corpus) for tag in tags]
        doc = annotated(vocab, words, ents=ents)
        doc._.corpus = corpus
        found.add(doc)
    return found


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    """Tiny things for [paths]: an encoder in the place of the published one, word vectors, pipelines for syntax, and
    one that knows the auxiliary corpus."""
    folder = tmp_path_factory.mktemp("parts")
    tiny_bert(folder / "encoder", hidden_dropout_prob=0.0)
    for name in ("tagger_parser", "chunker"):
        init_nlp(syntax_config(name, folder)).to_disk(folder / name)
    docbin(spacy.blank("en").vocab, "GENIA-pos").to_disk(folder / "pos.spacy")
    table = spacy.blank("en")
    words = sorted({word for sentence, _ in SENTENCES for word in sentence.lower().split()})
    data = np.random.RandomState(0).uniform(-1, 1, (len(words), 20)).astype("float32")
    table.vocab.vectors = Vectors(data=data, keys=words, strings=table.vocab.strings)
    table.to_disk(folder / "vectors")
    alone = load_config(CNN / "stm.cfg", interpolate=False)
    for split in ("train", "dev"):
        alone["corpora"][split]["paths"] = {"GENIA-pos": str(folder / "pos.spacy")}
    alone["system"]["gpu_allocator"] = None
    alone["paths"]["vectors"] = str(folder / "vectors")
    init_nlp(alone.interpolate()).to_disk(folder / "pos")
    return {name: str(folder / path) for name, path in PARTS.items()}


PARTS = {"syntax": "tagger_parser", "auxiliary": "pos"} | {name: name for name in ("encoder", "chunker", "vectors")}


@pytest.fixture
def config(request, tmp_path, parts):
    """The config with paths to tiny corpora, for a few steps on the CPU."""
    loaded = load_config(request.param, interpolate=False)
    loaded["paths"].update({name: path for name, path in parts.items() if name in loaded["paths"]})
    if request.param.parent != CNN:  # the others do without
        loaded["paths"]["vectors"] = None
    vocab = spacy.blank("en").vocab
    for split in ("train", "dev"):
        paths = loaded["corpora"][split]["paths"]
        for corpus in paths:
            path = tmp_path / corpus / f"{split}.spacy"
            path.parent.mkdir(exist_ok=True)
            docbin(vocab, corpus).to_disk(path)
            paths[corpus] = str(path)
    steps = max(24, 6 * len(loaded["corpora"]["train"]["paths"]))
    loaded["training"].update(max_steps=steps, max_epochs=0, eval_frequency=steps // 2, patience=0)
    schedule = loaded["training"]["batcher"]["schedule"]
    if "epochs" in schedule:
        schedule["epochs"] = dict.fromkeys(schedule["epochs"], 2)
    rate = 0.1 if "SGD" in loaded["training"]["optimizer"]["@optimizers"] else 0.01
    loaded["training"]["optimizer"].update(learn_rate=rate, average_decay=0.5)
    loaded["system"]["gpu_allocator"] = None
    return loaded.interpolate()


@pytest.mark.parametrize("config", CONFIGS, ids=lambda path: path.stem, indirect=True)
def test_it_trains_and_predicts_the_same_after_loading(config, tmp_path):
    nlp = init_nlp(config)
    corpora = set(config["corpora"]["train"]["paths"])
    assert set(nlp.get_pipe("mtl_ner").corpora) == corpora
    (tmp_path / "out").mkdir()
    log = io.StringIO()
    trained = train(nlp, tmp_path / "out", stdout=log)[1]
    assert trained == tmp_path / "out" / "model-last"
    assert all(corpus in log.getvalue() for corpus in corpora)
    text = " ".join(sentence for sentence, _ in SENTENCES)
    first = spacy.load(trained)
    first.to_disk(tmp_path / "again")
    second = spacy.load(tmp_path / "again")
    expected, doc = first(text), second(text)
    assert set(doc.spans) == corpora and doc.ents
    assert doc.to_json(underscore=["mtl"]) == expected.to_json(underscore=["mtl"])
    assert second.get_pipe("mtl_ner").to_bytes() == first.get_pipe("mtl_ner").to_bytes()
    scores = first.evaluate(list(registry.resolve(config["corpora"])["dev"](first)))
    noted = first.meta["performance"]["mtl_macro_f"]
    assert noted > 0 and noted == pytest.approx(scores["mtl_macro_f"])


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_spacy_debug_config(path, capsys, parts):
    paths = load_config(path, interpolate=False)["paths"]
    found = {f"paths.{name}": value for name, value in parts.items() if name in paths}
    debug_config(path, overrides={"paths.corpora": "corpora", **found})
    assert "Config is valid" in capsys.readouterr().out


@pytest.mark.parametrize("config", CONFIGS, ids=lambda path: path.stem, indirect=True)
def test_spacy_debug_model(config, capsys):
    """It updates the model, and has it predict plain documents."""
    nlp = load_model_from_config(config, auto_fill=True)
    training = registry.resolve(config["training"], schema=ConfigSchemaTraining)
    shown = {"print_prediction": True}
    debug_model(config, training, nlp, nlp.get_pipe("mtl_ner"), print_settings=shown)
    assert "model looks good" in capsys.readouterr().out


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_no_setting_that_nobody_reads(path):
    """spaCy would leave such a key of [initialize] alone."""
    assert set(load_config(path, interpolate=False)["initialize"]) <= set(DEFAULT_CONFIG["initialize"])
