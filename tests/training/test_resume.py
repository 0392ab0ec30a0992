"""A training that was stopped and goes on ends where one that nothing disturbed ends, to the byte; and that one ends
where ``spacy train`` does."""

import io
import json
import random
from pathlib import Path
from typing import Any, Dict, Optional

import numpy as np
import pytest
import torch
from spacy.language import Language
from spacy.training.initialize import init_nlp
from spacy.training.loop import train as spacy_train

from spacy_mtl_bioner.errors import MTLError
from spacy_mtl_bioner.training import loop
from spacy_mtl_bioner.training.checkpoint import Checkpoints
from spacy_mtl_bioner.training.loop import Often, train

from .tiny import config_of


class Killed(BaseException):
    """No handler of the program may stop it."""


def run(config, output: Path, *, resume: bool = False, at: Optional[int] = None, steps: int = 0):
    """Train; with ``at``, stop there, before the step is done."""
    checkpoints, update = Checkpoints(output, config), loop._update
    nlp = checkpoints.load_pipeline() if resume else checkpoints.start() or init_nlp(config)
    count = [0 if not resume else 1 + checkpoints._state()["progress"]["step"]]

    def or_stop(*args: Any) -> None:
        if count[0] == at:
            raise Killed()
        count[0] += 1
        update(*args)

    loop._update = or_stop
    try:
        random.seed(99), np.random.seed(99), torch.manual_seed(99)  # another process: nothing may depend on this
        train(nlp, output, checkpoints, resume=resume, often=Often(steps), stdout=io.StringIO())
    finally:
        loop._update = update


def contents(output: Path) -> Dict[str, bytes]:
    """All files of both models."""
    folders = [output / name for name in ("model-last", "model-best")]
    files = [path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()]
    return {str(path.relative_to(output)): path.read_bytes() for path in files}


def log_of(config) -> list:
    """Lines of the log but for what the clock says."""
    lines = [json.loads(line) for line in Path(config["training"]["logger"]["path"]).read_text().splitlines()]
    for line in lines:
        del line["scores"]["speed"]
    return [{key: line[key] for key in line if "second" not in key} for line in lines]


def settings(folder: Path, **training: Any):
    config = config_of(folder / "corpora", **training)
    config["training"]["logger"]["path"] = str(folder / "log.jsonl")
    (folder / "out").mkdir(parents=True, exist_ok=True)
    return config


OPTIMIZERS = {
    "SGD": {
        "learn_rate": {"@schedules": "spacy_mtl_bioner.ExponentialDecay.v1", "initial_rate": 0.1, "steps": 5},
    },
    "RMSprop": {"learn_rate": 0.02, "use_averages": False},
    "Adam": {"learn_rate": 0.02, "average_decay": 0.9},
}


def optimizer(name: str) -> Dict[str, Any]:
    return {"@optimizers": f"spacy_mtl_bioner.{name}.v1", **OPTIMIZERS[name]}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """Folder -> what came out there without any stop, of the training that most tests look at."""
    folder = tmp_path_factory.mktemp("undisturbed")
    config = settings(folder, optimizer=optimizer("Adam"))
    run(config, folder / "out")
    return config, contents(folder / "out"), log_of(config), folder


def like(files: Dict[str, bytes], others: Dict[str, bytes]) -> None:
    """The same files with the same bytes, the paths of log and corpora in the config aside."""
    assert set(files) == set(others) and len(files) > 10
    assert [name for name in files if files[name] != others[name] and not name.endswith("config.cfg")] == []


def test_as_spacy_train(undisturbed, tmp_path):
    """Every file of both models, and the log."""
    _, files, log, _ = undisturbed
    config = settings(tmp_path, optimizer=optimizer("Adam"))
    spacy_train(init_nlp(config), tmp_path / "out", stdout=io.StringIO())
    like(files, contents(tmp_path / "out"))
    assert log == log_of(config) and [line["step"] for line in log] == [0, 6, 12, 18, 24]


@pytest.mark.parametrize("at, steps", [((8,), 0), ((3, 11, 12), 1), ((24,), 5)])
def test_stopped_and_resumed(undisturbed, tmp_path, at, steps: int):
    """Stopped once or more, with checkpoints at evaluations, at each step, at every fifth."""
    _, files, log, _ = undisturbed
    config = settings(tmp_path, optimizer=optimizer("Adam"))
    for n, step in enumerate(at):
        with pytest.raises(Killed):
            run(config, tmp_path / "out", resume=n > 0, at=step, steps=steps)
    run(config, tmp_path / "out", resume=True, steps=steps)
    like(files, contents(tmp_path / "out"))
    assert log == log_of(config)


@pytest.mark.parametrize("name", ["SGD", "RMSprop"])
def test_other_optimizers_and_epochs(tmp_path, name: str):
    """Rates that fall, no averages; several epochs, patience, gradients of two parts."""
    training = {"optimizer": optimizer(name), "max_epochs": 3, "accumulate_gradient": 2, "eval_frequency": 4}
    whole, parts = settings(tmp_path / "whole", **training), settings(tmp_path / "parts", **training)
    run(whole, tmp_path / "whole" / "out")
    with pytest.raises(Killed):
        run(parts, tmp_path / "parts" / "out", at=11, steps=3)
    run(parts, tmp_path / "parts" / "out", resume=True)
    like(contents(tmp_path / "whole" / "out"), contents(tmp_path / "parts" / "out"))
    assert log_of(whole) == log_of(parts)


