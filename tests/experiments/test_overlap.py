"""Sentences that training and test sets share."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.tokens import Doc, Span
from spacy.vocab import Vocab
from typer.testing import CliRunner

from spacy_mtl_bioner.cli import app
from spacy_mtl_bioner.corpora.documents import read_docbin, save_docbin, write_docbin
from spacy_mtl_bioner.errors import MTLError
from spacy_mtl_bioner.experiments.overlap import (
    Overlap,
    Sameness,
    Sentences,
    find_sets,
    grams,
    overlaps,
    read_sentences,
    remove,
)
from spacy_mtl_bioner.extensions import chunks_of, set_chunks

TRAIN = {
    "one": [["IL", "-", "2", "is", "made", "by", "T", "cells", "."], ["Results"], ["p53", "binds", "MDM2", "."]],
    "two": [["No", "change", "was", "seen", "in", "mice", "."], ["Results"]],
}
TEST = {
    "one": [["IL-2", "is", "made", "by", "T", "cells", "."], ["RESULTS"], ["Other", "words", "here", "."]],
    "two": [["no", "change", "was", "seen", "in", "mice", "."], ["Results"], ["P53", "binds", "MDM2", "."]],
}


def doc_of(vocab, sentences, corpus, document=None):
    words = [word for sentence in sentences for word in sentence]
    starts = [i == 0 for sentence in sentences for i in range(len(sentence))]
    doc = Doc(vocab, words=words, sent_starts=starts, ents=["B-X", *["O"] * (len(words) - 1)])
    doc._.corpus, doc._.document = corpus, document
    return doc


@pytest.fixture
def folder(tmp_path):
    """Each set as one document of several sentences."""
    for split, sets in (("train", TRAIN), ("test", TEST)):
        for corpus, sentences in sets.items():
            doc = doc_of(Vocab(), sentences, corpus, f"{corpus}-{split}")
            write_docbin([doc], tmp_path / corpus / f"{split}.spacy")
    return tmp_path


def counts(folder, **options):
    found = overlaps(find_sets(folder, "train"), find_sets(folder, "test"), Sameness(**options))
    return {(one.train, one.test): one.shared for one in found}


def test_counts_by_characters_case_and_length(folder):
    assert counts(folder) == {("one", "one"): 1, ("one", "two"): 1, ("two", "one"): 0, ("two", "two"): 1}
    assert counts(folder, min_words=2) == {("one", "one"): 1, ("one", "two"): 0, ("two", "one"): 0, ("two", "two"): 0}
    folded = counts(folder, ignore_case=True)
    assert folded == {("one", "one"): 2, ("one", "two"): 2, ("two", "one"): 1, ("two", "two"): 2}


def test_white_space_is_no_word(tmp_path):
    """As documents with their source's spacing have it."""
    doc = Doc(Vocab(), words=["IL-2", " ", "is", "here", "\n", "."], spaces=[True, False, True, False, False, False])
    write_docbin([doc], tmp_path / "test.spacy")
    assert list(read_sentences(tmp_path / "test.spacy", Vocab())) == [["IL-2", "is", "here", "."]]


def test_examples_and_percent(folder):
    (found,) = overlaps(find_sets(folder, "train", ["one"]), find_sets(folder, "test", ["two"]), Sameness(), 2)
    assert found == Overlap("one", "two", 1, 3, ["Results"]) and found.percent == pytest.approx(100 / 3)
    assert Overlap("a", "b", 0, 0, []).percent == 0


word = st.sampled_from("abcd")
sentence = st.lists(word, min_size=1, max_size=6).map(tuple)


@settings(max_examples=200, deadline=None)
@given(st.lists(sentence, min_size=1, max_size=6), sentence, st.sampled_from([0.3, 0.5, 0.8, 1.0]))
def test_near_duplicates_by_comparing_with_all(known, mine, near):
    def similarity(a, b):
        return len(grams(a) & grams(b)) / len(grams(a) | grams(b))

    expected = any("".join(mine) == "".join(other) or similarity(mine, other) >= near - 1e-9 for other in known)
    assert Sentences(known, Sameness(near=near)).has(mine) == expected


def test_near_duplicates_have_a_word_changed():
    known = Sentences([["a", "long", "enough", "sentence", "about", "breast", "cancer", "."]], Sameness(near=0.3))
    assert known.has(("a", "long", "enough", "sentence", "about", "lung", "cancer", "."))
    assert not known.has(("a", "short", "one", "about", "lung", "cancer", "."))


