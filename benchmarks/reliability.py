"""What ``mtl-bioner annotate`` makes of kills, faults and hostile input; the table of ``docs/reliability.md``.

Run ``python benchmarks/reliability.py``; the last line is one JSON object, which ``--save`` also writes to
``docs/results/reliability.json``, and the table goes into ``docs/reliability.md``. Every case runs the command as a
user would, in processes of its own, on documents made of the sample corpora, and compares output files byte by byte
with those of an undisturbed run. ``--model`` takes a trained pipeline instead of training one on the sample corpora.

Kills are SIGKILL, half of them to the leading process alone (its workers must go by themselves), half to all; then
``--resume``. Kills *after load* come at a random moment after a start's first new chunk, *during load* before it.
"""

import argparse
import json
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from itertools import chain
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Optional, Sequence

from report import Row, arguments, publish

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "reliability.md"
PACKAGES = "spacy_mtl_bioner", "spacy", "thinc", "torch"
TOOL = [sys.executable, "-m", "spacy_mtl_bioner"]
START, END = "<!-- made by benchmarks/reliability.py: start -->", "<!-- end -->"
PATIENCE = 1800  # seconds that any single run may take
POISON = """
import os, signal
from spacy.language import Language

@Language.component("poison")
def poison(doc):
    if "POISON" in doc.text:
        raise RuntimeError("a poisoned document")
    if "DEADLY" in doc.text:
        os.kill(os.getpid(), signal.SIGKILL)
    return doc
"""


class Case(NamedTuple):
    """What was tried, how often it came out as it should, of how many times, and what came back."""

    name: str
    right: int
    tried: int
    answer: str


class Bench:
    """A folder with a pipeline, documents, and what an undisturbed run makes of them."""

    def __init__(self, folder: Path, options: argparse.Namespace) -> None:
        self.folder, self.processes, self.chunk = folder, options.processes, options.chunk
        self.model, self.kills = options.model or train(folder), options.kills
        self.source = folder / "documents.jsonl"
        self.texts = list(documents(options.documents))
        write_documents(self.source, self.texts)
        self.rng = random.Random(0)
        self.expect(self.run(folder / "undisturbed.jsonl"), 0)
        run = json.loads((folder / "undisturbed.jsonl.summary.json").read_text(encoding="utf-8"))["run"]
        self.loading, self.seconds = run["loading"], run["seconds"] - run["loading"]
        self.wanted = (folder / "undisturbed.jsonl").read_bytes()
        print(f"undisturbed: {options.documents:,} documents in {self.seconds:.0f} s after loading", flush=True)

    def command(
        self, output: Path, *more: Any, source: Optional[Path] = None, model: Optional[Path] = None
    ) -> List[str]:
        """The command line of a job."""
        settings = ["--processes", self.processes, "--chunk", self.chunk, *more]
        return [
            str(part) for part in [*TOOL, "annotate", model or self.model, source or self.source, output, *settings]
        ]

    def start(self, output: Path, *more: Any, **kinds: Any) -> subprocess.Popen:
        """Start a job, the leader of a process group of its own."""
        preexec = kinds.pop("preexec", None)
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True, "encoding": "utf-8"}
        command = self.command(output, *more, **kinds)
        return subprocess.Popen(command, cwd=ROOT, start_new_session=True, preexec_fn=preexec, **pipes)

    def run(self, output: Path, *more: Any, **kinds: Any) -> subprocess.CompletedProcess:
        """Run a job to its end."""
        process = self.start(output, *more, **kinds)
        said, _ = process.communicate(timeout=PATIENCE)
        return subprocess.CompletedProcess(process.args, process.returncode, said)

    @staticmethod
    def expect(done: subprocess.CompletedProcess, code: int) -> None:
        """Stop the benchmark where a run that must come out in a certain way did not."""
        if done.returncode != code:
            raise SystemExit(f"exit code {done.returncode} instead of {code}: {' '.join(done.args)}\n{done.stdout}")


