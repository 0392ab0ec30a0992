"""Words a second of ``annotate``, from a JSONL file to a JSONL file, beside spaCy's own ``ner`` through the same
command.

Run ``python benchmarks/annotate_speed.py --model MODEL``; the last line is one JSON object, which ``--save`` also
writes to ``docs/results/annotate_speed.json``. Documents are the distinct abstracts at hand (``--abstracts``, PubTator
files; else made of the sample corpora), and ``--repeated`` made by repeating them under new ids. Jobs run with 1 and 2
processes of one thread each, with 1, 5 and all corpora of the model; each is a program of its own, whose time is
wall-clock time from the moment at which the pipeline is loaded. Words are those of our tokenizer, for both sides.

Without ``--model``, a small pipeline of the sample corpora is trained; spaCy's ``ner`` (its config for efficiency)
always is, for ``--steps``. *Outside the model* is processor time of a whole chunk less that within
``model.predict``. *Memory* is resident memory of all processes of a job, after a tenth of it and at most afterward.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from itertools import cycle, islice
from pathlib import Path
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from report import Row, arguments, one_thread, publish, row

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = "spacy_mtl_bioner", "spacy", "thinc", "torch"
BAR_OUTSIDE, BAR_TWO, BAR_MEMORY = 12.0, 1.8, 5.0  # microseconds a token; times as fast; percent


class Job(NamedTuple):
    """One run of ``annotate``."""

    name: str
    model: str
    source: str
    corpora: Optional[List[str]]
    processes: int


def child(job: Job) -> Dict[str, Any]:
    """Run a job in this program: seconds, words, resident memory (MiB) after each chunk."""
    from spacy_mtl_bioner.annotate.inputs import Inputs
    from spacy_mtl_bioner.annotate.options import Options
    from spacy_mtl_bioner.annotate.run import Plan, annotate_files

    curve: List[float] = []
    options = Options(corpora=tuple(job.corpora) if job.corpora else None)
    with tempfile.TemporaryDirectory() as folder:
        plan = Plan(job.model, Inputs(job.source), Path(folder) / "out.jsonl", options, processes=job.processes)
        summary = annotate_files(plan, progress=lambda counts, position, earlier: curve.append(resident()))
        seconds = summary["run"]["seconds"] - summary["run"]["loading"]
    if summary["failed"]:
        raise SystemExit(f"{summary['failed']} documents failed")
    return {
        "seconds": seconds,
        "tokens": summary["tokens"],
        "entities": sum(summary["entities"].values()),
        "curve": curve,
    }


def resident() -> float:
    """Resident memory of this process and those that it started, in MiB (Linux)."""
    import resource

    pids = [os.getpid()]
    for task in Path(f"/proc/{os.getpid()}/task").iterdir():
        pids += map(int, (task / "children").read_text(encoding="ascii").split())
    pages = sum(int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) for pid in pids)
    return round(pages * resource.getpagesize() / 2**20, 1)


def start(job: Job) -> Dict[str, Any]:
    """A job in a program of its own."""
    command = [sys.executable, __file__, "--run", json.dumps(job._asdict())]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, encoding="utf-8", check=True)
    return json.loads(done.stdout.splitlines()[-1])


def abstracts(folder: Path) -> List[str]:
    """The distinct texts of the PubTator files in a folder; without any, texts made of the sample corpora."""
    from reliability import documents

    from spacy_mtl_bioner.corpora.pubtator import blocks, parse_text
    from spacy_mtl_bioner.corpora.sources import decoded, numbered_lines

    texts: Dict[str, None] = {}
    for path in sorted(folder.glob("*.PubTator")) if folder.is_dir() else ():
        for block in blocks(numbered_lines(path)):
            rows = [(number, decoded(line, path, number)) for number, line in block[:2]]
            texts.setdefault(parse_text(path, rows).text)
    return list(texts) or list(documents(400))


def write(path: Path, texts: Iterator[str]) -> Path:
    """JSONL with ids of their own."""
    with open(path, "w", encoding="utf-8") as file:
        for number, text in enumerate(texts):
            file.write(json.dumps({"id": f"d{number}", "text": text}) + "\n")
    return path


def spacy_ner(folder: Path, steps: int) -> Path:
    """spaCy's ``ner`` with a sentencizer, trained on a sample corpus, saved."""
    import spacy
    from peers.spacy_ner import SpacyNER
    from spacy.training import Example

    from spacy_mtl_bioner.corpora.catalogue import get_entry, load_catalogue
    from spacy_mtl_bioner.corpora.convert import convert_corpus
    from spacy_mtl_bioner.corpora.documents import read_docbin

    nlp, entries = spacy.blank("en"), load_catalogue(ROOT / "assets" / "catalogue.json")
    convert_corpus(get_entry(entries, "sample-disease"), ROOT / "assets" / "corpora", folder / "sample", nlp)
    docs = read_docbin(folder / "sample" / "sample-disease" / "train.spacy", nlp.vocab)
    examples = [Example(doc, doc) for doc in docs]
    batches = [examples[i : i + 16] for i in range(0, len(examples), 16)]
    peer = SpacyNER(list(islice(cycle(batches), steps)))
    peer.train()
    peer.nlp.add_pipe("sentencizer", first=True)
    peer.nlp.to_disk(folder / "spacy-ner")
    return folder / "spacy-ner"


