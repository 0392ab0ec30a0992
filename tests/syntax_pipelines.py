"""The syntax configs on tiny documents, for tests that need a tagger, a parser and a chunker."""

from pathlib import Path
from typing import Any, List, Sequence

import spacy
from spacy.tokens import Doc, DocBin
from spacy.util import load_config
from spacy.vocab import Vocab

from spacy_mtl_bioner.extensions import register, set_chunks

register()
CONFIGS = Path(__file__).resolve().parents[1] / "configs" / "syntax"
SENTENCES = ["BRCA1 mutations cause breast cancer .", "Patients with asthma improved .", "No change ."]
SYNTAX = ["TAG", "DEP", "HEAD", "SENT_START"]


def annotated(vocab: Vocab, words: Sequence[str], **gold: Any) -> Doc:
    """A sentence with tags, a parse and phrases that follow from its words, and other gold."""
    last = len(words) - 1
    tags = ["." if word == "." else "NN" if i % 2 == 0 else "VB" for i, word in enumerate(words)]
    deps = ["ROOT" if i == 1 else "punct" if i == last else "dep" for i in range(len(words))]
    doc = Doc(vocab, words=list(words), tags=tags, heads=[1] * len(words), deps=deps, **gold)
    set_chunks(doc, chunks(words))
    return doc


def chunks(words: Sequence[str]) -> List[str]:
    """Phrases of two words."""
    return ["O" if word == "." else "B-NP" if i % 2 == 0 else "I-NP" for i, word in enumerate(words)]


def config(name: str, folder: Path, **training: Any) -> Any:
    """The config ``name`` with tiny corpora written to a folder."""
    vocab = spacy.blank("en").vocab
    words = [sentence.split() for sentence in SENTENCES]
    corpora = {
        "syntax": ([annotated(vocab, sentence) for sentence in words], SYNTAX),
        "chunks": ([Doc(vocab, words=sentence, tags=chunks(sentence)) for sentence in words], ["TAG"]),
    }
    for kind, (docs, attrs) in corpora.items():
        for path in (folder / kind / "train" / "tiny.spacy", folder / kind / "devel" / "craft.spacy"):
            path.parent.mkdir(parents=True, exist_ok=True)
            DocBin(attrs=["ORTH", "SPACY", *attrs], docs=docs).to_disk(path)
    loaded = load_config(CONFIGS / f"{name}.cfg", interpolate=False)
    loaded["paths"]["corpora"] = str(folder)
    loaded["system"]["gpu_allocator"] = None
    loaded["training"].update(training)
    if "parser" in loaded["components"]:
        loaded["components"]["parser"]["min_action_freq"] = 1  # a parser leaves out what is rarer, even shifts
    return loaded.interpolate()
