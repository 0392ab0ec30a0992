"""Callbacks of the training config, through the steps that ``spacy train`` takes."""

import numpy as np
import spacy
from spacy.language import DEFAULT_CONFIG
from spacy.training.initialize import init_nlp
from spacy.util import load_config_from_str

from spacy_mtl_bioner.training.callbacks import drop_vectors

SOURCED = """
[paths]
[nlp]
lang = "en"
pipeline = ["mtl_ner"]
[components]
[components.mtl_ner]
source = "{source}"
[corpora]
[corpora.train]
@readers = "spacy_mtl_bioner.MultiCorpus.v1"
[corpora.train.paths]
genes = "{corpus}"
[corpora.dev]
@readers = "spacy_mtl_bioner.MultiCorpus.v1"
[corpora.dev.paths]
genes = "{corpus}"
[training]
[initialize]
[initialize.after_init]
@callbacks = "spacy_mtl_bioner.add_labels.v1"
labels = {{"genes":["Gene"],"diseases":["Disease"]}}
"""


def test_spacy_train_gives_a_sourced_component_a_corpus(tmp_path):
    from spacy.tokens import Doc, DocBin

    trained = spacy.blank("en")
    pipe = trained.add_pipe("mtl_ner")
    pipe.add_label("Disease", corpus="diseases")
    doc = Doc(trained.vocab, words=["cancer", "kills"], ents=["B-Disease", "O"], spaces=[True, False])
    doc._.corpus = "diseases"
    trained.initialize(lambda: [spacy.training.Example(Doc(trained.vocab, words=["cancer", "kills"]), doc)])
    trained.to_disk(tmp_path / "trained")
    gene = Doc(trained.vocab, words=["BRCA1", "mutates"], ents=["B-Gene", "O"], sent_starts=[1, 0])
    gene._.corpus = "genes"
    DocBin(docs=[gene], store_user_data=True).to_disk(tmp_path / "genes.spacy")
    config = SOURCED.format(source=tmp_path / "trained", corpus=tmp_path / "genes.spacy")
    # not filled in by a pipeline, whose config would have no source any more
    nlp = init_nlp(DEFAULT_CONFIG.merge(load_config_from_str(config, interpolate=False)))
    assert nlp.get_pipe("mtl_ner").head_labels == {"diseases": ("Disease",), "genes": ("Gene",)}
    assert set(nlp("cancer and BRCA1").spans) == {"diseases", "genes"}


def test_vectors_leave_the_vocabulary():
    nlp = spacy.blank("en")
    nlp.vocab.reset_vectors(width=2)
    nlp.vocab.set_vector("cancer", np.asarray([1.0, 2.0], dtype="float32"))
    assert drop_vectors(nlp) is nlp
    assert len(nlp.vocab.vectors) == 0 and not nlp("cancer")[0].has_vector
