"""A dependent model in a pipeline: tags first, then the entities that read their layer."""

from typing import Any, Dict

import spacy
from spacy.tokens import Doc
from spacy.util import fix_random_seed

from spacy_mtl_bioner.pipeline.scorer import MTL_TAGS
from spacy_mtl_bioner.training.optimizers import Adam
from spacy_mtl_bioner.training.schedules import sequential

from .recognizer import TAGS, component, examples, knows

MODEL: Dict[str, Any] = {
    "@architectures": "spacy_mtl_bioner.MultiTaskNER.v1",
    "embed": {
        "@architectures": "spacy_mtl_bioner.ConcatEmbed.v1",
        "*": {
            "words": {"@architectures": "spacy_mtl_bioner.WordVectors.v1", "width": 12, "min_count": 1},
            "capitals": {"@architectures": "spacy_mtl_bioner.Capitalization.v1"},
        },
    },
    "sharing": {
        "@architectures": "spacy_mtl_bioner.Dependent.v1",
        "auxiliary": "pos",
        "encoder": {"@layers": "spacy_mtl_bioner.WindowCNN.v1", "filters": 8, "hidden": 24},
    },
    "decoder": {
        "@layers": "spacy_mtl_bioner.Softmax.v1",
        "decoding": {"@misc": "spacy_mtl_bioner.BinaryTransitionViterbi.v1"},
    },
}
PARTS = {"dependent", "concat_embed", "word_vectors", "capitalization", "window_cnn", "softmax"}


def test_tags_first_then_entities_then_bytes_and_disk(tmp_path):
    fix_random_seed(0)
    nlp = spacy.blank("en")
    nlp.add_pipe("mtl_ner", config={"model": MODEL})
    data = examples(nlp, ("pos", "gene"))
    nlp.initialize(lambda: data)
    assert {node.name for node in component(nlp).model.walk()} >= PARTS
    assert "char_cnn" not in {node.name for node in component(nlp).model.walk()}  # no part of the default embedding
    schedule, optimizer = sequential(epochs={"pos": 20}), Adam(0.01, use_averages=False)
    for epoch in range(60):
        for corpus in schedule({"gene": 1, "pos": 1}, epoch):
            nlp.update([one for one in data if one.reference._.corpus == corpus], sgd=optimizer)
    nlp.to_disk(tmp_path)
    for loaded in (nlp, spacy.load(tmp_path)):
        assert knows(loaded, ["gene"])
        for text, tags in TAGS:
            doc = Doc(loaded.vocab, words=text.split())
            doc._.corpora = ["pos"]
            doc = component(loaded)(doc)
            assert list(doc.user_data[MTL_TAGS]["pos"]) == tags and not doc.ents
    groups = component(nlp)(Doc(nlp.vocab, words="BRCA1 MDM2 complexes".split())).spans
    assert list(groups) == ["gene"] and len(groups["gene"].attrs["scores"]) == 2
    assert all(0 < score <= 1 for score in groups["gene"].attrs["scores"])
