"""Documents with their syntax set by hand."""

from typing import List, Sequence

import numpy as np
from spacy.tokens import Doc
from spacy.vocab import Vocab

from spacy_mtl_bioner.extensions import set_chunks

WORDS = "This case is a paternally transmitted congenital myotonic dystrophy".split()
TAGS = "DT NN VBZ DT RB VBN JJ JJ NN".split()
HEADS = [1, 8, 8, 8, 5, 8, 8, 8, 8]
DEPS = "det nsubj cop det advmod amod amod amod ROOT".split()
CHUNKS = "B-NP I-NP B-VP B-NP I-NP I-NP I-NP I-NP I-NP".split()
"""The example of Zhang & Chen 2022."""


def example(vocab: Vocab) -> Doc:
    """The published sentence with its syntax."""
    return annotated(vocab, WORDS, TAGS, HEADS, DEPS, CHUNKS)


def annotated(
    vocab: Vocab, words: Sequence[str], tags: Sequence[str], heads: Sequence[int], deps: Sequence[str], chunks=()
) -> Doc:
    """A document with all three layers; sentence borders are those of the parse."""
    doc = Doc(vocab, words=list(words), tags=list(tags), heads=list(heads), deps=list(deps))
    set_chunks(doc, chunks or ["O"] * len(words))
    return doc


def random_doc(vocab: Vocab, lengths: Sequence[int], seed: int = 0) -> Doc:
    """A document of sentences of these lengths: random tags and phrases, and a parse that is a random tree."""
    rng = np.random.default_rng(seed)
    words, tags, heads, deps, chunks = [], [], [], [], []
    for length in lengths:
        first, root = len(words), int(rng.integers(length))
        words += [f"w{rng.integers(40)}" for _ in range(length)]
        tags += [f"T{rng.integers(5)}" for _ in range(length)]
        chunks += [str(rng.choice(["B-NP", "I-NP", "I-NP", "B-VP", "I-VP", "O"])) for _ in range(length)]
        places = _tree(rng, length, root)
        heads += [first + head for head in places]
        deps += ["ROOT" if i == root else f"d{rng.integers(4)}" for i in range(length)]
    starts = [i == 0 for length in lengths for i in range(length)]
    doc = Doc(vocab, words=words, tags=tags, heads=heads, deps=deps)
    assert [bool(token.is_sent_start) for token in doc] == starts
    set_chunks(doc, chunks)
    return doc


def _tree(rng: np.random.Generator, length: int, root: int) -> List[int]:
    """Heads such that every word hangs from the root: words join in a random order, each under one that is in."""
    order = [root, *(i for i in rng.permutation(length).tolist() if i != root)]
    heads = [root] * length
    for rank, word in enumerate(order[1:], 1):
        heads[word] = order[int(rng.integers(rank))]
    return heads
