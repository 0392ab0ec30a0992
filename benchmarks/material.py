"""What the benchmarks measure on: converted corpora, word vectors and pipelines, made in a folder of their own."""

import argparse
import logging
import os
import random
from itertools import cycle, islice
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, NamedTuple, Optional, Sequence

import numpy as np
import spacy
from spacy.language import Language
from spacy.schemas import ConfigSchemaTraining
from spacy.tokens import Doc
from spacy.training import Example
from spacy.training.initialize import init_nlp
from spacy.util import load_config, registry, resolve_dot_names

from spacy_mtl_bioner.corpora.catalogue import get_entry, load_catalogue
from spacy_mtl_bioner.corpora.convert import convert_corpus
from spacy_mtl_bioner.corpora.documents import read_docbin
from spacy_mtl_bioner.corpora.vector_tables import read_table
from spacy_mtl_bioner.corpora.word_vectors import keep, pipeline_of, words_of
from spacy_mtl_bioner.pipeline.tokenizer import BioTokenizer

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"
WIDTH = 100  # of the word vectors: GloVe's, and of random ones in their place
CONFIGS = {
    "SingleTask": ROOT / "configs" / "single_task.cfg",
    "FullyShared": ROOT / "configs" / "fully_shared.cfg",
    "SharedPrivate": ROOT / "configs" / "shared_private.cfg",
    "Adversarial": ROOT / "configs" / "adversarial.cfg",
    "CrossSharing": ROOT / "configs" / "cross_sharing.cfg",
    "WindowCNN": ROOT / "configs" / "crichton_2017" / "stm.cfg",
}
Batch = List[Example]


def add_options(parser: argparse.ArgumentParser) -> None:
    """Where corpora and vectors are, and which corpora to take."""
    corpora = Path(os.environ.get("MTL_BIONER_CORPORA") or SHARED / "corpora")
    glove = SHARED / "vectors" / "glove.6B.100d.trimmed.txt.gz"
    parser.add_argument("--corpora", type=Path, default=corpora / "data", help="their folder (default: %(default)s)")
    parser.add_argument("--catalogue", type=Path, help="catalogue of further corpora")
    parser.add_argument("--main", default="NCBI-disease", help="main corpus (default: %(default)s)")
    parser.add_argument("--partner", default="BioNLP09", help="its partner (default: %(default)s)")
    parser.add_argument("--vectors", type=Path, default=glove, help="GloVe; no file: random (default: %(default)s)")


class Material(NamedTuple):
    """Converted corpora and vectors; ``note`` says which."""

    corpora: Path
    vectors: Path
    main: str
    partner: str
    note: Dict[str, Any]
    nlp: Language  # blank, with the vectors

    def names(self, system: str) -> List[str]:
        """The corpora of a system, the main one first."""
        return [self.main] if system in ("SingleTask", "WindowCNN") else [self.main, self.partner]

    def file(self, corpus: str, split: str) -> Path:
        """Where the DocBin of a split is."""
        return self.corpora / corpus / f"{split}.spacy"

    def docs(self, corpus: str, *splits: str) -> List[Doc]:
        """The gold Docs of the splits, of all without any."""
        files = [self.file(corpus, split) for split in splits or ("train", "devel", "test")]
        return [doc for file in files for doc in read_docbin(file, self.nlp.vocab)]


def prepare(
    options: argparse.Namespace, folder: Path, names: Optional[Sequence[str]] = None, top: int = 20000
) -> Material:
    """Convert the corpora (``names``, else main and partner) and make a vectors model in ``folder``, which besides
    their words has the ``top`` most frequent."""
    logging.getLogger("spacy_mtl_bioner").setLevel(logging.ERROR)  # the corpora's known oddities
    nlp, catalogue = spacy.blank("en"), load_catalogue(options.catalogue)
    nlp.tokenizer = BioTokenizer(nlp.vocab)
    corpora, table = folder / "corpora", folder / "vectors"
    note: Dict[str, Any] = {"corpora": list(names or [options.main, options.partner])}
    for name in note["corpora"]:
        convert_corpus(get_entry(catalogue, name), options.corpora, corpora, nlp)
    if options.vectors.exists():
        rows = keep(read_table(options.vectors), words_of(corpora), top)
        note["vectors"] = options.vectors.name
    else:
        rows = _random_rows(words_of(corpora))
        note["vectors"] = f"random, {WIDTH} numbers"
    pipeline_of(rows).to_disk(table)
    print(f"corpora: {', '.join(note['corpora'])}; word vectors: {note['vectors']}")
    return Material(corpora, table, *note["corpora"][:2], note, spacy.load(table))


def _random_rows(words: Iterable[str]) -> Dict[str, np.ndarray]:
    random = np.random.default_rng(0)
    return {word: random.normal(0, 0.4, WIDTH).astype("float32") for word in sorted(words)}


class Trainer:
    """A pipeline of ours as ``spacy train`` makes it from one of the configs, and its batches.

    encoder: replaces settings of the config's encoder, such as its width; precision: that of the model.
    corpora: instead of the system's main corpus and partner; all of them give as many batches.
    config: instead of the system's.
    """

    def __init__(
        self,
        material: Material,
        system: str,
        encoder: Optional[Dict[str, int]] = None,
        precision: str = "float32",
        corpora: Optional[Sequence[str]] = None,
        config: Optional[Path] = None,
    ) -> None:
        config = load_config(config or CONFIGS[system])
        config["paths"]["vectors"] = str(material.vectors)
        if corpora is not None:
            config["training"]["batcher"]["schedule"] = {"@misc": "spacy_mtl_bioner.Balanced.v1"}
        corpora = corpora or material.names(system)
        for part, split, names in (("train", "train", corpora), ("dev", "devel", [material.main])):
            config["corpora"][part]["paths"] = {name: str(material.file(name, split)) for name in names}
        if "main" in config["training"]["batcher"]["schedule"]:
            config["training"]["batcher"]["schedule"]["main"] = material.main
        config["components"]["mtl_ner"]["model"]["sharing"]["encoder"].update(encoder or {})
        config["components"]["mtl_ner"]["model"]["precision"] = precision
        self.nlp = init_nlp(config)
        settings = registry.resolve(self.nlp.config.interpolate()["training"], schema=ConfigSchemaTraining)
        (reader,) = resolve_dot_names(self.nlp.config.interpolate(), [settings["train_corpus"]])
        self.optimizer, self.dropout = settings["optimizer"], settings["dropout"]
        self._batcher, self._examples = settings["batcher"], list(reader(self.nlp))

    def batches(self, count: int) -> List[Batch]:
        """The first batches of the training, which go on from epoch to epoch."""
        random.seed(0)
        epochs: Iterator[Any] = (self._batcher(self._examples) for _ in cycle([0]))
        return list(islice((batch for epoch in epochs for batch in epoch), count))

    def train(self, batches: Sequence[Batch]) -> None:
        """One step a batch, as in spaCy's training loop."""
        for batch in batches:
            self.nlp.update(batch, sgd=self.optimizer, drop=self.dropout)
            self.optimizer.step_schedules()


def tokens_of(batches: Sequence[Batch]) -> int:
    """How many tokens the batches have."""
    return sum(len(example.reference) for batch in batches for example in batch)
