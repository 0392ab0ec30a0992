"""On a GPU as on the CPU. Skipped where PyTorch sees none; what goes through spaCy's own switch needs CuPy too."""

import io
from dataclasses import replace

import numpy as np
import pytest
import spacy
import torch
from spacy.training.initialize import init_nlp
from spacy.training.loop import train as spacy_train
from spacy.util import fix_random_seed
from spacy.vectors import Vectors
from thinc.api import require_cpu, require_gpu
from thinc.compat import has_cupy_gpu

from spacy_mtl_bioner.annotate.annotator import Annotator
from spacy_mtl_bioner.annotate.options import Options
from spacy_mtl_bioner.annotate.pipeline import load_pipeline
from spacy_mtl_bioner.layers.crf_nll import crf_nll
from spacy_mtl_bioner.layers.crf_viterbi import crf_decode
from spacy_mtl_bioner.layers.dropout import drop
from spacy_mtl_bioner.models.multi_task_ner import device_of
from spacy_mtl_bioner.training.optimizers import SGD, Adam, RMSprop

from .models.encoders import tiny_bert
from .pipeline.recognizer import MODEL, TEXTS, component, examples, knows, learn, pipeline, scores_of, spans_of, trained
from .pipeline.test_mtl_ner_transformer import model_of
from .training.test_resume import Killed, log_of, optimizer, run, settings
from .training.tiny import config_of

pytestmark = [
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU"),
    pytest.mark.filterwarnings("ignore:.*CUDA path could not be detected:UserWarning"),
]
CORPORA = ("disease", "gene", "pos")
ENCODERS = {
    "bilstm": {"@layers": "spacy_mtl_bioner.BiLSTM.v1", "width": 16, "output": 16, "dropout": 0.1},
    "window_cnn": {"@layers": "spacy_mtl_bioner.WindowCNN.v1", "filters": 8, "hidden": 24},
}
GATE = {"gate": {"@layers": "spacy_mtl_bioner.GatedInteraction.v1"}}
SHARING = {"FullyShared": {}, "SharedPrivate": {}, "SingleTask": {}, "Adversarial": {}, "CrossSharing": GATE}
DECODERS = {"CRF": {}, "PositionCRF": {}, "Softmax": {"dropout": 0.1}}
CHARACTERS = {"@architectures": "spacy_mtl_bioner.CharBiLSTM.v1", "width": 8, "units": 8, "min_count": 1, "highway": 1}


@pytest.fixture
def gpu():
    """spaCy's switch is on."""
    if not has_cupy_gpu:
        pytest.skip("no CuPy")
    require_gpu(0)
    yield torch.device("cuda", 0)
    require_cpu()


def model_with(sharing="FullyShared", encoder="bilstm", decoder="CRF", **more):
    return {
        **MODEL,
        "sharing": {
            "@architectures": f"spacy_mtl_bioner.{sharing}.v1",
            "encoder": ENCODERS[encoder],
            **SHARING[sharing],
        },
        "decoder": {"@layers": f"spacy_mtl_bioner.{decoder}.v1", **DECODERS[decoder]},
        **more,
    }


def learned(model, corpora=("disease", "gene"), steps=60, rate=0.02):
    fix_random_seed(0)
    nlp = pipeline(model=model)
    data = examples(nlp, corpora)
    nlp.initialize(lambda: data)
    losses = learn(nlp, data, steps, rate)
    return nlp, losses


def found(nlp):
    docs = list(nlp.pipe(TEXTS))
    return [spans_of(doc) for doc in docs], [scores_of(doc) for doc in docs]


def assert_alike(one, other):
    """The same spans, and scores that agree to a thousandth."""
    assert one[0] == other[0]
    for mine, theirs in zip(one[1], other[1]):
        for corpus in mine:
            assert mine[corpus] == pytest.approx(theirs[corpus], abs=1e-3)


@pytest.mark.parametrize("sharing", SHARING)
def test_every_sharing_part_learns(gpu, sharing):
    nlp, _ = learned(model_with(sharing), CORPORA)
    assert device_of(component(nlp).model) == gpu
    assert knows(nlp, CORPORA[:2])


@pytest.mark.parametrize("decoder", DECODERS)
@pytest.mark.parametrize("encoder", ENCODERS)
def test_every_encoder_and_decoder_learns(gpu, encoder, decoder):
    nlp, _ = learned(model_with("FullyShared", encoder, decoder))
    assert knows(nlp, CORPORA[:2])


CNN = {
    "embed": {"@architectures": "spacy_mtl_bioner.WordVectors.v1", "trainable": False},
    "decoder": {"@layers": "spacy_mtl_bioner.Softmax.v1"},
}


