"""Which annotation of a Doc the syntax parts read, and how."""

from dataclasses import dataclass
from typing import Callable, Set, Tuple

import numpy as np
from spacy.attrs import DEP, TAG
from spacy.tokens import Doc

from ...errors import E450, MTLError
from ...extensions import chunks_of
from ..batch import Tokens


@dataclass(frozen=True)
class Annotation:
    """One kind of annotation.

    name: its key in ``Lexicon.labels``. what, component, copied: what messages call it, what sets it, and the setting
    of the reader that hands it on. read: u64[T], a label's hash a token, 0 where there is none. names: what gets a
    vector, of the labels met.
    """

    name: str
    what: str
    component: str
    copied: str
    read: Callable[[Doc], np.ndarray]
    names: Callable[[Set[str]], Set[str]] = set

    def labels_of(self, doc: Doc) -> Set[str]:
        """The labels of a document that get a vector."""
        return self.names({doc.vocab.strings[label] for label in np.unique(self.read(doc)).tolist() if label})

    def of(self, tokens: Tokens) -> np.ndarray:
        """u64[N], the labels of the tokens. Raises MTL450 for a document in which a word has none."""
        found = [self.read(doc) for doc in tokens.docs if len(doc)]
        labels = np.concatenate([*found, np.zeros(0, dtype="uint64")])[tokens.at]
        if not labels.all():
            at = int(tokens.at[np.flatnonzero(labels == 0)[0]])
            document = int(np.searchsorted(tokens.doc_starts, at, side="right")) - 1
            doc = tokens.docs[document]
            raise MTLError(
                E450(
                    document=_name(doc),
                    word=doc[at - int(tokens.doc_starts[document])].text,
                    what=self.what,
                    component=self.component,
                    copied=self.copied,
                )
            )
        return labels


def _name(doc: Doc) -> str:
    return repr(doc._.document or doc[:8].text)


def _tags(doc: Doc) -> np.ndarray:
    return doc.to_array([TAG]).reshape(-1)


def _relations(doc: Doc) -> np.ndarray:
    return doc.to_array([DEP]).reshape(-1)


def _chunks(doc: Doc) -> np.ndarray:
    """Hashes of the IOB2 tags."""
    chunks = chunks_of(doc)
    if chunks is None:
        return np.zeros(len(doc), dtype="uint64")
    hashes = {tag: doc.vocab.strings.add(tag) if tag else 0 for tag in set(chunks)}
    return np.fromiter(map(hashes.__getitem__, chunks), dtype="uint64", count=len(doc))


def _phrase_names(tags: Set[str]) -> Set[str]:
    return {tag[2:] for tag in tags if tag[1:2] == "-"}


POS = Annotation("pos", "part of speech (Token.tag_)", "a tagger", '["TAG"]', _tags)
DEPENDENCIES = Annotation("dependencies", "parse (Token.dep_ and head)", "a parser", '["DEP", "HEAD"]', _relations)
CHUNK_TAGS = Annotation(
    "chunks", "phrase (Token._.chunk)", "an mtl_ner with a corpus called chunks", '["CHUNK"]', _chunks, _phrase_names
)
ANNOTATIONS: Tuple[Annotation, ...] = (POS, DEPENDENCIES, CHUNK_TAGS)