@pytest.mark.parametrize("near", [0.14, 0.28, 0.56])
def test_near_duplicates_at_the_very_threshold(near):
    """7 of 25, 14 of 50 ...: products of floats are a hair above."""
    count = round(50 * near)
    sizes = [(50 - count) // 2, 50 - count - (50 - count) // 2]
    common = [f"w{i}" for i in range(count + 2)]
    mine, other = ([*common, *(f"{side}{i}" for i in range(size))] for side, size in zip("ab", sizes))
    assert len(grams(tuple(mine)) & grams(tuple(other))) / len(grams(tuple(mine)) | grams(tuple(other))) == near
    assert Sentences([other], Sameness(near=near)).has(tuple(mine))


def those_of(paths, **options):
    vocab = Vocab()
    return Sentences((words for path in paths for words in read_sentences(path, vocab)), Sameness(**options))


def test_removal_leaves_the_rest_as_it_was(folder):
    """A document that loses a sentence becomes the others; one that loses none stays one document."""
    tests = list(find_sets(folder, "test").values())
    target = folder / "clean" / "train.spacy"
    assert remove(folder / "one" / "train.spacy", target, those_of(tests)) == 2
    (doc,) = read_docbin(target, Vocab())
    assert [token.text for token in doc] == ["p53", "binds", "MDM2", "."]
    assert (doc._.corpus, doc._.document, doc.ents) == ("one", "one-train", ())
    for test in tests:
        (found,) = overlaps({"one": target}, {"any": test}, Sameness())
        assert not found.shared
    assert remove(folder / "two" / "train.spacy", target, those_of(tests, min_words=5)) == 0
    (doc,) = read_docbin(target, Vocab())
    assert len(list(doc.sents)) == 2 and [entity.label_ for entity in doc.ents] == ["X"]


def test_removal_takes_what_an_entity_links(tmp_path):
    """A boundary within an entity is no place to cut: the sentence before it goes with the shared one."""
    vocab = Vocab()
    doc = doc_of(vocab, [["due", "to", "E."], ["coli", "alone", "."], ["Other", "words", "."]], "x")
    doc.set_ents([Span(doc, 2, 4, "Species"), Span(doc, 6, 7, "X")])
    write_docbin([doc, Doc(vocab)], tmp_path / "train.spacy")
    write_docbin([doc_of(vocab, [["coli", "alone", "."]], "y")], tmp_path / "test.spacy")
    target = tmp_path / "clean.spacy"
    assert remove(tmp_path / "train.spacy", target, those_of([tmp_path / "test.spacy"])) == 2
    kept, empty = read_docbin(target, vocab)
    assert (kept.text.strip(), [entity.text for entity in kept.ents], len(empty)) == ("Other words .", ["Other"], 0)


def test_removal_keeps_tags(tmp_path):
    vocab = Vocab()
    doc = Doc(vocab, words=["mice", "improved", "."], tags=["NN", "VB", "."], sent_starts=[True, False, False])
    write_docbin([doc], tmp_path / "train.spacy", "tags")
    other = doc_of(vocab, [["nothing", "shared"]], "x")
    write_docbin([other], tmp_path / "test.spacy")
    assert remove(tmp_path / "train.spacy", tmp_path / "out.spacy", those_of([tmp_path / "test.spacy"])) == 0
    (kept,) = read_docbin(tmp_path / "out.spacy", vocab)
    assert [token.tag_ for token in kept] == ["NN", "VB", "."]


def test_removal_keeps_syntax(tmp_path):
    """What ``annotate-syntax`` adds: tags and heads beside gold entities, and phrases."""
    vocab = Vocab()
    doc = doc_of(vocab, [["shared", "words"], ["p53", "binds", "."]], "x", "d")
    for token, tag, head in zip(doc, ["JJ", "NN", "NN", "VB", "."], [1, 1, 3, 3, 3]):
        token.tag_, token.dep_, token.head = tag, "dep", doc[head]
    set_chunks(doc, ["B-NP", "I-NP", "B-NP", "B-VP", "O"])
    save_docbin([doc], ["ENT_IOB", "ENT_TYPE", "SENT_START", "TAG", "DEP", "HEAD"], tmp_path / "train.spacy")
    write_docbin([doc_of(vocab, [["shared", "words"]], "y")], tmp_path / "test.spacy")
    target = tmp_path / "clean" / "train.spacy"
    assert remove(tmp_path / "train.spacy", target, those_of([tmp_path / "test.spacy"])) == 1
    (kept,) = read_docbin(target, vocab)
    assert [(token.text, token.tag_, token.head.i) for token in kept] == [
        ("p53", "NN", 1),
        ("binds", "VB", 1),
        (".", ".", 1),
    ]
    assert list(chunks_of(kept) or []) == ["B-NP", "B-VP", "O"] and kept._.document == "d"
    assert [path.name for path in target.parent.iterdir()] == ["train.spacy"]


def test_missing_corpora(folder):
    with pytest.raises(MTLError, match="MTL340.*three.*one, two"):
        find_sets(folder, "train", ["one", "three"])
    with pytest.raises(MTLError, match="MTL340.*none"):
        find_sets(folder, "devel")


def run(*arguments):
    return CliRunner().invoke(app, ["overlap", *map(str, arguments)])


@pytest.mark.parametrize("suffix", [".csv", ".json"])
def test_command(folder, suffix):
    out = folder / f"table{suffix}"
    (folder / "one" / "report.json").write_text("{}")
    done = run(folder, "--min-words", 2, "--show", 1, "--out", out, "--remove", folder / "clean")
    assert done.exit_code == 0, done.output
    assert "one / one: IL-2 is made by T cells ." in done.output and "33.33" in done.output
    text = out.read_text(encoding="utf8")
    if suffix == ".csv":
        assert text.splitlines()[:2] == ["train,test,shared,sentences,percent", "one,one,1,3,33.3333"]
    else:
        assert [row["shared"] for row in json.loads(text)] == [1, 0, 0, 0]
    assert len(read_docbin(folder / "clean" / "one" / "train.spacy", Vocab())) == 2
    copied = {p.relative_to(folder / "clean").as_posix() for p in (folder / "clean").rglob("*.*")}
    assert copied == {"one/report.json", *(f"{name}/{split}.spacy" for name in TRAIN for split in ("train", "test"))}
    again = overlaps(find_sets(folder / "clean", "train"), find_sets(folder, "test"), Sameness(min_words=2))
    assert not any(one.shared for one in again)


def test_command_without_overlap_and_with_wrong_options(folder):
    assert "no sentence of 2 test sets" in run(folder, "--train", "two").output
    for options in (["--near", 1.5], ["--out", "table.txt"], ["--remove", folder]):
        done = run(folder, *options)
        assert done.exit_code == 1 and "MTL341" in done.output