def train(folder: Path) -> Path:
    """A pipeline of the sample corpora after 150 steps."""
    print("training on the sample corpora", flush=True)
    assets, quiet = ROOT / "assets", {"cwd": ROOT, "check": True, "stdout": subprocess.DEVNULL}
    table = ["--table", str(assets / "vectors.txt.gz")]
    catalogue = ["--catalogue", str(assets / "catalogue.json")]
    subprocess.run([*TOOL, "convert", str(assets / "corpora"), str(folder / "corpus"), *catalogue], **quiet)
    subprocess.run([*TOOL, "vectors", str(folder / "vectors"), *table], **quiet)
    paths = ["--paths.corpora", str(folder / "corpus"), "--paths.vectors", str(folder / "vectors")]
    steps = ["--training.max_steps", "150", "--training.eval_frequency", "150"]
    out = ["--output", str(folder / "training")]
    subprocess.run([sys.executable, "-m", "spacy", "train", "configs/sample.cfg", *out, *paths, *steps], **quiet)
    return folder / "training" / "model-last"


def documents(count: int) -> Iterator[str]:
    """Texts of five to nine sentences of the sample corpora, no two alike."""
    rng, sentences = random.Random(0), []
    for file in sorted((ROOT / "assets" / "corpora").glob("*/train.tsv")):
        blocks = file.read_text(encoding="utf-8").strip().split("\n\n")
        sentences += [" ".join(line.split("\t")[0] for line in block.splitlines()) for block in blocks]
    for number in range(count):
        yield f"Report {number} . " + " ".join(rng.sample(sentences, rng.randint(5, 9)))


def write_documents(path: Path, texts: Sequence[str]) -> None:
    """JSONL with ids from d0."""
    path.write_text(
        "".join(json.dumps({"id": f"d{i}", "text": t}) + "\n" for i, t in enumerate(texts)), encoding="utf-8"
    )


def journaled(output: Path) -> int:
    """How many chunks a job's journal has."""
    path = output.with_name(output.name + ".job") / "journal.jsonl"
    return path.read_bytes().count(b"\n") if path.exists() else 0


def kill(process: subprocess.Popen, everyone: bool) -> bool:
    """Kill a job, or its leader alone; whether it was still running."""
    running = process.poll() is None
    if running:
        (os.killpg if everyone else os.kill)(process.pid, signal.SIGKILL)
    process.communicate()
    return running


def all_kills(bench: Bench) -> Iterator[Case]:
    """Those after and those during load."""
    for count, during_load in zip(bench.kills, (False, True)):
        if count:
            yield kills(bench, count, during_load)


def kills(bench: Bench, count: int, during_load: bool) -> Case:
    """Kill and resume until ``count`` kills have met a running job; each output is compared when its job ends."""
    name, met, jobs, right = "during load" if during_load else "after load", 0, 0, 0
    pending = False
    while met < count or pending:
        output = bench.folder / f"killed-{name.replace(' ', '-')}-{jobs}.jsonl"
        before = journaled(output)
        process = bench.start(output, "--resume")
        if met < count:
            while process.poll() is None and not during_load and journaled(output) == before:
                time.sleep(0.01)
            longest = bench.loading if during_load else bench.seconds / 8
            try:
                process.wait(bench.rng.uniform(0, longest))
            except subprocess.TimeoutExpired:
                pass  # it still runs: the moment to kill it
            if kill(process, everyone=bool(met % 2)):
                met, pending = met + 1, True
                if output.exists() and output.read_bytes() != bench.wanted:
                    raise SystemExit(f"{output} appeared before it was whole")
                continue
        process.communicate(timeout=PATIENCE)
        jobs, pending = jobs + 1, False
        right += output.exists() and output.read_bytes() == bench.wanted
        print(f"kills {name}: {met}; jobs that ended with the same bytes: {right} of {jobs}", flush=True)
    answer = f"{jobs} job(s) in all, {right} ended with the bytes of an undisturbed run"
    return Case(f"SIGKILL {name}, then `--resume`", met if right == jobs else 0, met, answer)


def read(path: Path) -> List[Dict[str, Any]]:
    """The records of a file in JSONL (only LF ends a line: a text may hold U+2028); none where it is missing."""
    return [json.loads(line) for line in path.read_bytes().splitlines()] if path.exists() else []