def outside(model: str, source: Path, corpora: Optional[Sequence[str]], limit: int) -> float:
    """Microseconds a token, of processor time, that a chunk takes outside ``model.predict``; after two that warm up."""
    from spacy_mtl_bioner.annotate.chunks import chunks
    from spacy_mtl_bioner.annotate.formats.base import Columns
    from spacy_mtl_bioner.annotate.inputs import Inputs
    from spacy_mtl_bioner.annotate.options import Options
    from spacy_mtl_bioner.annotate.reports import Settings
    from spacy_mtl_bioner.annotate.work import Worker

    worker = Worker(Settings(model, Options(corpora=tuple(corpora) if corpora else None), "jsonl", Columns()))
    recognizer = worker.annotator.nlp.get_pipe("mtl_ner")
    recognizer.model = clock = Clock(recognizer.model)
    work = list(islice(chunks(Inputs(str(source))), limit))
    tokens = total = 0.0
    with tempfile.TemporaryDirectory() as folder:
        for number, chunk in enumerate(work):
            clock.inside, began = 0.0, time.process_time()
            report = worker(chunk, Path(folder) / "part")
            if number >= min(2, len(work) - 1):
                total += time.process_time() - began - clock.inside
                tokens += report.counts["tokens"]
    return 1e6 * total / tokens


class Clock:
    """A model whose ``predict`` is timed."""

    def __init__(self, model: Any) -> None:
        self.model, self.inside = model, 0.0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.model, name)

    def predict(self, X: Any) -> Any:
        """What the model says."""
        began = time.process_time()
        try:
            return self.model.predict(X)
        finally:
            self.inside += time.process_time() - began


def selections(model: Path) -> Dict[str, Optional[List[str]]]:
    """1, 5 and all corpora, by name of the case."""
    import spacy

    heads = spacy.load(model).get_pipe("mtl_ner").heads
    known = [name for name, spec in heads.items() if spec.kind == "spans"]
    chosen = {f"{count} of {len(known)} corpora": known[:count] for count in (1, 5) if count < len(known)}
    return {**chosen, f"{len(known)} of {len(known)} corpora": None}


def title(model: Path) -> str:
    """What the model is: the layer that shares, and its corpora."""
    import spacy

    recognizer = spacy.load(model).get_pipe("mtl_ner")
    return f"{recognizer.model.layers[0].name}: {', '.join(recognizer.heads)}"


def measure(options: argparse.Namespace, model: Path, folder: Path) -> Tuple[List[Row], Dict[str, Any]]:
    """All rows, and what they are about."""
    texts = abstracts(options.abstracts)
    sets = {f"{len(texts):,} abstracts": write(folder / "distinct.jsonl", iter(texts))}
    if options.repeated:
        sets[f"{options.repeated:,} repeated"] = write(
            folder / "repeated.jsonl", islice(cycle(texts), options.repeated)
        )
    peer, ours = spacy_ner(folder, options.steps), selections(model)
    rows: List[Row] = []
    words: Dict[str, int] = {}
    for processes in (1, 2):
        jobs = {name: Job(name, str(model), "", corpora, processes) for name, corpora in ours.items()}
        jobs["spaCy"] = Job("spaCy", str(peer), "", None, processes)
        for name, source in sets.items():
            runs: Dict[str, Dict[str, Any]] = {}
            for case, job in jobs.items():
                runs[case] = min((start(job._replace(source=str(source))) for _ in range(options.rounds)), key=_seconds)
                words.setdefault(name, runs[case]["tokens"])
                runs[case]["pace"] = words[name] / max(runs[case]["seconds"], 0.05)
                print(f"{name}, {processes} process(es), {case}: {runs[case]['pace']:,.0f} words/s", flush=True)
            rows += [_row(name, processes, case, runs) for case in ours]
    rows += _scaling(rows) + outside_rows(options, model, folder)
    return rows, {"model": title(model), "words": words}


