"""Documents, batches and small models for the tests of the model's parts."""

from typing import Dict, List, Optional, Sequence, Tuple

import numpy as np
import torch
from spacy.tokens import Doc
from spacy.vocab import Vocab
from thinc.api import Model

from spacy_mtl_bioner.layers.torch_layer import run
from spacy_mtl_bioner.models.batch import TokenBatch, Tokens
from spacy_mtl_bioner.models.decoder.crf import CRF
from spacy_mtl_bioner.models.embed.char_cnn import CharCNN
from spacy_mtl_bioner.models.embed.concat import ConcatEmbed
from spacy_mtl_bioner.models.embed.word_vectors import WordVectors
from spacy_mtl_bioner.models.encoder.bilstm import BiLSTM
from spacy_mtl_bioner.models.lexicon import Lexicon
from spacy_mtl_bioner.models.multi_task_ner import Gold, MultiTaskNER
from spacy_mtl_bioner.types import CorpusSpec

CPU = torch.device("cpu")
SPECS = {
    "disease": CorpusSpec("spans", ("Disease",)),
    "gene": CorpusSpec("spans", ("Gene", "Protein")),
    "pos": CorpusSpec("tags", ("DT", "NN", "VB")),
}
SENTENCES = [
    "the BRCA1 gene causes breast cancer",
    "asthma",
    "p53 protein binds MDM2 in the hereditary breast cancer of mice",
    "no change",
]


def doc_of(vocab: Vocab, *sentences: str, marked: bool = True) -> Doc:
    """A document of these sentences, with their boundaries or without any."""
    words = [sentence.split() for sentence in sentences]
    starts = [i == 0 for sentence in words for i in range(len(sentence))]
    return Doc(vocab, words=sum(words, []), sent_starts=starts if marked and starts else None)


def batch_of(docs: Sequence[Doc], order: Optional[Sequence[int]] = None) -> TokenBatch:
    """All sentences of the documents, or those named, as one batch."""
    tokens = Tokens(docs)
    return TokenBatch(tokens, np.arange(len(tokens.starts)) if order is None else np.asarray(order), CPU)


def lexicon_of(*docs: Doc) -> Lexicon:
    lexicon = Lexicon(docs[0].vocab)
    for doc in docs:
        lexicon.add(doc)
    return lexicon


def embedding() -> Model:
    return ConcatEmbed(WordVectors(width=6, min_count=1), CharCNN(width=4, filters=5, min_count=1))


def encoder(**settings) -> Model:
    return BiLSTM(**{"width": 5, "output": 6, "dropout": 0.0, **settings})


def network(sharing, docs: Sequence[Doc], corpora=("disease", "gene", "pos"), seed: int = 0, **settings) -> Model:
    """A whole model of these corpora, with weights."""
    torch.manual_seed(seed)
    model = MultiTaskNER(sharing, CRF(), **{"embed": embedding(), **settings})
    return model.initialize(X=lexicon_of(*docs), Y={name: SPECS[name] for name in corpora})


def gold_of(docs: Sequence[Doc], corpora: Sequence[str]) -> Gold:
    """Gold that follows from a token's place: entities of one to three tokens, or a tag a token."""
    spans: List[List[Tuple[int, int, str]]] = []
    for doc, corpus in zip(docs, corpora):
        labels = SPECS[corpus].labels
        if SPECS[corpus].kind == "tags":
            spans.append([(i, i + 1, labels[i % len(labels)]) for i in range(len(doc))])
        else:
            found = [(i, min(len(doc), i + 1 + i % 3), labels[i % len(labels)]) for i in range(0, len(doc), 4)]
            spans.append(found)
    return Gold(list(docs), list(corpora), spans)


def features_of(sharing: Model, docs: Sequence[Doc], corpora: Sequence[str]) -> Dict[str, torch.Tensor]:
    """What a sharing part gives for all sentences of the documents."""
    return run(sharing, (batch_of(docs), tuple(corpora)), False)


def parameters(layers: Sequence[Model]) -> List[torch.nn.Parameter]:
    """All parameters of these nodes and of those below."""
    return [p for layer in layers for node in layer.walk() for shim in node.shims for p in shim.module.parameters()]