def broken_documents(bench: Bench) -> Iterator[Case]:
    """One document of all that raises, and one that kills its process."""
    code, model = bench.folder / "poison_component.py", bench.folder / "poisoned"
    code.write_text(POISON, encoding="utf-8")
    subprocess.run(["cp", "-r", str(bench.model), str(model)], check=True)
    config = (model / "config.cfg").read_text(encoding="utf-8")
    config = config.replace('pipeline = ["mtl_sentences",', 'pipeline = ["mtl_sentences","poison",')
    config = config.replace("[components]\n", '[components]\n\n[components.poison]\nfactory = "poison"\n', 1)
    (model / "config.cfg").write_text(config, encoding="utf-8")
    victim = len(bench.texts) // 2
    for word, code_of, name in (("POISON", "MTL355", "raises"), ("DEADLY", "MTL356", "kills its process")):
        source, output = bench.folder / f"{word}.jsonl", bench.folder / f"{word}-out.jsonl"
        write_documents(source, [word if i == victim else text for i, text in enumerate(bench.texts)])
        done = bench.run(output, "--code", code, source=source, model=model)
        errors = read(Path(f"{output}.errors.jsonl"))
        others = [line for i, line in enumerate(bench.wanted.splitlines()) if i != victim]
        same = spans(output.read_bytes().splitlines()) == spans(others)
        right = done.returncode == 3 and same and [(e["id"], e["code"]) for e in errors] == [(f"d{victim}", code_of)]
        answer = (
            f"exit code {done.returncode}; {len(read(output)):,} others the same; one line in errors.jsonl, {code_of}"
        )
        yield Case(f"one of {len(bench.texts):,} documents {name}", int(right), 1, answer)


def spans(lines: Sequence[bytes]) -> List[Any]:
    """Id and entities of each document, without scores."""
    records = [json.loads(line) for line in lines]
    return [(r["id"], [(e["start"], e["end"], e["label"]) for e in r["entities"]]) for r in records]


def faults(bench: Bench) -> Iterator[Case]:
    """A full disk, places that cannot be written, second runs."""
    output, limit = bench.folder / "full.jsonl", len(bench.wanted) // 2

    def little_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    done = bench.run(output, preexec=little_room)
    again = bench.run(output, "--resume")
    right = done.returncode == 1 and "MTL353" in done.stdout and output.read_bytes() == bench.wanted
    answer = "exit code 1, MTL353; with room, `--resume` ended with the bytes of an undisturbed run"
    yield Case("no room for more than half of the output", int(right and again.returncode == 0), 1, answer)
    refusals: Dict[str, Callable[[], subprocess.CompletedProcess]] = {
        "output below a file (MTL353)": lambda: bench.run(bench.source / "out.jsonl"),
        "output that exists (MTL350)": lambda: bench.run(output),
        "`--resume` with other options (MTL352)": lambda: bench.run(output, "--resume", "--threshold", 0.5),
    }
    for name, act in refusals.items():
        done, expected = act(), name[-7:-1]
        right = done.returncode == 1 and expected in done.stdout and output.read_bytes() == bench.wanted
        yield Case(name[:-9], int(right), 1, f"exit code {done.returncode}, {expected}; what stood there is untouched")
    for wanted, act in {"MTL351": (), "MTL360": ("--resume",)}.items():
        yield _while_running(bench, wanted, act)


def _while_running(bench: Bench, wanted: str, options: Sequence[str]) -> Case:
    """A second run on the output of one that is under way (or, without --resume, was killed)."""
    output = bench.folder / f"{wanted}.jsonl"
    process = bench.start(output)
    while process.poll() is None and not journaled(output):
        time.sleep(0.01)
    if options:
        os.killpg(process.pid, signal.SIGSTOP)  # so that it is still under way, however short
    else:
        kill(process, everyone=True)
    second = bench.run(output, *options)
    if options:
        os.killpg(process.pid, signal.SIGCONT)
    else:
        process = bench.start(output, "--resume")
    process.communicate(timeout=PATIENCE)
    right = second.returncode == 1 and wanted in second.stdout and output.read_bytes() == bench.wanted
    name = "second run with `--resume` while the first is under way" if options else "second run on an unfinished job"
    return Case(name, int(right), 1, f"exit code {second.returncode}, {wanted}; the job then ended as it should")


HOSTILE = {
    "a token of 50,000 characters": "a" * 50_000,
    "100,000 tokens without a sentence end": "asthma " * 100_000,
    "3,000,000 characters in paragraphs (over spaCy's limit)": ("We saw asthma in mice.\n\n" * 125_000),
    "1,100,000 characters without any white space": "abcdefghi-" * 110_000,
    "NUL characters": "as\x00thma \x00 in mice",
    "lone surrogates": "asthma \ud800 in \udfff mice",
    "right-to-left text": "\u202b\u05de\u05d7\u05dc\u05d4 asthma \u0645\u0631\u0636\u202c",
    "combining characters": "a\u0301" * 5_000,
    "only white space": " \n\t\u2028\u00a0" * 1_000,
    "empty": "",
    "20,000 opening brackets": "(" * 20_000,
    "a:a:a: ... of 64,000 characters": "a:" * 32_000,
    "5,000 blank lines": "\n" * 5_000,
}


