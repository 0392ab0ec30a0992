"""Gold annotation as the model learns it."""

import pytest
from spacy.lang.en import English
from spacy.tokens import Doc
from spacy.training import Example

from spacy_mtl_bioner.errors import MTLError
from spacy_mtl_bioner.extensions import register
from spacy_mtl_bioner.pipeline.gold import DEFAULT_CORPUS, corpus_of, encode, kind_of, survey
from spacy_mtl_bioner.types import CorpusSpec

register()
VOCAB = English().vocab


def example(words, corpus=None, predicted=None, **annotation) -> Example:
    reference = Doc(VOCAB, words=words, **annotation)
    reference._.corpus = corpus
    return Example(Doc(VOCAB, words=predicted or words), reference)


ENTITY = example(["p53", "binds"], "gene", ents=["B-Protein", "O"])
TAGGED = example(["the", "gene"], "pos", tags=["DT", "NN"])
BARE = example(["no", "gold"], "gene")
EMPTY = Example(Doc(VOCAB), Doc(VOCAB))


HEADS = {
    "gene": CorpusSpec("spans", ("Gene", "Protein")),
    "pos": CorpusSpec("tags", ("DT", "NN", "VB")),
}


def test_kinds():
    found = [kind_of(eg.reference) for eg in (ENTITY, TAGGED, BARE, EMPTY)]
    assert found == ["spans", "tags", "", ""]
    assert kind_of(example(["no", "entity"], ents=["O", "O"]).reference) == "spans"
    assert kind_of(example(["half", "tagged"], tags=["JJ", ""]).reference) == ""
    assert kind_of(example(["both"], tags=["NN"], ents=["O"]).reference) == "spans"


def test_examples_of_no_corpus():
    assert corpus_of(ENTITY) == "gene" and corpus_of(EMPTY) == DEFAULT_CORPUS
    _, specs = survey([example(["p53"], ents=["B-Gene"])], VOCAB)
    assert specs == {DEFAULT_CORPUS: CorpusSpec("spans", ("Gene",))}


def test_survey():
    """One pass, sorted labels, forms of every predicted document, and a head for each corpus."""
    more = example(["p53", "IL-2"], "gene", ents=["B-Protein", "B-DNA"], predicted=["p53", "IL", "-", "2"])
    empty = example([], "pos")
    stream = iter([ENTITY, EMPTY, empty, TAGGED, more, BARE, example(["x"], "nothing", ents=["O"])])
    lexicon, specs = survey(stream, VOCAB)
    assert specs == {
        "gene": CorpusSpec("spans", ("DNA", "Protein")),
        "pos": CorpusSpec("tags", ("DT", "NN")),
        "nothing": CorpusSpec("spans", ()),
    }
    assert lexicon.forms["p53"] == 2 and lexicon.forms["IL"] == 1 and lexicon.forms["IL-2"] == 0
    assert lexicon.vocab is VOCAB and len(lexicon.sample) == 5
    words = {corpus: {VOCAB.strings[word] for word in found} for corpus, found in lexicon.words.items()}
    assert words == {"gene": {"p53", "binds", "il-2"}, "pos": {"the", "gene"}, "nothing": {"x"}}


def test_white_space_is_no_tag_to_learn():
    spaced = example(["the", "\n", "gene"], "pos", tags=["DT", "_SP", "NN"])
    assert survey([spaced], VOCAB)[1] == {"pos": CorpusSpec("tags", ("DT", "NN"))}
    assert encode([spaced], HEADS).spans == [[(0, 1, "DT"), (2, 3, "NN")]]


def test_a_document_without_entities_leaves_a_corpus_of_tags_its_head():
    assert survey([TAGGED, example(["x"], "pos", ents=["O"])], VOCAB)[1] == {"pos": CorpusSpec("tags", ("DT", "NN"))}


def test_a_corpus_without_entities_has_a_head(caplog):
    """It may be that the first of its documents have none; and it is said."""
    assert survey([ENTITY, example(["x"], "empty", ents=["O"])], VOCAB)[1]["empty"] == CorpusSpec("spans", ())
    assert [record.message[:26] for record in caplog.records] == ["[MTL128] corpus 'empty': n"]
    survey([TAGGED, example(["x"], "pos", ents=["O"])], VOCAB)
    assert "'pos': no entity in its 1 documents, so that it gets a head of kind 'tags'" in caplog.records[-1].message


def test_tokens_of_which_nobody_spoke_are_counted(caplog):
    partly = example(["p53", "binds", "x"], "gene", ents=["B-Protein", "O", "O"])
    partly.reference.set_ents([partly.reference.ents[0]], default="missing")
    survey([ENTITY], VOCAB)
    assert "MTL124" not in caplog.text
    survey([ENTITY, partly], VOCAB)
    assert "MTL124" in caplog.text and "'gene': 1 of 2 documents" in caplog.text


def test_documents_that_teach_nothing_are_counted(caplog):
    """One nobody has annotated among those with entities, and one with a word without its tag."""
    bare, gap = example(["p53"], "gene"), example(["the", "cell"], "pos", tags=["DT", "NN"])
    gap.reference[1].tag_ = ""
    survey([ENTITY, TAGGED, example([], "gene")], VOCAB)
    assert not caplog.records
    survey([ENTITY, bare, TAGGED, gap], VOCAB)
    first, second = (record.message for record in caplog.records)
    assert first.startswith("[MTL129] corpus 'gene': 1 of 2 documents have no gold of kind 'spans'")
    assert second.startswith("[MTL129] corpus 'pos': 1 of 2 documents have no gold of kind 'tags'")


