"""Tokens a second of training: ours through ``nlp.update``, the published arithmetic, spaCy's ``ner``, on one thread.

Run ``python benchmarks/train_speed.py``; the last line is one JSON object, which ``--save`` also writes to
``docs/results/train_speed.json``. All sides see the same batches of 16, which our batcher makes, and take turns; each
time is the least of all rounds, in processor time. Ours starts from Docs at each step (features, loss, gradients,
step); the published arithmetic has its arrays made beforehand. As a physical reference, one lone BiLSTM of the same
size runs on the same padded batches: our share of its rate, where cross-sharing has three, is in ``reference``.
"""

import argparse
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Callable, Dict, List, NamedTuple, Sequence, Tuple

import torch
from report import Row, arguments, least, one_thread, publish, rates

if TYPE_CHECKING:
    from material import Material

PACKAGES = "spacy_mtl_bioner", "spacy", "thinc", "torch"
INPUTS, WIDTH, BATCH = 130, 256, 16
ENCODERS = {"CrossSharing": 3, "SingleTask": 1}  # BiLSTMs that read each sentence


class Setting(NamedTuple):
    """One of our configs with the batches that it trains on, and what else runs on them."""

    tokens: int
    actions: Dict[str, Callable[[], object]]


def build(material: "Material", system: str, sentences: int) -> Setting:
    """Ours, the published arithmetic of the same system, the lone BiLSTM and, for one corpus, spaCy's ``ner``."""
    from material import Trainer, tokens_of
    from peers.published import Alphabet, Published
    from peers.spacy_ner import SpacyNER

    names = material.names(system)
    ours = Trainer(material, system)
    batches = ours.batches(max(len(names), sentences // BATCH))
    vectors = material.nlp.vocab.vectors
    training = [material.docs(name, "train") for name in names]
    other = [doc for name in names for doc in material.docs(name, "devel", "test")]
    alphabet = Alphabet(training, other, vectors)
    arrays = [alphabet.arrays([x.reference for x in b], names.index(b[0].reference._.corpus)) for b in batches]
    published = Published(alphabet, vectors)
    shapes = [(len(array.lengths), int(array.lengths.max())) for array in arrays]
    actions: Dict[str, Callable[[], object]] = {
        "ours": lambda: ours.train(batches),
        "published": lambda: published.fit(arrays),
        **lone_bilstm(shapes),
    }
    if len(names) == 1:
        actions["spaCy ner"] = SpacyNER(batches).train
    padded = sum(sentences * longest for sentences, longest in shapes)
    print(f"{system}: {len(batches)} batches, {tokens_of(batches):,} tokens, {padded:,} with padding;", end=" ")
    print(f"word table of the published arithmetic: {len(alphabet.words):,} words")
    return Setting(tokens_of(batches), actions)


def lone_bilstm(shapes: Sequence[Tuple[int, int]]) -> Dict[str, Callable[[], object]]:
    """Forward, and forward with backward, of one BiLSTM on random numbers of the batches' shapes."""
    lstm = torch.nn.LSTM(INPUTS, WIDTH, batch_first=True, bidirectional=True)
    inputs = [torch.randn(*shape, INPUTS, requires_grad=True) for shape in shapes]

    def forward() -> None:
        with torch.no_grad():
            for x in inputs:
                lstm(x)

    def backward() -> None:
        for x in inputs:
            lstm(x)[0].sum().backward()

    return {"forward": forward, "forward + backward": backward}


def measure(
    material: "Material", system: str, encoders: int, options: argparse.Namespace
) -> Tuple[List[Row], List[Row]]:
    """The rows of one config, and its physical reference."""
    tokens, actions = build(material, system, options.sentences)
    seconds = dict(zip(actions, least(options.rounds, *actions.values())))
    case = f"{system} {' + '.join(material.names(system))}, BiLSTM {WIDTH}, batch {BATCH}"
    rows = [rates(case, tokens, seconds["ours"], seconds["published"], peer_name="published arithmetic")]
    if "spaCy ner" in seconds:
        rows.append(rates(case, tokens, seconds["ours"], seconds["spaCy ner"], peer_name="spaCy ner, efficiency"))
    reference = []
    for name in ("forward", "forward + backward"):
        lone = f"one lone BiLSTM {INPUTS} -> 2 x {WIDTH}, {name}, batches of {system}"
        reference.append({"case": lone, "value": round(tokens / seconds[name]), "unit": "tokens/s"})
    limit = encoders * seconds["forward + backward"]
    share = f"{system} training, share of the rate of {encoders} lone BiLSTM{'s' * (encoders > 1)} (forward + backward)"
    reference.append({"case": share, "value": round(100 * limit / seconds["ours"], 1), "unit": "%"})
    for row in reference:
        print(f"{row['case']}: {row['value']:,} {row['unit']}")
    return rows, reference


def main() -> None:
    """Measure, print a table, print the JSON line."""
    one_thread()
    from material import add_options, prepare

    parser = arguments(__doc__, rounds=5)
    parser.add_argument("--sentences", type=int, default=384, help="sentences a round (default: %(default)s)")
    add_options(parser)
    options = parser.parse_args()
    print("training, tokens/s, one thread; ours: nlp.update and finish_update, batches of our batcher")
    with tempfile.TemporaryDirectory() as folder:
        material = prepare(options, Path(folder))
        parts = [measure(material, system, encoders, options) for system, encoders in ENCODERS.items()]
    results = [row for rows, _ in parts for row in rows]
    reference = [row for _, rows in parts for row in rows]
    publish("train_speed", results, PACKAGES, options.save, reference=reference, material=material.note)


if __name__ == "__main__":
    main()
