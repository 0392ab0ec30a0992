"""Tokens a second of training a window CNN: ours through ``nlp.update`` beside the published arithmetic, on one thread.

Run ``python benchmarks/cnn_speed.py``; the last line is one JSON object, which ``--save`` also writes to
``docs/results/cnn_speed.json``. Both sides see the same batches of about 200 tokens, which our batcher makes, and take
turns; each time is the least of all rounds, in processor time. Ours starts from Docs at each step (features, loss,
gradients, Adam); the published arithmetic, a convolution over the window of each token, has its arrays made beforehand.
As a physical reference, the products of the dense layer alone (1,200 x 1,200 a token: forward, gradient of its input,
gradient of its weights), which no way of computing the convolutions avoids, run on the same numbers of tokens.
"""

import argparse
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Callable, Dict, List, Sequence, Tuple

import torch
from report import Row, arguments, least, one_thread, publish, rates

if TYPE_CHECKING:
    from material import Material

PACKAGES = "spacy_mtl_bioner", "spacy", "thinc", "torch"
PRECISIONS = "float32", "bfloat16"
UNITS = 1200


def build(material: "Material", steps: int) -> Tuple[int, Dict[str, Callable[[], object]]]:
    """Tokens of a round, and what runs on them: ours in each precision, the published arithmetic, dense layers."""
    from material import Trainer, tokens_of
    from peers.window_cnn import Published, WindowNetwork

    from spacy_mtl_bioner.corpora.schemes import spans_to_tags, tag_names

    ours = {name: Trainer(material, "WindowCNN", precision=name) for name in PRECISIONS}
    batches = ours["float32"].batches(steps)
    other = ours["bfloat16"].batches(steps)
    labels = ours["float32"].nlp.get_pipe("mtl_ner").head_labels[material.main]
    published = Published(WindowNetwork(material.nlp.vocab.vectors, tag_names(labels, "IOBES")))
    arrays = []
    for batch in batches:
        golds = [[(entity.start, entity.end, entity.label_) for entity in x.reference.ents] for x in batch]
        tags = [spans_to_tags(len(x.reference), gold, "IOBES") for x, gold in zip(batch, golds)]
        arrays.append(published.network.arrays([x.reference for x in batch], tags))
    sizes = [len(array.tags) for array in arrays]
    print(f"{len(batches)} batches, {tokens_of(batches):,} tokens")
    return tokens_of(batches), {
        "float32": lambda: ours["float32"].train(batches),
        "bfloat16": lambda: ours["bfloat16"].train(other),
        "published": lambda: published.fit(arrays),
        **{f"dense {name}": dense(sizes, name) for name in PRECISIONS},
    }


def dense(sizes: Sequence[int], precision: str) -> Callable[[], None]:
    """The three products of a training step of the dense layer, on random numbers."""
    kind = getattr(torch, precision)
    weight = torch.randn(UNITS, UNITS, dtype=kind)
    inputs = [torch.randn(size, UNITS, dtype=kind) for size in sizes]

    def run() -> None:
        with torch.no_grad():
            for x in inputs:
                y = torch.nn.functional.linear(x, weight)
                torch.matmul(y, weight)
                torch.matmul(y.t(), x)

    return run


def measure(material: "Material", options: argparse.Namespace) -> Tuple[List[Row], List[Row]]:
    """The rows of both precisions, and the physical reference."""
    tokens, actions = build(material, options.steps)
    seconds = dict(zip(actions, least(options.rounds, *actions.values())))
    rows, reference = [], []
    for name in PRECISIONS:
        case = f"WindowCNN {material.main}, 200 tokens a batch, {name}"
        peer = "published arithmetic, float32"
        rows.append(rates(case, tokens, seconds[name], seconds["published"], peer_name=peer))
        alone = seconds[f"dense {name}"]
        case = f"products of the dense layer alone, {name}"
        reference.append({"case": case, "value": round(tokens / alone), "unit": "tokens/s"})
        share = round(100 * alone / seconds[name], 1)
        reference.append({"case": f"share of that rate, {name}", "value": share, "unit": "%"})
    for row in reference:
        print(f"{row['case']}: {row['value']:,} {row['unit']}")
    return rows, reference


def main() -> None:
    """Measure, print a table, print the JSON line."""
    one_thread()
    from material import add_options, prepare

    parser = arguments(__doc__, rounds=5)
    parser.add_argument("--steps", type=int, default=60, help="batches a round (default: %(default)s)")
    add_options(parser)
    options = parser.parse_args()
    print("training of a window CNN, tokens/s, one thread; ours: nlp.update and finish_update, batches of our batcher")
    with tempfile.TemporaryDirectory() as folder:
        material = prepare(options, Path(folder))
        results, reference = measure(material, options)
    publish("cnn_speed", results, PACKAGES, options.save, reference=reference, material=material.note)


if __name__ == "__main__":
    main()
