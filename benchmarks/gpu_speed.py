"""Tokens a second on a GPU: training of the window CNN and of BiLSTMs, one run and several at once, and prediction.

Run ``python benchmarks/gpu_speed.py``; the last line is one JSON object, which ``--save`` also writes to
``docs/results/gpu_speed.json``. Needs CuPy beside PyTorch. Every run is a process of its own with one thread, which
learns through ``nlp.update`` for some seconds on the clock, after it has seen all its batches twice. The multi-output
model of Crichton et al. 2017 stands beside the published rate (190,000 steps of 200 tokens in 40 minutes on a Titan X),
all others beside the same run on one thread of this machine's processor, at the same time. As a physical reference, the
share of a step's time in which the GPU computes.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Dict, List, NamedTuple, Tuple

from report import Row, arguments, one_thread, publish, row

if TYPE_CHECKING:
    from material import Material, Trainer

PACKAGES = "spacy_mtl_bioner", "spacy", "thinc", "torch"
PUBLISHED = 190_000 * 200 / (40 * 60)
CORPORA = "NCBI-disease", "BioNLP09", "BC5CDR", "Ex-PTM"


class Case(NamedTuple):
    """A config of ``configs``, how many of the corpora it learns from, and the model's precision."""

    config: str
    corpora: int
    precision: str


CASES = {
    "MO-MTM": Case("crichton_2017/mo_mtm.cfg", len(CORPORA), "float32"),
    "SingleTask": Case("single_task.cfg", 1, "float32"),
    "SingleTask, bfloat16": Case("single_task.cfg", 1, "bfloat16"),
    "CrossSharing": Case("cross_sharing.cfg", 2, "float32"),
}


def worker(options: argparse.Namespace) -> None:
    """Learn as soon as the other side says so; print what came out."""
    one_thread()
    import spacy
    import torch
    from material import ROOT, Material, Trainer, tokens_of
    from thinc.api import require_gpu

    if options.device == "gpu":
        require_gpu(0)
    case, names = CASES[options.worker], json.loads(options.names)
    folders = options.folder / "corpora", options.folder / "vectors"
    material = Material(*folders, names[0], names[-1], {}, spacy.blank("en"))
    trainer = Trainer(
        material,
        "SingleTask",
        precision=case.precision,
        corpora=names[: case.corpora],
        config=ROOT / "configs" / case.config,
    )
    batches = trainer.batches(options.batches)
    wait = torch.cuda.synchronize if options.device == "gpu" else lambda: None

    def learn(seconds: float) -> Tuple[int, float, int]:
        """Tokens, seconds and steps."""
        tokens, steps, began = 0, 0, time.perf_counter()
        while time.perf_counter() < began + seconds:
            chosen = [batches[(steps + i) % len(batches)] for i in range(20)]
            trainer.train(chosen)
            tokens, steps = tokens + tokens_of(chosen), steps + len(chosen)
        wait()
        return tokens, time.perf_counter() - began, steps

    trainer.train(2 * batches if options.device == "gpu" else batches[:50])
    print("ready", flush=True)
    sys.stdin.readline()
    tokens, seconds, steps = learn(options.seconds)
    found: Dict[str, Any] = {"tokens": tokens, "seconds": seconds, "steps": steps}
    if options.more:
        found["busy"] = busy(trainer, batches[:30]) if options.device == "gpu" else None
        found["tagged"] = tagged(trainer, material, names[: case.corpora])
    print(json.dumps(found), flush=True)


def busy(trainer: "Trainer", batches: List[Any]) -> float:
    """Seconds a step in which the GPU computes or copies."""
    from torch.profiler import ProfilerActivity, profile

    with profile(activities=[ProfilerActivity.CUDA]) as profiled:
        trainer.train(batches)
    times = (event.self_device_time_total for event in profiled.key_averages() if event.device_type.name == "CUDA")
    return sum(times) / len(batches) / 1e6


def tagged(trainer: "Trainer", material: "Material", names: List[str]) -> float:
    """Words a second of ``nlp.pipe`` from Docs, by all corpora."""
    from spacy.tokens import Doc

    vocab = trainer.nlp.vocab
    docs = [doc for name in names for doc in material._replace(nlp=trainer.nlp).docs(name, "test")]
    bare = [Doc(vocab, [t.text for t in doc], sent_starts=[t.is_sent_start for t in doc]) for doc in docs]
    best = 0.0
    for _ in range(3):
        copies, began = [doc.copy() for doc in bare], time.perf_counter()
        for _ in trainer.nlp.pipe(copies, batch_size=4096):
            pass
        best = max(best, sum(map(len, bare)) / (time.perf_counter() - began))
    return best


