"""Resident memory of ``nlp.pipe`` over a long stream of raw sentences, with and without ``nlp.memory_zone()``.

Run ``python benchmarks/memory.py``; the last line is one JSON object, which ``--save`` also writes to
``docs/results/memory.json``. The stream repeats the corpora's sentences with new digits in every number, and a share of
them holds a word that never was before, so that word forms keep appearing. Memory is read 20 times on the way; growth
is the most that it has, in percent, above what it was after the first tenth of the stream, and the bar is 5.

spaCy's vocabulary keeps every word form that it meets outside of a memory zone. How much of the growth that is, the
third run says: the tokenizer alone on the same stream. The fourth repeats the sentences as they are, without new word
forms after the first time. Each run is a process of its own.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from itertools import cycle, islice
from pathlib import Path
from typing import Dict, Iterator, List, Sequence

import spacy
from report import Row, arguments, one_thread, publish, row
from spacy.language import Language

PACKAGES = "spacy_mtl_bioner", "spacy", "thinc", "torch"
BAR = 5.0  # percent
SAMPLES, WARM = 20, 2  # how often memory is read, and how often until the first tenth is over
MIB = 2**20
CASES = {
    "plain": "without memory_zone",
    "zone": "with memory_zone",
    "repeated": "without memory_zone, the same sentences again and again",
}


def resident() -> float:
    """Resident memory of this process in MiB (Linux)."""
    import resource

    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / MIB


def stream(sentences: Sequence[str], count: int, new_words: float) -> Iterator[str]:
    """The sentences again and again with other digits; ``new_words``: share that gets a word of its own."""
    rng = random.Random(0)
    for i in range(count):
        sentence = "".join(rng.choice("0123456789") if c.isdigit() else c for c in sentences[i % len(sentences)])
        yield f"{sentence} ab{i}c" if rng.random() < new_words else sentence


def tag(nlp: Language, texts: Iterator[str], every: int, zone: bool) -> Iterator[float]:
    """Tag ``every`` sentences at a time and give the memory after each time."""
    while part := list(islice(texts, every)):
        if zone:
            with nlp.memory_zone():
                consume(nlp, part)
        else:
            consume(nlp, part)
        yield resident()


def consume(nlp: Language, texts: Sequence[str]) -> None:
    """Tag and drop."""
    for _ in nlp.pipe(texts):
        pass


def child(options: argparse.Namespace) -> None:
    """One run, whose last line is its result."""
    one_thread()
    nlp = spacy.load(options.model)
    if options.run == "tokenizer":
        nlp.select_pipes(enable=[])
    sentences = json.loads((options.model / "sentences.json").read_text(encoding="utf-8"))
    repeated = islice(cycle(sentences), options.sentences)
    texts = repeated if options.run == "repeated" else stream(sentences, options.sentences, options.new_words)
    every = -(-options.sentences // SAMPLES)
    forms, began, curve = len(nlp.vocab.strings), time.perf_counter(), []
    for memory in tag(nlp, texts, every, zone=options.run == "zone"):
        curve.append(round(memory, 1))
        done = min(every * len(curve), options.sentences)
        print(f"{options.run:<10}{done:>9,} sentences {memory:>9.1f} MiB", flush=True)
    pace = options.sentences / (time.perf_counter() - began)
    print(json.dumps({"curve": curve, "strings": len(nlp.vocab.strings) - forms, "sentences/s": round(pace)}))


def start(mode: str, model: Path, options: argparse.Namespace) -> Dict[str, object]:
    """One run in a process of its own; its lines are shown as they come."""
    settings = ["--sentences", str(options.sentences), "--new-words", str(options.new_words)]
    command = [sys.executable, __file__, "--run", mode, "--model", str(model), *settings]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, encoding="utf-8") as process:
        lines: List[str] = []
        for line in process.stdout or ():
            lines.append(line)
            if not line.startswith("{"):
                print(line, end="", flush=True)
    if process.returncode:
        raise SystemExit(process.returncode)
    return json.loads(lines[-1])


def growth(curve: Sequence[float]) -> float:
    """Most memory after the warm-up, in MiB above what there was then."""
    return max(curve[WARM:] or curve[-1:]) - curve[min(WARM, len(curve)) - 1]


def rows(runs: Dict[str, Dict[str, list]]) -> List[Row]:
    """One row a run; ``ratio`` is the memory that the bar allows over the most that there was."""
    made, vocabulary = [], growth(runs["tokenizer"]["curve"])
    for mode, name in CASES.items():
        curve, grown = runs[mode]["curve"], growth(runs[mode]["curve"])
        first = curve[min(WARM, len(curve)) - 1]
        percent = 100 * grown / first
        case = f"growth of resident memory, nlp.pipe {name}"
        result = row(case, percent, BAR, "%", digits=2, more_is_better=False, peer_name="bar")
        more = {"first_mib": first, "growth_mib": round(grown, 1), "curve_mib": curve}
        made.append({**result, "ratio": round((100 + BAR) / (100 + percent), 3), **more})
        print(f"{name}: {first:.0f} MiB after the warm-up, then {grown:+.1f} MiB ({percent:+.2f} %) at most;", end=" ")
        print(f"{runs[mode]['sentences/s']:,} sentences/s, {runs[mode]['strings']:,} new strings kept")
    made[0]["vocabulary_mib"] = round(vocabulary, 1)
    print(f"the tokenizer alone: {vocabulary:+.1f} MiB, {runs['tokenizer']['strings']:,} new strings kept")
    return made


def make_model(options: argparse.Namespace, folder: Path) -> Path:
    """A small cross-sharing pipeline after some steps, saved with the sentences of its corpora."""
    from material import Trainer, prepare

    material = prepare(options, folder)
    trainer = Trainer(material, "CrossSharing", {"width": options.width, "output": options.width})
    trainer.train(trainer.batches(options.steps))
    trainer.nlp.to_disk(folder / "model")
    docs = [doc for name in material.names("CrossSharing") for doc in material.docs(name)]
    sentences = [" ".join(token.text for token in doc) for doc in docs]
    (folder / "model" / "sentences.json").write_text(json.dumps(sentences), encoding="utf-8")
    return folder / "model"


def main() -> None:
    """Measure, print a table, print the JSON line."""
    from material import add_options

    parser = arguments(__doc__, rounds=1)
    parser.add_argument("--sentences", type=int, default=200_000, help="in the stream (default: %(default)s)")
    parser.add_argument("--new-words", type=float, default=0.1, help="share of sentences with a new word (%(default)s)")
    parser.add_argument("--width", type=int, default=32, help="of the BiLSTMs (default: %(default)s)")
    parser.add_argument("--steps", type=int, default=300, help="training before (default: %(default)s)")
    parser.add_argument("--run", choices=(*CASES, "tokenizer"), help=argparse.SUPPRESS)
    parser.add_argument("--model", type=Path, help=argparse.SUPPRESS)
    add_options(parser)
    options = parser.parse_args()
    if options.run:
        child(options)
        return
    one_thread()
    print(f"resident memory over {options.sentences:,} sentences of raw text, read {SAMPLES} times")
    with tempfile.TemporaryDirectory() as folder:
        model = make_model(options, Path(folder))
        runs = {mode: start(mode, model, options) for mode in (*CASES, "tokenizer")}
    note = {"sentences": options.sentences, "width": options.width, "new_words": options.new_words}
    tokenizer = {"tokenizer_curve_mib": runs["tokenizer"]["curve"]}
    publish("memory", rows(runs), PACKAGES, options.save, material=note, **tokenizer)


if __name__ == "__main__":
    main()