@pytest.mark.parametrize("sharing", ["window_cnn", *SHARING])
def test_recorded_steps_learn_the_same(gpu, sharing):
    """The same losses and weights as in the ordinary way, whatever comes between: other shapes, a batch of two corpora,
    an evaluation, a corpus that joins."""
    trained_ways = {}
    for way in ("recorded", "ordinary"):
        if sharing == "window_cnn":
            model = {**model_with("FullyShared", "window_cnn"), **CNN}
        else:
            encoder = {**ENCODERS["bilstm"], "dropout": 0.0}
            model = model_with(sharing)
            model["sharing"]["encoder"] = encoder
        nlp = pipeline(model=model)
        words = sorted({word for text in TEXTS for word in text.split()})
        table = np.random.RandomState(0).uniform(-1, 1, (len(words), 16)).astype("float32")
        nlp.vocab.vectors = Vectors(data=table, keys=words, strings=nlp.vocab.strings)
        data = examples(nlp)
        fix_random_seed(0)
        nlp.initialize(lambda: data)
        graphs = component(nlp).model.attrs["runtime"].graphs
        if way == "ordinary":
            graphs.serves = lambda *_: False
        own, losses = Adam(0.01, use_averages=True, average_decay=0.9), []
        for i in range(50):
            batch = [data[:2], data[2:4], data[4:7], data[3:5], data[:1]][i % 5]
            if sharing == "Adversarial" and i % 5 == 3:
                continue  # its batches are of one corpus
            if i == 25:  # all is captured anew
                joined = [*data, *examples(nlp, ["species"])]
                component(nlp).initialize(lambda: joined, nlp=nlp, extend=True)
            losses.append(nlp.update(batch, sgd=own)["mtl_ner"])
            if i % 7 == 0:
                with nlp.use_params(own.averages):
                    list(nlp.pipe(TEXTS))
        assert (len(graphs.steps) > 2) is (way == "recorded")
        trained_ways[way] = losses, weights(nlp)
    mine, theirs = trained_ways["recorded"], trained_ways["ordinary"]
    assert mine[0] == pytest.approx(theirs[0], rel=2e-3)
    for one, other in zip(mine[1], theirs[1]):
        torch.testing.assert_close(one, other, rtol=2e-2, atol=1e-2)


def test_recorded_dropout_differs_from_run_to_run(gpu):
    """Its random numbers go on, so that the same batch has other losses each time."""
    nlp = pipeline(model=model_with("FullyShared", "window_cnn", "Softmax", embed=CNN["embed"]))
    data = examples(nlp)
    nlp.initialize(lambda: data)
    losses = [nlp.update(data[:4], sgd=SGD(0.0))["mtl_ner"] for _ in range(12)]
    assert len(component(nlp).model.attrs["runtime"].graphs.steps) == 1
    assert len(set(losses[4:])) > 4


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_characters_of_sentences_learn(gpu, precision):
    embed = {"@architectures": "spacy_mtl_bioner.ConcatEmbed.v1", "*": {**MODEL["embed"]["*"], "chars": CHARACTERS}}
    nlp, _ = learned(model_with(embed=embed, precision=precision))
    assert knows(nlp, CORPORA[:2])


def test_a_transformer_learns(gpu, tmp_path):
    folder = tiny_bert(tmp_path / "bert", hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
    nlp, _ = learned(model_of(folder), rate=0.005)
    assert knows(nlp, CORPORA[:2])


def test_a_model_goes_from_cpu_to_gpu_and_back(gpu):
    require_cpu()
    nlp = trained()
    there, data = found(nlp), nlp.to_bytes()
    require_gpu(0)
    on_gpu = pipeline().from_bytes(data)
    assert device_of(component(on_gpu).model) == gpu
    assert_alike(found(on_gpu), there)
    again = on_gpu.to_bytes()
    require_cpu()
    back = pipeline().from_bytes(again)
    assert device_of(component(back).model).type == "cpu"
    assert found(back) == there


@pytest.mark.parametrize("make", [Adam, RMSprop, SGD])
def test_a_step_is_that_of_the_cpu(gpu, make, monkeypatch):
    """Losses and weights agree after some steps, averages included, as neither draws at random. Adam and RMSprop
    divide gradients by their own size, so that rounding shows where these are tiny."""
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)
    require_cpu()
    nlp, after = pipeline(), {}
    nlp.initialize(lambda: examples(nlp))
    start = nlp.to_bytes()
    for switch in (require_cpu, require_gpu):
        switch()
        nlp, own = pipeline().from_bytes(start), make(0.01, average_decay=0.9)
        losses = [nlp.update(batch, sgd=own)["mtl_ner"] for batch in 3 * [examples(nlp)]]
        with nlp.use_params(own.averages):
            averaged = weights(nlp)
        after[switch] = losses, weights(nlp), averaged
    mine, theirs = after[require_gpu], after[require_cpu]
    assert mine[0] == pytest.approx(theirs[0], rel=1e-4)
    for ours, others in zip(mine[1:], theirs[1:]):
        assert len(ours) == len(others) > 10
        for one, other in zip(ours, others):
            assert float(((one - other).abs() > 1e-3).float().mean()) < 0.01