def hostile(bench: Bench) -> Iterator[Case]:
    """Each text between two neighbors, which must be what they are without it."""
    neighbors = bench.texts[:2]
    source, output = bench.folder / "neighbors.jsonl", bench.folder / "neighbors-out.jsonl"
    write_documents(source, neighbors)
    bench.expect(bench.run(output, source=source), 0)
    alone = spans(output.read_bytes().splitlines())
    for number, (name, text) in enumerate(HOSTILE.items()):
        source, output = bench.folder / f"hostile-{number}.jsonl", bench.folder / f"hostile-{number}-out.jsonl"
        write_documents(source, [neighbors[0], text, neighbors[1]])
        began = time.monotonic()
        done = bench.run(output, source=source)
        seconds = time.monotonic() - began
        records = read(output)
        right = done.returncode == 0 and len(records) == 3
        if right:
            around = [found for _, found in spans([json.dumps(records[i]).encode() for i in (0, 2)])]
            right = around == [found for _, found in alone] and whole(text, records[1])
        noted = records[1].get("problems", {}) if right else done.stdout[-200:]
        answer = f"{seconds:.0f} s with start; {len(records[1]['entities']):,} entities" if right else "failed"
        yield Case(name, int(right), 1, f"{answer}; {noted}" if noted else answer)


def whole(text: str, record: Dict[str, Any]) -> bool:
    """Whether a record has the text, halves of surrogate pairs replaced, and entities that say what stands there."""
    clean = "".join("\ufffd" if "\ud800" <= char <= "\udfff" else char for char in text)
    return record["text"] == clean and all(clean[e["start"] : e["end"]] == e["text"] for e in record["entities"])


def write_page(cases: Sequence[Case]) -> None:
    """Put the table between the marks of the page."""
    page = PAGE.read_text(encoding="utf-8")
    rows = [f"| {case.name} | {case.right} of {case.tried} | {case.answer} |" for case in cases]
    table = "\n".join(["| what was tried | came out right | what came back |", "| --- | --- | --- |", *rows])
    head, _, rest = page.partition(START)
    PAGE.write_text(f"{head}{START}\n{table}\n{END}{rest.partition(END)[2]}", encoding="utf-8")


def main() -> None:
    """Try everything, print a table, print the JSON line."""
    parser = arguments(__doc__, rounds=1)
    parser.add_argument("--model", type=Path, help="a trained pipeline; default: trains one")
    parser.add_argument("--documents", type=int, default=1000, help="in a job (default: %(default)s)")
    parser.add_argument("--processes", type=int, default=2, help="that tag (default: %(default)s)")
    parser.add_argument("--chunk", type=int, default=16, help="documents of a chunk (default: %(default)s)")
    parser.add_argument("--kills", type=int, nargs=2, default=(50, 10), help="after and during load (default: 50 10)")
    studies = ("hostile", "documents", "faults", "kills")
    parser.add_argument("--studies", nargs="+", choices=studies, default=studies, help="which (default: all)")
    options = parser.parse_args()
    os.environ.update({"OMP_NUM_THREADS": "1"})
    cases: List[Case] = []
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), options)
        table = dict(zip(studies, (hostile, broken_documents, faults, all_kills)))
        for case in chain.from_iterable(table[name](bench) for name in options.studies):
            cases.append(case)
            print(f"{case.right} of {case.tried}: {case.name}: {case.answer}", flush=True)
    rows: List[Row] = [
        {
            "case": c.name,
            "ours": c.right,
            "peer": c.tried,
            "unit": "right",
            "ratio": c.right / c.tried,
            "answer": c.answer,
        }
        for c in cases
    ]
    if options.save:
        write_page(cases)
    note = {"documents": options.documents, "processes": options.processes, "chunk": options.chunk}
    publish("reliability", rows, PACKAGES, options.save, material=note)
    raise SystemExit(0 if all(case.right == case.tried for case in cases) else 1)


if __name__ == "__main__":
    main()