def test_the_sample_is_small():
    lexicon, _ = survey((example([f"w{n}"], "gene", ents=["B-Gene"]) for n in range(50)), VOCAB)
    assert len(lexicon.sample) == 10 and len(lexicon.forms) == 50


def test_every_document_is_passed_on():
    gold = encode([BARE, ENTITY, EMPTY, TAGGED], HEADS)
    assert list(gold.docs) == [eg.predicted for eg in (BARE, ENTITY, EMPTY, TAGGED)]
    assert list(gold.corpora) == ["", "gene", "", "pos"]
    assert gold.spans == [[], [(0, 1, "Protein")], [], [(0, 1, "DT"), (1, 2, "NN")]]


@pytest.mark.parametrize("corpus, label, given", [("gene", "Protein", ENTITY), ("pos", "NN", TAGGED)])
def test_every_label_needs_a_head(corpus, label, given):
    others = tuple(other for other in HEADS[corpus].labels if other != label)
    for heads in ({}, {**HEADS, corpus: CorpusSpec(HEADS[corpus].kind, others)}):
        with pytest.raises(MTLError, match=f"MTL122.*{corpus!r}.*{label!r}" if heads else "MTL122"):
            encode([given, BARE], heads)


def test_a_corpus_without_entities_needs_a_head():
    with pytest.raises(MTLError, match="MTL100.*'other'.*gene, pos"):
        encode([example(["none"], "other", ents=["O"])], HEADS)


def test_gold_of_another_kind_is_not_the_corpus_s():
    """A document of a corpus of entities that has only parts of speech says nothing of entities."""
    tagged, both = example(["a"], "gene", tags=["DT"]), example(["the"], "pos", tags=["DT"], ents=["O"])
    _, specs = survey([tagged, ENTITY], VOCAB)
    assert specs == {"gene": CorpusSpec("spans", ("Protein",))}
    gold = encode([tagged, both], HEADS)
    assert list(gold.corpora) == ["", "pos"] and gold.spans == [[], [(0, 1, "DT")]]


@pytest.mark.parametrize("predicted", [None, ["  ", "the", " gene"]])
def test_white_space_needs_no_tag(predicted):
    spaced = example(["  ", "the", " ", "gene"], "pos", predicted, spaces=[False] * 4, tags=["", "DT", "", "NN"])
    if predicted:
        spaced = Example(Doc(VOCAB, words=predicted, spaces=[False] * 3), spaced.reference)
    _, specs = survey([spaced], VOCAB)
    assert specs == {"pos": CorpusSpec("tags", ("DT", "NN"))}
    assert [label for _, _, label in encode([spaced], HEADS).spans[0]] == ["DT", "NN"]


@pytest.mark.parametrize(
    "predicted, expected",
    [
        (["IL-2", "receptor", "gene"], [(0, 2, "Gene")]),
        (["IL", "-", "2", "receptor", "gene"], [(0, 4, "Gene")]),
        (["IL-2", "recep", "tor", "gene"], [(0, 3, "Gene")]),
        (["IL-2receptor", "gene"], [(0, 1, "Gene")]),
        (["IL-2", " ", "receptor", "gene"], [(0, 3, "Gene")]),
        (["IL-2", "receptorgene"], []),
    ],
)
def test_entities_on_other_tokens(predicted, expected):
    """An entity whose end is inside a predicted token cannot be said on these tokens."""
    one = example(["IL-2", "receptor", "gene"], "gene", predicted, ents=["B-Gene", "I-Gene", "O"])
    assert encode([one], HEADS).spans == [expected]


@pytest.mark.parametrize(
    "predicted, expected",
    [
        (["the", "gene", "maps"], ["DT", "NN", "VB"]),
        (["the", "ge", "ne", "maps"], ["DT", "NN", "NN", "VB"]),
        (["the", "genemaps"], ["DT", "VB"]),
        (["the", " ", "gene", "maps"], ["DT", "DT", "NN", "VB"]),
    ],
)
def test_tags_on_other_tokens(predicted, expected):
    one = example(["the", "gene", "maps"], "pos", predicted, tags=["DT", "NN", "VB"])
    assert encode([one], HEADS).spans == [[(i, i + 1, tag) for i, tag in enumerate(expected)]]


def test_entities_within_tokens_are_counted(caplog):
    cut = example(["IL", "-", "2", "acts"], "genes", ["IL-2", "acts"], spaces=[0, 0, 1, 0], ents=["B-G", "O", "O", "O"])
    _, specs = survey([cut], VOCAB)
    assert specs["genes"].labels == ("G",)
    assert "[MTL123]" in caplog.text and "1 of 1" in caplog.text


def test_a_corpus_of_tags_may_say_that_it_has_no_entity():
    both = [example(["the", "gene"], "pos", tags=["DT", "NN"], ents=["O", "O"])]
    assert survey(both, VOCAB)[1] == {"pos": CorpusSpec("tags", ("DT", "NN"))}
    both.append(example(["a", "gene"], "pos", tags=["DT", "NN"], ents=["O", "B-Gene"]))
    assert survey(both, VOCAB)[1] == {"pos": CorpusSpec("spans", ("Gene",))}