class Runs:
    """So many runs at once, in processes of their own, which wait until they are let go."""

    def __init__(self, folder: Path, name: str, names: List[str], count: int, device: str, options: Any) -> None:
        command = [sys.executable, __file__, "--worker", name, "--folder", folder, "--device", device]
        command += ["--names", json.dumps(names), "--seconds", options.seconds, "--batches", options.batches]
        command += ["--more"] * (count == 1)
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self.said = f"{name}, {device}, {count} at once"
        self.processes = [subprocess.Popen(list(map(str, command)), **pipes) for _ in range(count)]

    def results(self) -> List[Dict[str, Any]]:
        """What they say, all begun together."""
        for process in self.processes:
            if process.stdout.readline() != "ready\n":
                raise SystemExit(f"{self.said}: a run failed")
        for process in self.processes:
            process.stdin.write("\n")
            process.stdin.flush()
        found = [json.loads(process.communicate()[0].splitlines()[-1]) for process in self.processes]
        step = 1e3 * sum(one["seconds"] for one in found) / sum(one["steps"] for one in found)
        print(f"{self.said}: {step:.2f} ms a step, {rate(found):,.0f} tokens/s", flush=True)
        return found


def rate(found: List[Dict[str, Any]]) -> float:
    """Tokens a second of all."""
    return sum(one["tokens"] / one["seconds"] for one in found)


def measure(folder: Path, names: List[str], options: argparse.Namespace) -> Tuple[List[Row], List[Row]]:
    """The rows, and the physical reference."""
    results, reference = [], []
    more = {"digits": 0, "more_is_better": True}
    for name, case in CASES.items():
        if name not in options.cases.split(";"):
            continue
        both = [Runs(folder, name, names, 1, device, options) for device in ("gpu", "cpu")]
        (alone,), (thread,) = (runs.results() for runs in both)
        of = f"{name}, {' + '.join(names[: case.corpora])}"
        for count in map(int, options.runs.split(",")) if name == "MO-MTM" else ():
            found = [alone] if count == 1 else Runs(folder, name, names, count, "gpu", options).results()
            said = f"{of}, {count} run{'s' * (count > 1)} at once"
            results.append(row(said, rate(found), PUBLISHED, "tokens/s", peer_name="published, Titan X", **more))
        peer = {"peer_name": "one thread of the processor"}
        results.append(row(f"{of}, training", rate([alone]), rate([thread]), "tokens/s", **more, **peer))
        results.append(row(f"{of}, prediction", alone["tagged"], thread["tagged"], "words/s", **more, **peer))
        share = 100 * alone["busy"] * alone["steps"] / alone["seconds"]
        reference.append({"case": f"{name}: the GPU computes", "value": round(share, 1), "unit": "% of a step"})
        reference.append({"case": f"{name}: it computes", "value": round(1e3 * alone["busy"], 3), "unit": "ms a step"})
    for entry in reference:
        print(f"{entry['case']}: {entry['value']:,} {entry['unit']}")
    return results, reference


def main() -> None:
    """Measure, print a table, print the JSON line."""
    from material import add_options, prepare

    parser = arguments(__doc__, rounds=1)
    parser.add_argument("--runs", default="1,8,15", help="how many at once (default: %(default)s)")
    parser.add_argument("--cases", default=";".join(CASES), help="separated by ; (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=8, help="time of each run (default: %(default)s)")
    parser.add_argument("--batches", type=int, default=400, help="different batches of a run (default: %(default)s)")
    for name in ("worker", "names"):
        parser.add_argument(f"--{name}", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help="keeps converted corpora and vectors there")
    parser.add_argument("--device", help=argparse.SUPPRESS)
    parser.add_argument("--more", action="store_true", help=argparse.SUPPRESS)
    add_options(parser)
    options = parser.parse_args()
    if options.worker:
        return worker(options)
    import torch

    with tempfile.TemporaryDirectory() as temporary:
        folder, note = options.folder or Path(temporary), {"corpora": list(CORPORA), "vectors": "converted before"}
        if not (folder / "vectors").exists():
            note = prepare(options, folder, CORPORA).note
        results, reference = measure(folder, list(CORPORA), options)
    device = torch.cuda.get_device_name(0)
    publish("gpu_speed", results, PACKAGES, options.save, reference=reference, material=note, gpu=device)


if __name__ == "__main__":
    main()
