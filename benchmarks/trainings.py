"""Train one system with several seeds, choose the epoch on devel, score test once, record it.

    python benchmarks/trainings.py --system SingleTask --config configs/single_task.cfg \\
        --corpora corpus --vectors vectors --corpus NCBI-disease --seeds 0 1 2 --save

``--corpora`` is the folder that ``mtl-bioner convert`` wrote, ``--vectors`` the one of ``mtl-bioner vectors``. Further
``--section.key value`` options override the config as for ``spacy train``. Each result is printed and, with ``--save``,
added to ``docs/results/trainings.json``; a training that is recorded there with the same system, corpus, seed and
command is not repeated, so that a killed run goes on where it stopped. ``--score-only`` records what a training that was
ended by hand had reached; the record says so.
"""

import argparse
import json
import platform
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any, Dict, List

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "docs" / "results" / "trainings.json"
PROTOCOL = "train on train, epoch chosen on devel, test scored once; exact span and type, micro; no sentence dropped"


def main() -> None:
    """Run the trainings that are not recorded yet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--system", required=True, help="name in the record, for example SingleTask")
    parser.add_argument("--config", required=True, help="config of spacy train")
    parser.add_argument("--corpora", type=Path, required=True, help="folder with a folder of DocBins a corpus")
    parser.add_argument("--vectors", required=True, help="folder of word vectors for [initialize.vectors]")
    parser.add_argument("--corpus", required=True, help="the corpus that is scored")
    parser.add_argument("--replace", nargs="+", default=[], metavar="OLD=NEW", help="corpus names to exchange in the config")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--output", type=Path, default=Path("runs"), help="folder for models and logs")
    parser.add_argument("--score-only", action="store_true", help="do not train: score the model-best that is there")
    parser.add_argument("--save", action="store_true", help="add the results to docs/results/trainings.json")
    options, overrides = parser.parse_known_args()
    command = " ".join(["benchmarks/trainings.py", *_shown(sys.argv[1:])])
    for seed in options.seeds:
        name = f"{options.system}-{options.corpus}-{seed}"
        records = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else []
        key = {"system": options.system, "corpus": options.corpus, "seed": seed, "command": command}
        if any(all(record.get(k) == v for k, v in key.items()) for record in records):
            print(f"{name}: recorded already")
            continue
        circumstance = circumstances()
        if not options.score_only:
            train(options, overrides, seed, options.output / name)
        progress = progress_of(options.output / name)
        if options.score_only:
            progress["note"] = "ended by hand before the patience ran out"
        record = {**key, **score(options, options.output / name), **progress, **circumstance}
        print(json.dumps(record))
        if options.save:
            records = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else []
            RESULTS.parent.mkdir(parents=True, exist_ok=True)
            RESULTS.write_text(json.dumps([*records, record], indent=1) + "\n", encoding="utf-8")


def train(options: argparse.Namespace, overrides: List[str], seed: int, output: Path) -> None:
    """``spacy train`` in a process of its own, logged beside the model."""
    output.mkdir(parents=True, exist_ok=True)
    text = Path(options.config).read_text(encoding="utf-8")
    for old, new in (pair.split("=") for pair in options.replace):
        text = text.replace(old, new)
    (output / "train.cfg").write_text(text, encoding="utf-8")
    arguments = [sys.executable, "-m", "spacy", "train", str(output / "train.cfg"), "--output", str(output)]
    arguments += ["--system.seed", str(seed), "--paths.log", str(output / "log.jsonl")]
    arguments += ["--paths.corpora", str(options.corpora), "--paths.vectors", options.vectors, *overrides]
    with (output / "train.log").open("w", encoding="utf-8") as log:
        subprocess.run(arguments, stdout=log, stderr=subprocess.STDOUT, check=True)


def progress_of(output: Path) -> Dict[str, Any]:
    """Minutes by the training's own clock and steps, from its log."""
    lines = (output / "log.jsonl").read_text(encoding="utf-8").splitlines()
    last = json.loads(lines[-1])
    return {"minutes": round(last["seconds"] / 60, 1), "steps": last["step"]}


def score(options: argparse.Namespace, output: Path) -> Dict[str, Any]:
    """Percent on test of the pipeline that was best on devel, and what it had there."""
    import spacy

    from spacy_mtl_bioner.training.reader import create_multi_corpus

    nlp = spacy.load(output / "model-best")
    best = {}
    for split in ("devel", "test"):
        reader = create_multi_corpus({options.corpus: options.corpora / options.corpus / f"{split}.spacy"})
        best[split] = nlp.evaluate(list(reader(nlp)))
    figures = {n: round(100 * best["test"][f"mtl_{options.corpus}_{n[0]}"], 2) for n in ("precision", "recall", "f1")}
    return {**figures, "devel_f1": round(100 * best["devel"][f"mtl_{options.corpus}_f"], 2), "protocol": PROTOCOL}


def circumstances() -> Dict[str, Any]:
    """Commit, versions and machine."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True)
    info = Path("/proc/cpuinfo")
    info = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    names = [line.split(":")[1].strip() for line in info.splitlines() if line.startswith("model name")]
    return {
        "commit": commit.stdout.strip(),
        "versions": {name: version(name) for name in ("spacy", "thinc", "torch", "numpy")},
        "python": platform.python_version(),
        "machine": f"{names[0] if names else platform.machine()}, one thread of {len(names)} cores, no GPU",
    }


def _shown(arguments: List[str]) -> List[str]:
    """The arguments without those that name local folders or seeds."""
    shown, skip = [], False
    for argument in arguments:
        if argument.startswith("--"):
            skip = argument in ("--seeds", "--output", "--save", "--corpora", "--vectors", "--score-only")
        if not skip:
            shown.append(argument)
    return shown


if __name__ == "__main__":
    main()