def outside_rows(options: argparse.Namespace, model: Path, folder: Path) -> List[Row]:
    """What a token takes outside the model, with 1, 5 and all corpora."""
    source, rows = write(folder / "outside.jsonl", iter(abstracts(options.abstracts))), []
    for case, corpora in selections(model).items():
        spent = outside(str(model), source, corpora, options.chunks)
        rows.append(row(f"outside the model, {case}", spent, BAR_OUTSIDE, "us/token", digits=1, more_is_better=False))
        rows[-1]["peer_name"] = "bar"
    return rows


def _seconds(run: Dict[str, Any]) -> float:
    return run["seconds"]


def _row(name: str, processes: int, case: str, runs: Dict[str, Dict[str, Any]]) -> Row:
    run, peer = runs[case], runs["spaCy"]
    curve = run["curve"]
    warm = curve[len(curve) // 10]
    growth = 100 * (max(curve[len(curve) // 10 :]) / warm - 1)
    more = {"processes": processes, "seconds": round(run["seconds"], 1), "entities": run["entities"]}
    memory = {"memory_mib": [warm, curve[-1]], "memory_growth_percent": round(growth, 2), "memory_bar": BAR_MEMORY}
    plural = "es" if processes > 1 else ""
    title = f"{name}, {processes} process{plural}, {case}"
    made = row(title, run["pace"], peer["pace"], "words/s", digits=0, more_is_better=True, **more, **memory)
    return {**made, "peer_name": "spaCy ner, efficiency"}


def _scaling(rows: Sequence[Row]) -> List[Row]:
    """How much faster two processes are than one."""
    made = []
    pairs = [(a, b) for a in rows for b in rows if a["processes"] == 1 and b["processes"] == 2]
    for single, double in pairs:
        if double["case"] == single["case"].replace("1 process", "2 processes", 1):
            case = single["case"].replace("1 process", "2 processes over 1", 1)
            result = row(case, double["ours"] / single["ours"], BAR_TWO, "times", digits=2, more_is_better=True)
            made.append({**result, "peer_name": "bar"})
    return made


def main() -> None:
    """Measure, print a table, print the JSON line."""
    parser = arguments(__doc__, rounds=1)
    parser.add_argument("--model", type=Path, help="a trained pipeline; default: one of the sample corpora")
    folder = ROOT.parent / "shared" / "corpora" / "pubtator"
    parser.add_argument(
        "--abstracts", type=Path, default=folder, help="folder of PubTator files (default: %(default)s)"
    )
    parser.add_argument("--repeated", type=int, default=20_000, help="documents of the long job (default: %(default)s)")
    parser.add_argument("--steps", type=int, default=300, help="training of spaCy's ner (default: %(default)s)")
    parser.add_argument("--chunks", type=int, default=12, help="to time outside the model (default: %(default)s)")
    parser.add_argument("--outside", action="store_true", help="only what a token takes outside the model")
    parser.add_argument("--run", type=json.loads, help=argparse.SUPPRESS)
    options = parser.parse_args()
    one_thread()
    if options.run:
        print(json.dumps(child(Job(**options.run))))
        return
    print("annotate, JSONL to JSONL, one thread a process; wall-clock time without loading")
    with tempfile.TemporaryDirectory() as made:
        if options.model is None:
            from reliability import train

            options.model = train(Path(made))
        if options.outside:
            rows, note = outside_rows(options, options.model, Path(made)), {"model": title(options.model)}
        else:
            rows, note = measure(options, options.model, Path(made))
    publish("annotate_outside" if options.outside else "annotate_speed", rows, PACKAGES, options.save, material=note)


if __name__ == "__main__":
    main()
