"""Parts of corpora as DocBins of their own: some labels, or a share of the training sentences."""

from pathlib import Path
from typing import Any, Collection, List, Sequence

from spacy.tokens import Doc, DocBin
from spacy.vocab import Vocab

from ..corpora.catalogue import SPLITS
from ..corpora.documents import read_docbin, save_docbin
from ..corpora.select import sample
from ..training.units import split as split_sentences
from .training import Setting, Variant, part_name


def write_part(corpus: str, variant: Variant, setting: Setting, data: Path) -> Path:
    """Write the splits of a part that are not there yet, and return its folder."""
    folder = data / part_name(corpus, variant, setting)
    for split in SPLITS:
        path = folder / f"{split}.spacy"
        if not path.exists():
            source = setting.docbin(corpus, split)
            docs, attrs = read_docbin(source, Vocab()), DocBin().from_disk(source).attrs
            if split == "train" and variant.share < 1:
                docs = sample(sentence_docs(docs, attrs), variant.share, variant.seed)
            if variant.labels is not None:
                keep_labels(docs, variant.labels)
            save_docbin(docs, attrs, path)
    return folder


def sentence_docs(docs: Sequence[Doc], attrs: Sequence[Any]) -> List[Doc]:
    """Return a Doc a sentence, with all of its annotation."""
    return [unit for doc in docs for unit in split_sentences(doc, attrs).docs]


def keep_labels(docs: Sequence[Doc], labels: Collection[str]) -> None:
    """Take the entities of other labels away: their tokens are Outside."""
    for doc in docs:
        if len(doc) and doc.has_annotation("ENT_IOB"):
            doc.set_ents([entity for entity in doc.ents if entity.label_ in labels])
