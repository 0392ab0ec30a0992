"""A training that takes a second: two corpora of a few sentences, a small model, a config as users write it."""

from pathlib import Path
from typing import Any, Dict

import spacy
from spacy.tokens import Doc, DocBin
from thinc.api import Config

from spacy_mtl_bioner.extensions import register

register()

SENTENCES = [
    ("BRCA1 mutations cause breast cancer .", ["O", "O", "O", "B-X", "I-X", "O"]),
    ("Patients with asthma improved .", ["O", "O", "B-X", "O", "O"]),
    ("No change .", ["O", "O", "O"]),
    ("Mice with hereditary cancer and asthma died .", ["O", "O", "B-X", "I-X", "O", "B-X", "O", "O"]),
    ("The p53 gene .", ["O", "B-X", "I-X", "O"]),
]
CORPORA = ("disease", "gene")

CONFIG = """
[paths]
corpora = null
log = null

[system]
seed = 1
gpu_allocator = null

[nlp]
lang = "en"
pipeline = ["mtl_ner"]

[components]

[components.mtl_ner]
factory = "mtl_ner"

[components.mtl_ner.model]
@architectures = "spacy_mtl_bioner.MultiTaskNER.v1"
decoder = {"@layers":"spacy_mtl_bioner.CRF.v1"}

[components.mtl_ner.model.embed]
@architectures = "spacy_mtl_bioner.ConcatEmbed.v1"

[components.mtl_ner.model.embed.*.words]
@architectures = "spacy_mtl_bioner.WordVectors.v1"
width = 8
min_count = 1

[components.mtl_ner.model.embed.*.chars]
@architectures = "spacy_mtl_bioner.CharCNN.v1"
width = 4
filters = 4
min_count = 1

[components.mtl_ner.model.sharing]
@architectures = "spacy_mtl_bioner.CrossSharing.v1"
encoder = {"@layers":"spacy_mtl_bioner.BiLSTM.v1","width":6,"output":6,"dropout":0.3}
gate = {"@layers":"spacy_mtl_bioner.GatedInteraction.v1"}

[corpora]

[corpora.train]
@readers = "spacy_mtl_bioner.MultiCorpus.v1"
paths = {"disease":"${paths.corpora}/disease.spacy","gene":"${paths.corpora}/gene.spacy"}

[corpora.dev]
@readers = "spacy_mtl_bioner.MultiCorpus.v1"
paths = {"disease":"${paths.corpora}/disease.spacy","gene":"${paths.corpora}/gene.spacy"}

[training]
train_corpus = "corpora.train"
dev_corpus = "corpora.dev"
seed = ${system.seed}
gpu_allocator = null
dropout = 0.0
max_epochs = 0
max_steps = 24
eval_frequency = 6
patience = 0

[training.batcher]
@batchers = "spacy_mtl_bioner.CorpusBatches.v1"
inner = {"@batchers":"spacy_mtl_bioner.LengthBuckets.v1","size":2}
schedule = {"@misc":"spacy_mtl_bioner.Proportional.v1"}

[training.logger]
@loggers = "spacy_mtl_bioner.CorpusLogger.v1"
path = ${paths.log}

[training.optimizer]
@optimizers = "spacy_mtl_bioner.Adam.v1"
learn_rate = 0.02
average_decay = 0.9

[training.score_weights]
mtl_macro_f = 1.0
"""


def write_corpora(folder: Path) -> None:
    """A DocBin a corpus, whose entities have the corpus' name as label."""
    folder.mkdir(parents=True, exist_ok=True)
    for corpus in CORPORA:
        found = DocBin(store_user_data=True)
        for sentence, tags in SENTENCES:
            words = sentence.split()
            ents = [tag.replace("X", corpus) for tag in tags]
            doc = Doc(
                spacy.blank("en").vocab, words=words, ents=ents, sent_starts=[True] + [False] * (len(words) - 1)
            )
            doc._.corpus = corpus
            found.add(doc)
        found.to_disk(folder / f"{corpus}.spacy")


def config_of(folder: Path, **training: Any) -> Config:
    """The config with these corpora; ``training`` changes settings of its section."""
    write_corpora(folder)
    overrides: Dict[str, Any] = {"paths.corpora": str(folder)}
    config = Config().from_str(CONFIG, overrides=overrides)
    config["training"].update(training)
    return config
