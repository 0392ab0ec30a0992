"""Tokens a second of prediction: ours through ``nlp.pipe``, the published arithmetic, spaCy's ``ner``, on one thread.

Run ``python benchmarks/predict_speed.py``; the last line is one JSON object, which ``--save`` also writes to
``docs/results/predict_speed.json``. Ours and spaCy's ``ner`` go from Docs of gold tokens (and, ours, sentence starts),
1024 a batch, to Docs with entities, through their whole pipelines; the published arithmetic goes from arrays made
beforehand to tags, 16 sentences of like length a batch. From raw text, all tokenize and split sentences too.
All take turns; each time is the least of all rounds, in processor time.

Models that know nothing find absurdly many entities, so that ours and spaCy's train for ``--steps`` first; ``--model``
takes trained pipelines of ours instead. The published arithmetic takes as long whatever it knows.
"""

import argparse
import random
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Callable, Dict, List, NamedTuple, Sequence, Tuple

import spacy
from report import Row, arguments, least, one_thread, publish, rates
from spacy.language import Language
from spacy.tokens import Doc

from spacy_mtl_bioner.corpora.problems import Problems
from spacy_mtl_bioner.corpora.pubtator import read_pubtator

if TYPE_CHECKING:
    from material import Material

PACKAGES = "spacy_mtl_bioner", "spacy", "thinc", "torch"
TEXTS = "pubtator/NCBIdisease_Test.PubTator"  # beside the folder of corpora
SIZE = 1024  # Docs a batch


class Side(NamedTuple):
    """Something that tags: ``fresh`` makes what ``run`` is given, off the clock."""

    fresh: Callable[[], object]
    run: Callable[..., object]


def piping(nlp: Language, docs: Sequence[Doc], **settings: object) -> Side:
    """A pipeline on new Docs with the words and sentence starts of ``docs``."""

    def fresh() -> List[Doc]:
        words = ([token.text for token in doc] for doc in docs)
        starts = ([bool(token.is_sent_start) for token in doc] for doc in docs)
        return [Doc(nlp.vocab, words=word, sent_starts=start) for word, start in zip(words, starts)]

    return Side(fresh, lambda given: run(nlp, given, settings))


def reading(nlp: Language, texts: Sequence[str]) -> Side:
    """A pipeline on raw text."""
    return Side(lambda: texts, lambda given: run(nlp, given, {}))


def run(nlp: Language, given: Sequence[object], settings: Dict[str, object]) -> int:
    """Tag all; the number of entities."""
    config = {"mtl_ner": dict(settings)} if "mtl_ner" in nlp.pipe_names else {}
    return sum(len(doc.ents) for doc in nlp.pipe(given, batch_size=SIZE, component_cfg=config))


def timed(rounds: int, sides: Dict[str, Side]) -> Dict[str, float]:
    """Seconds of each side."""
    turns = list(sides.values())
    return dict(zip(sides, least(rounds, *(side.run for side in turns), fresh=lambda i: (turns[i].fresh(),))))


def system_of(nlp: Language) -> str:
    """What a pipeline of ours shares, as in ``CrossSharing``."""
    return nlp.config["components"]["mtl_ner"]["model"]["sharing"]["@architectures"].split(".")[1]


def train(material: "Material", system: str, options: argparse.Namespace, folder: Path) -> Path:
    """A pipeline of ours after some steps, saved."""
    from material import Trainer

    print(f"training {system} for {options.steps} steps", flush=True)
    trainer = Trainer(material, system)
    trainer.train(trainer.batches(options.steps))
    trainer.nlp.to_disk(folder / system)
    return folder / system


def spacy_ner(material: "Material", steps: int) -> Language:
    """spaCy's ``ner``, trained on the same corpus as long as ours."""
    from material import Trainer
    from peers.spacy_ner import SpacyNER

    print(f"training spaCy's ner for {steps} steps", flush=True)
    peer = SpacyNER(Trainer(material, "SingleTask").batches(steps))
    peer.train()
    return peer.nlp


def published(material: "Material", system: str, docs: Sequence[Doc]) -> List[Side]:
    """The published arithmetic: one corpus, and (cross-sharing) a pass for each of two."""
    from peers.published import Alphabet, Published, in_sixteens

    names, vectors = material.names(system), material.nlp.vocab.vectors
    other = [doc for name in names for doc in material.docs(name, "devel", "test")]
    alphabet = Alphabet([material.docs(name, "train") for name in names], other, vectors)
    model = Published(alphabet, vectors)
    batches = [in_sixteens(docs, alphabet, task) for task in range(len(names))]
    together = [batch for task in batches for batch in task]
    return [Side(lambda given=given: given, model.tag) for given in (batches[0], together)]


