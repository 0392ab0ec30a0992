"""The component with a syntax part: through config, training, growth and storage."""

from copy import deepcopy
from typing import Any, Dict

import pytest
import spacy
from spacy.tokens import Doc, Token
from spacy.training import Example

from spacy_mtl_bioner.errors import MTLError
from spacy_mtl_bioner.extensions import MTL_TAGS, chunks_of, set_chunks
from spacy_mtl_bioner.pipeline.scorer import mtl_score

from .recognizer import MODEL, component, learn, spans_of, tag_example

PARTS = ("CombinedFeatureAttention", "TwoWayAttention", "KeyValueMemory")
SOURCES = ("PosFeatures", "ConstituentFeatures", "DependencyFeatures")


def pipeline(part: str = PARTS[0], source: str = SOURCES[2]):
    """What only syntax can tell: all words are unknown, so that nothing but the features differs."""
    model: Dict[str, Any] = deepcopy(MODEL)
    model["embed"]["*"]["words"]["min_count"] = model["embed"]["*"]["chars"]["min_count"] = 1000
    features = {"@architectures": f"spacy_mtl_bioner.{source}.v1"}
    model["syntax"] = {"@architectures": f"spacy_mtl_bioner.{part}.v1", "features": features}
    nlp = spacy.blank("en")
    nlp.add_pipe("mtl_ner", config={"model": model})
    return nlp


def annotated(vocab, entity: int) -> Doc:
    """Four words of which one differs from the others in nothing but its syntax."""
    tags, deps, chunks = ["A"] * 4, ["d"] * 4, ["O"] * 4
    tags[entity], deps[entity], chunks[entity] = "B", "e", "B-NP"
    heads = [3 if entity == 0 else 0] * 4
    doc = Doc(vocab, words=["w"] * 4, tags=tags, deps=deps, heads=heads)
    set_chunks(doc, chunks)
    return doc


def examples(nlp):
    found = []
    for entity in range(4):
        reference = Doc(nlp.vocab, words=["w"] * 4, ents=["B-X" if i == entity else "O" for i in range(4)])
        reference._.corpus = "x"
        found.append(Example(annotated(nlp.vocab, entity), reference))
    return found


@pytest.mark.parametrize(
    "part, source", [(part, SOURCES[2]) for part in PARTS] + [(PARTS[0], source) for source in SOURCES[:2]]
)
def test_it_learns_what_only_syntax_tells(part: str, source: str):
    spacy.util.fix_random_seed(0)
    nlp = pipeline(part, source)
    data = examples(nlp)
    nlp.initialize(lambda: data)
    learn(nlp, data, 50, rate=0.02)
    again = pipeline(part, source).from_bytes(nlp.to_bytes())
    for pipe in (nlp, again):
        for entity in range(4):
            assert spans_of(component(pipe)(annotated(pipe.vocab, entity))) == {"x": [(entity, entity + 1, "X")]}


def test_a_label_added_by_hand_keeps_the_syntax_part():
    nlp = pipeline()
    data = examples(nlp)
    nlp.initialize(lambda: data)
    component(nlp).add_label("Y", corpus="y")
    doc = component(nlp)(annotated(nlp.vocab, 1))
    assert set(doc.spans) == {"x", "y"}


def test_a_document_without_syntax_is_named_and_its_neighbors_are_tagged():
    nlp = pipeline()
    data = examples(nlp)
    nlp.initialize(lambda: data)
    bare = Doc(nlp.vocab, words=["bare", "words"])
    with pytest.raises(MTLError, match="MTL450.*bare words.*a parser"):
        nlp(bare)
    failed = []
    nlp.set_error_handler(lambda name, pipe, docs, error: failed.extend(docs))
    docs = [annotated(nlp.vocab, 0), bare, annotated(nlp.vocab, 2)]
    assert list(component(nlp).pipe(docs)) == [docs[0], docs[2]] and failed == [bare]


# Phrases as an annotation of tokens -------------------------------------------------------------


def test_a_head_called_chunks_sets_the_phrase_of_each_token():
    nlp = spacy.blank("en")
    nlp.add_pipe("mtl_ner", config={"model": MODEL, "corpora": ["chunks"]})
    data = [tag_example(nlp.vocab, "the protein binds MDM2", ["B-NP", "I-NP", "B-VP", "B-NP"], "chunks")]
    nlp.initialize(lambda: data)
    learn(nlp, data, 30)
    doc = Doc(nlp.vocab, words="the protein binds MDM2".split(), ents=["O", "O", "O", "B-Gene"])
    doc.user_data[MTL_TAGS] = {"pos": ["DT", "NN", "VB", "NN"]}
    component(nlp)(doc)
    assert [token._.chunk for token in doc] == ["B-NP", "I-NP", "B-VP", "B-NP"]
    assert doc.user_data[MTL_TAGS]["pos"] == ["DT", "NN", "VB", "NN"]
    assert [entity.label_ for entity in doc.ents] == ["Gene"], "a head of tags alone touches no entity"
    assert mtl_score([Example(doc, data[0].reference)])["mtl_chunks_acc"] == 1.0
    doc.user_data.pop(MTL_TAGS)
    doc._.corpora = ["disease"]  # which speaks to the recognizer behind it
    assert chunks_of(component(nlp)(doc)) == ["B-NP", "I-NP", "B-VP", "B-NP"]


def test_phrases_set_by_hand():
    doc = Doc(spacy.blank("en").vocab, words=["a", "b"])
    assert Token.has_extension("chunk") and doc[0]._.chunk == "" and chunks_of(doc) is None
    doc[1]._.chunk = "B-NP"
    assert [token._.chunk for token in doc] == ["", "B-NP"]
    doc[0]._.chunk = "O"
    assert chunks_of(doc) == ["O", "B-NP"]


def test_phrases_of_another_length_are_none():
    """As in a Doc made from a slice, to which user data were copied as they are."""
    doc = Doc(spacy.blank("en").vocab, words=["a", "b", "c"])
    set_chunks(doc, ["O", "O", "B-NP"])
    assert chunks_of(doc[1:].as_doc(copy_user_data=True)) is None