def test_with_other_components_and_thinc(tmp_path):
    """spaCy's own entity recognizer, which draws from Python's ``random`` at every update, dropout of Thinc layers and
    thinc's own optimizer: still as ``spacy train``, and still as if never stopped."""
    training = {"optimizer": {"@optimizers": "Adam.v1", "use_averages": True}, "dropout": 0.3, "max_steps": 13}
    folders = [tmp_path / name for name in ("spacy", "whole", "parts")]
    configs = [settings(folder, **training) for folder in folders]
    for config in configs:
        config["nlp"]["pipeline"] = ["ner", "mtl_ner"]
        tok2vec = {"@architectures": "spacy.HashEmbedCNN.v2", "width": 8, "depth": 1, "embed_size": 50}
        tok2vec.update(window_size=1, maxout_pieces=2, subword_features=False, pretrained_vectors=None)
        model = {"@architectures": "spacy.TransitionBasedParser.v2", "state_type": "ner", "extra_state_tokens": False}
        model.update(hidden_width=8, maxout_pieces=2, use_upper=True, nO=None, tok2vec=tok2vec)
        config["components"]["ner"] = {"factory": "ner", "model": model}
    spacy_train(init_nlp(configs[0]), folders[0] / "out", stdout=io.StringIO())
    run(configs[1], folders[1] / "out")
    with pytest.raises(Killed):
        run(configs[2], folders[2] / "out", at=11, steps=4)
    run(configs[2], folders[2] / "out", resume=True)
    for other in folders[1:]:
        like(contents(folders[0] / "out"), contents(other / "out"))
    assert log_of(configs[0]) == log_of(configs[1]) == log_of(configs[2])


def test_stopped_while_a_checkpoint_is_written(undisturbed, tmp_path, monkeypatch):
    """The one before stays whole, whatever the new one came to."""
    _, files, log, _ = undisturbed
    config = settings(tmp_path, optimizer=optimizer("Adam"))
    with pytest.raises(Killed):
        run(config, tmp_path / "out", at=8)
    from spacy_mtl_bioner.training import checkpoint

    write = checkpoint.save_file

    def half(tensors, path):
        write(dict(list(tensors.items())[:3]), path)
        raise Killed()

    monkeypatch.setattr(checkpoint, "save_file", half)
    with pytest.raises(Killed):
        run(config, tmp_path / "out", resume=True)
    monkeypatch.undo()
    assert (tmp_path / "out" / "checkpoint.new").exists()
    run(config, tmp_path / "out", resume=True)
    like(files, contents(tmp_path / "out"))
    assert log == log_of(config) and not (tmp_path / "out" / "checkpoint.new").exists()


def test_no_pickle_in_a_checkpoint(undisturbed, tmp_path):
    config = settings(tmp_path, optimizer=optimizer("Adam"))
    with pytest.raises(Killed):
        run(config, tmp_path / "out", at=8)
    names = {path.name for path in (tmp_path / "out" / "checkpoint").iterdir()}
    assert names == {"config.cfg", "pipeline", "state.json", "state.safetensors"}
    with pytest.raises(MTLError, match="MTL252.*after step 6.*--resume.*--overwrite"):
        run(config, tmp_path / "out")
    other = config.copy()
    other["training"]["optimizer"]["learn_rate"] = 0.5
    with pytest.raises(MTLError, match="MTL253.*training.optimizer.learn_rate: 0.02 then, 0.5 now"):
        run(other, tmp_path / "out", resume=True)
    corpus = tmp_path / "corpora" / "gene.spacy"
    kept = corpus.read_bytes()
    corpus.write_bytes((tmp_path / "corpora" / "disease.spacy").read_bytes())
    with pytest.raises(MTLError, match="MTL254.*development corpus.*10 examples, then 10, with other contents"):
        run(config, tmp_path / "out", resume=True)
    corpus.write_bytes(kept)
    (tmp_path / "out" / "checkpoint" / "state.safetensors").write_bytes(b"nothing")
    with pytest.raises(MTLError, match="MTL256"):
        run(config, tmp_path / "out", resume=True)


def test_nothing_to_resume(undisturbed, tmp_path):
    config, _, _, folder = undisturbed
    with pytest.raises(MTLError, match="MTL251.*ended at step 24"):
        run(config, folder / "out", resume=True)
    with pytest.raises(MTLError, match="MTL250"):
        run(config, tmp_path, resume=True)


def test_a_weight_of_no_score(tmp_path):
    """The corpus is called gene. What another component says it scores, and does not here, is no mistake."""
    config = settings(tmp_path, score_weights={"mtl_genes_f": 1.0, "ents_f": 0.0}, max_steps=1)
    with pytest.raises(MTLError, match="MTL260.* has mtl_genes_f; expected .*mtl_gene_f"):
        run(config, tmp_path / "out")

    @Language.factory("unscored", default_score_weights={"unscored_acc": 1.0})
    def unscored(nlp: Language, name: str):
        return lambda doc: doc

    for disabled in ([], ["unscored"]):
        config = settings(tmp_path, score_weights={"mtl_gene_f": 0.5}, max_steps=1)
        config["nlp"].update({"pipeline": ["mtl_ner", "unscored"], "disabled": disabled})
        config["components"]["unscored"] = {"factory": "unscored"}
        run(config, tmp_path / "out")