def from_docs(material: "Material", path: Path, docs: Sequence[Doc], peer: Language, rounds: int) -> List[Row]:
    """The rows of one of our pipelines on Docs; ``peer``: spaCy's ``ner``."""
    nlp = spacy.load(path)
    half = spacy.load(path, config={"components": {"mtl_ner": {"model": {"precision": "bfloat16"}}}})
    known, system = list(nlp.get_pipe("mtl_ner").corpora), system_of(nlp)
    main = material.main if material.main in known else known[0]
    variants: Dict[Tuple[str, int], Side] = {}
    for count, corpora in ((1, [main]), (len(known), known)):
        variants["without scores", count] = piping(nlp, docs, corpora=corpora, scores=False)
        variants["with scores", count] = piping(nlp, docs, corpora=corpora, scores=True)
        variants["bfloat16, without scores", count] = piping(half, docs, corpora=corpora, scores=False)
    sides = {f"{name} {count}": side for (name, count), side in variants.items()}
    sides.update({f"published {i}": side for i, side in enumerate(published(material, system, docs), start=1)})
    if system == "SingleTask":
        sides["spaCy"] = piping(peer, docs)
    tokens = sum(map(len, docs))
    entities = run(nlp, sides["without scores 1"].fresh(), {"corpora": [main], "scores": False})
    print(f"{system}: {len(docs):,} Docs, {tokens:,} tokens, {entities:,} entities found", flush=True)
    seconds, rows = timed(rounds, sides), []
    for name, count in variants:
        case, ours = f"{system}, {count} of {len(known)} corpora, {name}", seconds[f"{name} {count}"]
        if f"published {count}" in seconds:
            rows.append(rates(case, tokens, ours, seconds[f"published {count}"], peer_name="published arithmetic"))
        if "spaCy" in seconds:
            rows.append(rates(case, tokens, ours, seconds["spaCy"], peer_name="spaCy ner, efficiency"))
    for count in dict.fromkeys(count for _, count in variants):
        share = 100 * seconds[f"with scores {count}"] / seconds[f"without scores {count}"] - 100
        print(f"{system}, {count} of {len(known)} corpora: scores take {share:.1f} % more time")
    return rows


def from_text(paths: Sequence[Path], texts: Sequence[str], peer: Language, rounds: int) -> List[Row]:
    """The rows of our pipelines on raw text, all corpora with scores as their settings say."""
    loaded = [spacy.load(path) for path in paths]
    sides = {f"ours {i}": reading(nlp, texts) for i, nlp in enumerate(loaded)}
    if "sentencizer" not in peer.pipe_names:
        peer.add_pipe("sentencizer", first=True)
    sides["spaCy"] = reading(peer, texts)
    seconds = timed(rounds, sides)
    words = sum(len(doc) for doc in loaded[0].tokenizer.pipe(texts))
    print(f"raw text: {len(texts):,} texts, {words:,} words")
    name = "spaCy tokenizer, sentencizer, ner"
    return [
        rates(f"raw text, {system_of(nlp)}", words, seconds[f"ours {i}"], seconds["spaCy"], "words/s", peer_name=name)
        for i, nlp in enumerate(loaded)
    ]


def raw_texts(options: argparse.Namespace, docs: Sequence[Doc]) -> List[str]:
    """Abstracts, where they are at hand; else the sentences, eight together."""
    file = options.corpora.parent / TEXTS
    if file.exists():
        return [document.text for document in read_pubtator(file, Problems())][: len(docs)]
    sentences = [" ".join(token.text for token in doc) for doc in docs]
    return [" ".join(sentences[i : i + 8]) for i in range(0, len(sentences), 8)]


def main() -> None:
    """Measure, print a table, print the JSON line."""
    one_thread()
    from material import add_options, prepare

    parser = arguments(__doc__, rounds=5)
    parser.add_argument("--sentences", type=int, default=2000, help="Docs a round (default: %(default)s)")
    parser.add_argument("--steps", type=int, default=300, help="training before (default: %(default)s)")
    parser.add_argument("--model", type=Path, nargs="+", help="trained pipelines instead of training")
    add_options(parser)
    options = parser.parse_args()
    print(f"prediction, one thread; from Docs, batch size {SIZE}, and from raw text")
    with tempfile.TemporaryDirectory() as folder:
        material = prepare(options, Path(folder))
        docs = material.docs(material.main, "train")
        random.Random(0).shuffle(docs)
        docs = docs[: options.sentences]
        systems = ("CrossSharing", "SingleTask")
        paths = options.model or [train(material, system, options, Path(folder)) for system in systems]
        peer = spacy_ner(material, options.steps)
        results = [row for path in paths for row in from_docs(material, path, docs, peer, options.rounds)]
        results += from_text(paths, raw_texts(options, docs), peer, options.rounds)
    note = {**material.note, "trained": "--model" if options.model else f"{options.steps} steps"}
    publish("predict_speed", results, PACKAGES, options.save, material=note)


if __name__ == "__main__":
    main()
