"""The process of one training: ``python -m spacy_mtl_bioner.experiments.child FOLDER``.

The folder holds ``job.json``, which ``launch.prepare`` wrote. Exit code 0: ``result.json`` is there; ``BUSY``: another
process trains in this folder; any other: the training failed, as the log tells.
"""

import os
import shutil
import stat
import sys
import traceback
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

from thinc.api import ConfigValidationError

from ..durable import write_text
from ..errors import E305, E314, MTLError
from .folder import CONFIG, COUNTS, CURVE, JOB, RESULT, claim, read_json, result_of, write_json
from .training import digest, shown

BUSY = 75
"""Exit code (EX_TEMPFAIL of sysexits.h) where the training is claimed."""

PROTOCOL = "train on train, epoch chosen on devel, test scored once; exact span and type, micro; no sentence dropped"


def main(folder: Path) -> int:
    """Train what the folder says, score it and write the result; a finished training is left as it is."""
    lock = claim(folder)
    if lock is None:
        return BUSY
    with lock:
        if result_of(folder) is None:
            if stat.S_ISREG(os.fstat(1).st_mode):
                os.ftruncate(1, 0)
            job = read_json(folder / JOB)
            result = run(folder, job)
            check_inputs(job)
            clean(folder, job["keep_models"])
            write_json(folder / RESULT, result)  # last: with it the training is finished, and never looked at again
    return 0


def run(folder: Path, job: Dict[str, Any]) -> Dict[str, Any]:
    """Train and score; return the result."""
    import spacy
    from spacy.cli._util import setup_gpu
    from spacy.training.initialize import init_nlp
    from spacy.training.loop import train
    from spacy.util import fix_random_seed, load_config

    from .circumstances import circumstances, count_parameters
    from .passes import count_passes, fill_schedules, limits

    setup_gpu(job["gpu_id"])
    around = circumstances(job["gpu_id"])
    paths = {f"paths.{name}": value for name, value in job["paths"].items()}
    config = load_config(folder / CONFIG, overrides=paths, interpolate=False)
    fix_random_seed(0)  # batches are counted as they are drawn: alike for every system and seed
    examples, batches = _batches(config)
    passes = count_passes(examples, batches, job["training"]["main"], job["training"]["system"])
    del examples
    config["training"].update(limits(passes, job["protocol"]))
    fill_schedules(config["training"]["optimizer"], passes, config["training"]["max_steps"])
    write_text(folder / CONFIG, config.to_str(interpolate=False))
    nlp = init_nlp(config, use_gpu=job["gpu_id"])
    train(nlp, folder, use_gpu=job["gpu_id"])
    nlp = spacy.load(folder / "model-best")
    curve = learning_curve(folder / CURVE, passes.lead, passes.steps)
    parameters = count_parameters(nlp.get_pipe("mtl_ner").model)
    records, counts = score(nlp, config, job)
    write_json(folder / COUNTS, counts, indent=None)
    best = max(reversed(curve), key=lambda point: point["score"] or 0.0)  # of equal ones spaCy keeps the last
    shared = {
        "protocol": PROTOCOL,
        "settings": job["protocol"],
        "command": job["command"],
        "minutes": round(curve[-1]["seconds"] / 60, 1),
        "steps": curve[-1]["step"],
        "passes": curve[-1]["pass"],
        "best_pass": best["pass"],
        "config_hash": job["key"],
        **parameters,
        **around,
    }
    return {"key": job["key"], "records": [{**record, **shared} for record in records], "curve": curve}


def check_inputs(job: Dict[str, Any]) -> None:
    """Raise MTL314 where a corpus is no longer the one by which the training is known."""
    for path, known in job.get("inputs", {}).items():
        if not Path(path).exists() or digest(Path(path)) != known:
            raise MTLError(E314(path=path))


def _batches(config: Any) -> Tuple[Any, Any]:
    """The training examples and the batcher of a config."""
    import spacy
    from spacy.util import registry, resolve_dot_names

    from ..training.batcher import CorpusBatches

    found = config.interpolate()
    reader = resolve_dot_names(found, [found["training"]["train_corpus"]])[0]
    batcher = registry.resolve({"batcher": found["training"]["batcher"]})["batcher"]
    if not isinstance(batcher, CorpusBatches):
        raise MTLError(E305(found=found["training"]["batcher"].get("@batchers")))
    return list(reader(spacy.blank("en"))), batcher


def score(nlp: Any, config: Any, job: Dict[str, Any]) -> Tuple[List[Dict[str, Any]], Dict[str, Any]]:
    """Return a record a scored corpus (test, and F1 on devel), and the counts of the units of its test split."""
    from .scoring import count_units, evaluate

    dropped = ("@readers", "paths", "limit", "max_length")  # no example is left out, whatever devel is cut to
    devel_reader = config.interpolate()["corpora"]["dev"]
    settings = {name: value for name, value in devel_reader.items() if name not in dropped}
    files = devel_reader["paths"]
    records, counts = [], {}
    for corpus in job["scored"]:
        devel, _ = evaluate(nlp, corpus, Path(files[corpus]), settings)
        test, examples = evaluate(nlp, corpus, Path(files[corpus]).with_name("test.spacy"), settings)
        unit, counted = count_units(examples, corpus)
        chosen = {f"devel_{name}": value for name, value in devel.items() if name in ("f1", "accuracy")}
        head = {"corpus": corpus, **{name: job["training"][name] for name in ("system", "seed", "main")}}
        head["partners"] = [other for other in job["training"]["corpora"] if other != corpus]
        if job["training"].get("variants"):
            head["parts"] = dict(job["training"]["variants"])
        if job["training"].get("overrides"):
            head["overrides"] = {name: shown(value) for name, value in job["training"]["overrides"]}
        records.append({**head, **test, **chosen, "unit": unit, "units": len(counted)})
        counts[corpus] = {"unit": unit, "counts": counted}
    return records, counts


def learning_curve(log: Path, lead: int, steps: float) -> List[Dict[str, Optional[float]]]:
    """Return pass, step, seconds, words, score on devel and loss of each evaluation, from the training's log; a loss
    that was no finite number is ``None`` there."""
    import srsly

    return [
        {
            "pass": round(max(0, line["step"] - lead) / steps, 2),
            **{name: line[name] for name in ("step", "seconds", "words", "score") if name in line},
            "loss": _rounded(line["losses"].get("mtl_ner", 0.0)),
        }
        for line in srsly.read_jsonl(log)
    ]


def _rounded(loss: Optional[float]) -> Optional[float]:
    return None if loss is None else round(loss, 4)


def clean(folder: Path, keep_models: bool) -> None:
    """Remove the weights: the last ones, and the best, unless they are wanted."""
    for name in ("model-last",) if keep_models else ("model-last", "model-best"):
        shutil.rmtree(folder / name, ignore_errors=True)


def say(error: ConfigValidationError) -> str:
    """What is wrong with a config, in one line, the last one of the log: the whole block follows in the message."""
    found = [f"{'.'.join(map(str, one.get('loc', ())))}: {one.get('msg')}" for one in error.errors or ()]
    return f"the config is not valid: {'; '.join(found) or error.desc or error.title}"


if __name__ == "__main__":
    try:
        sys.exit(main(Path(sys.argv[1])))
    except ConfigValidationError as error:
        traceback.print_exc()
        sys.exit(say(error))