def weights(nlp):
    nodes = component(nlp).model.walk()
    return [p.detach().cpu().clone() for node in nodes for shim in node.shims for _, p in shim.named_parameters()]


def test_crf_in_double_precision(gpu):
    generator = torch.Generator().manual_seed(0)
    draw = lambda *shape: torch.randn(*shape, generator=generator, dtype=torch.float64)  # noqa: E731
    scores, lengths = (draw(5, 9, 4), draw(4, 4), draw(4), draw(4)), torch.tensor([9, 7, 1, 4, 9])
    tags = torch.randint(0, 4, (5, 9), generator=generator)

    def results(device):
        emissions, *links = (part.detach().to(device).requires_grad_() for part in scores)
        loss = crf_nll(emissions, tags.to(device), lengths.to(device), *links)
        loss.sum().backward()
        path = crf_decode(emissions.detach(), lengths.to(device), *(part.detach() for part in links))
        return [loss.detach().cpu(), path.cpu(), *(part.grad.cpu() for part in (emissions, *links))]

    for mine, theirs in zip(results(gpu), results("cpu")):
        torch.testing.assert_close(mine, theirs)


@pytest.mark.parametrize("locked", [False, True])
def test_dropout_keeps_the_mean(gpu, locked):
    torch.manual_seed(0)
    x = torch.ones(400, 5, 100, device=gpu)
    dropped = drop(x, 0.75, True, locked)
    assert set(dropped.unique().tolist()) == {0.0, 4.0}
    assert float(dropped.mean()) == pytest.approx(1.0, abs=0.05)
    assert bool((dropped == dropped[:, :1]).all()) is locked


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_spacy_train(gpu, tmp_path, precision):
    config = config_of(tmp_path / "corpora", max_steps=60, gpu_allocator="pytorch")
    config["training"]["logger"]["path"] = str(tmp_path / "log.jsonl")
    config["components"]["mtl_ner"]["model"]["precision"] = precision
    (tmp_path / "out").mkdir()
    spacy_train(init_nlp(config, use_gpu=0), tmp_path / "out", use_gpu=0, stdout=io.StringIO())
    require_cpu()
    nlp = spacy.load(tmp_path / "out" / "model-best")
    assert nlp.meta["performance"]["mtl_macro_f"] > 0.9
    doc = nlp("Patients with asthma improved .")
    assert doc.spans["disease"][0].text == "asthma"


def test_a_training_goes_on(gpu, tmp_path):
    """Random states and statistics come back to the GPU: the losses after the stop are those of a training that nothing
    disturbed, as near as a GPU repeats itself."""
    logs = {}
    for name, stop in (("whole", None), ("parts", 11)):
        config = settings(tmp_path / name, optimizer=optimizer("Adam"))
        if stop:
            with pytest.raises(Killed):
                run(config, tmp_path / name / "out", at=stop, steps=3)
        run(config, tmp_path / name / "out", resume=stop is not None)
        logs[name] = [line["losses"]["mtl_ner"] for line in log_of(config)]
    assert logs["parts"] == pytest.approx(logs["whole"], rel=5e-3) and logs["whole"][-1] < logs["whole"][1]


@pytest.mark.parametrize("device", ["cuda:0", "auto"])
def test_annotation_without_spacys_switch(tmp_path, device):
    """``--device`` needs no CuPy."""
    nlp = trained()
    nlp.add_pipe("mtl_sentences", first=True)
    nlp.to_disk(tmp_path / "model")
    options = Options(device="cpu")
    results = {}
    for where in ("cpu", device):
        prepared = load_pipeline(str(tmp_path / "model"), replace(options, device=where))
        assert device_of(component(prepared.nlp).model).type == where[:4].replace("auto", "cuda").rstrip(":")
        results[where] = [Annotator(prepared.nlp)(text) for text in TEXTS]
    for mine, theirs in zip(results[device], results["cpu"]):
        assert [e[:4] for e in map(shown, mine.entities)] == [e[:4] for e in map(shown, theirs.entities)]
        for one, other in zip(mine.entities, theirs.entities):
            assert one.score == pytest.approx(other.score, abs=1e-3)


def shown(entity):
    return entity.start, entity.end, entity.text, entity.label
