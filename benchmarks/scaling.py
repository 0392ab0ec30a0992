"""How cost grows with the number of corpora: training, prediction and memory of each sharing part, on one thread.

Run ``python benchmarks/scaling.py``; the last line is one JSON object, which ``--save`` also writes to
``docs/results/scaling.json``. Each sharing part and number of corpora is a process of its own (so that its memory is
its own) that trains on batches of 16 sentences drawn alike from all corpora, then tags with one corpus and with all.
Times are the least of all rounds, in processor time. Every row stands beside the smallest number of corpora, a
prediction by all corpora beside that by one: where encoders are shared, 14 corpora may take twice as long.
"""

import argparse
import resource
import tempfile
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Dict, List, NamedTuple, Sequence

from report import Row, arguments, least, one_thread, publish, rates, row

if TYPE_CHECKING:
    from material import Material

PACKAGES = "spacy_mtl_bioner", "spacy", "thinc", "torch"
SYSTEMS = ("SingleTask", "FullyShared", "SharedPrivate", "Adversarial", "CrossSharing")
CORPORA = (
    *("NCBI-disease", "BioNLP09", "BC5CDR", "Ex-PTM", "AnatEM", "BC2GM", "BioNLP11EPI", "BioNLP11ID"),
    *("BioNLP13CG", "BioNLP13GE", "BioNLP13PC", "CRAFT", "JNLPBA", "linnaeus"),
)
BATCH = 16


class Cost(NamedTuple):
    """Tokens, seconds they took, and MiB of memory at most."""

    trained: int
    tagged: int
    training: float
    one: float
    all: float
    memory: float


def measure(material: "Material", system: str, names: Sequence[str], options: argparse.Namespace) -> Cost:
    """Train and tag in this process."""
    one_thread()
    from material import Trainer, tokens_of
    from predict_speed import piping

    trainer = Trainer(material, system, corpora=names)
    batches = trainer.batches(max(len(names), options.sentences // BATCH))
    trainer.train(trainer.batches(options.steps))
    (training,) = least(options.rounds, lambda: trainer.train(batches))
    docs = [example.reference for batch in batches for example in batch]
    sides = [piping(trainer.nlp, docs, corpora=chosen) for chosen in (list(names[:1]), list(names))]
    one, all_ = least(options.rounds, *(side.run for side in sides), fresh=lambda i: (sides[i].fresh(),))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Cost(tokens_of(batches), sum(map(len, docs)), training, one, all_, memory)


def cut(material: "Material", names: Sequence[str], count: int) -> None:
    """Keep the first sentences of each corpus' training set: initialization reads them all, and would take longer than
    what is measured."""
    from spacy.tokens import DocBin

    for name in names:
        docs = material.docs(name, "train")[:count]
        for split in ("train", "devel"):
            DocBin(docs=docs, store_user_data=True).to_disk(material.file(name, split))


def rows_of(system: str, costs: Dict[int, Cost]) -> List[Row]:
    """Training, prediction and memory by the number of corpora."""
    least_corpora, rows = min(costs), []
    first = costs[least_corpora]
    for count, cost in costs.items():
        peer = f"{least_corpora} corpora"
        of_first = first.training / first.trained * cost.trained
        case = f"{system}, training, {count} corpora"
        rows.append(rates(case, cost.trained, cost.training, of_first, peer_name=peer))
        case = f"{system}, prediction by {count} of {count} corpora"
        rows.append(rates(case, cost.tagged, cost.all, cost.one, peer_name=f"1 of {count} corpora"))
        case = f"{system}, memory, {count} corpora"
        rows.append(row(case, cost.memory, first.memory, "MiB", digits=0, more_is_better=False, peer_name=peer))
    return rows


def main() -> None:
    """Measure, print a table, print the JSON line."""
    one_thread()
    from material import add_options, prepare

    parser = arguments(__doc__, rounds=3)
    parser.add_argument("--names", nargs="+", default=CORPORA, help="corpora, in order (default: %(default)s)")
    parser.add_argument("--systems", nargs="+", default=SYSTEMS, help="default: %(default)s")
    parser.add_argument("--counts", nargs="+", type=int, default=(2, 4, 8, 14), help="default: %(default)s")
    parser.add_argument("--sentences", type=int, default=448, help="sentences a round (default: %(default)s)")
    parser.add_argument("--steps", type=int, default=200, help="training before (default: %(default)s)")
    parser.add_argument("--keep", type=int, default=400, help="sentences of a corpus (default: %(default)s)")
    add_options(parser)
    options = parser.parse_args()
    counts = [count for count in options.counts if count <= len(options.names)]
    print(f"training, batches of {BATCH}; prediction, from Docs; one thread")
    results: List[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        material = prepare(options, Path(folder), options.names)
        cut(material, options.names, options.keep)
        for system in options.systems:
            costs = {}
            for count in counts:
                given = (material._replace(nlp=None), system, options.names[:count], options)
                with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
                    costs[count] = process.submit(measure, *given).result()
                print(f"{system}, {count} corpora: {costs[count]}", flush=True)
            results += rows_of(system, costs)
    publish("scaling", results, PACKAGES, options.save, material=material.note)


if __name__ == "__main__":
    main()
