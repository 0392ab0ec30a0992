"""Alignment: what a CoNLL file lost comes back, exactly, or the first sentence that fits nowhere is named."""

import time
from itertools import permutations
from pathlib import Path
from typing import List, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spacy.lang.en import English

from spacy_mtl_bioner.corpora.align import AlignedSentence, align_sentences
from spacy_mtl_bioner.corpora.conll import read_conll
from spacy_mtl_bioner.corpora.documents import sentences_to_docs
from spacy_mtl_bioner.corpora.problems import Problems
from spacy_mtl_bioner.corpora.pubtator import read_pubtator
from spacy_mtl_bioner.errors import MTLError
from spacy_mtl_bioner.types import Document, Sentence

A = Document("a", "IL-2 binds.  It  does.")
B = Document("b", " Wilson disease (WD) .\nIs it?")


def sentences(*texts: str) -> List[Sentence]:
    lines = range(1, 100, 10)
    return [Sentence(text.split(), ["O"] * len(text.split()), line) for line, text in zip(lines, texts)]


A1, A2, B1, B2 = "IL - 2 binds .", "It does .", "Wilson disease ( WD ) .", "Is it ?"


def rebuilt(placed: Sequence[AlignedSentence]) -> str:
    pieces = (word + gap for sentence in placed for word, gap in zip(sentence.words, sentence.gaps))
    return "".join(sentence.lead for sentence in placed) + "".join(pieces)


def test_places_documents_in_any_order() -> None:
    placed = align_sentences(sentences(B1, B2, A1, A2), [A, Document("c", "Unused."), B])
    assert [sentence.document for sentence in placed] == ["b", "b", "a", "a"]
    assert [sentence.line for sentence in placed] == [1, 11, 21, 31]
    assert rebuilt(placed[:2]) == B.text and rebuilt(placed[2:]) == A.text
    assert placed[2].offsets() == [0, 2, 3, 5, 10] and placed[3].offsets() == [13, 17, 21]
    assert placed[2].spaces == [False, False, True, False, True]
    assert placed[3].gaps == ["  ", "", ""]


def test_the_longest_document_wins_and_then_the_one_not_yet_taken() -> None:
    longer, again = Document("long", A.text + " Is it?"), Document("twin", A.text)
    placed = align_sentences(sentences(A1, A2, B2, A1, A2, A1, A2), [A, longer, again])
    assert [sentence.document for sentence in placed] == ["long"] * 3 + ["a"] * 2 + ["twin"] * 2


def test_a_text_may_stand_more_often_than_its_document() -> None:
    assert [s.document for s in align_sentences(sentences(A1, A2, A1, A2), [A])] == ["a"] * 4


@pytest.mark.parametrize(
    "texts, code, line, told",
    [
        ((A1, A2, "Not there ."), "MTL111", 21, "no document begins so"),
        ((A1, "It did .", B1), "MTL111", 11, "(a agrees up to there)"),
        ((A1, B1, B2), "MTL111", 11, "(a agrees up to there)"),
        ((B1, B2, A1), "MTL112", 21, "document a"),
        ((A1, "It does . Wilson", "disease"), "MTL111", 11, "'It does . Wilson'"),
    ],
)
def test_names_the_first_sentence_without_a_place(texts: Sequence[str], code: str, line: int, told: str) -> None:
    with pytest.raises(MTLError, match=rf"\[{code}\] x.tsv:{line}: ") as caught:
        align_sentences(sentences(*texts), [A, B], path="x.tsv")
    assert told in str(caught.value)


def test_a_word_is_a_stretch_of_the_text() -> None:
    with pytest.raises(MTLError, match=r"\[MTL114\] x.tsv:1: document d has .* 'T-cell', at character 2"):
        align_sentences(sentences("A T-cell"), [Document("d", "A T -cell")], "x.tsv")


@pytest.mark.parametrize("differs", [True, False])
def test_documents_that_begin_alike_are_found_in_no_time(differs: bool) -> None:
    head = "This is a fixed heading of each of the abstracts, version"
    texts = [f"{head} {i if differs else ''} ." for i in range(20_000)]
    documents = [Document(str(i), text) for i, text in enumerate(texts)]
    flat = [Sentence(text.split(), ["O"] * len(text.split())) for text in texts]
    start = time.process_time()
    assert [s.document for s in align_sentences(flat, documents)] == [document.id for document in documents]
    assert time.process_time() - start < 10  # minutes, where each is compared with each


def test_nothing_to_align() -> None:
    assert align_sentences([], [A]) == []


words = st.text("ab-.", min_size=1, max_size=3)
gaps = st.sampled_from(["", " ", "  ", "\n", " \n", "\t"])
documents_ = st.lists(st.lists(st.tuples(words, gaps), min_size=1, max_size=4), min_size=1, max_size=3)


@given(st.lists(documents_, max_size=4), gaps)
def test_restores_any_text(corpus: list, lead: str) -> None:
    texts = [lead + "".join(w + g for sentence in document for w, g in sentence) for document in corpus]
    documents = [Document(str(i), text) for i, text in enumerate(texts)]
    flat = [Sentence([w for w, _ in sentence], ["O"] * len(sentence)) for document in corpus for sentence in document]
    try:
        placed = align_sentences(flat, documents[::-1])
    except MTLError as error:  # another document of the same characters has its white space elsewhere, or is longer
        bare = ["".join(text.split()) for text in texts]
        assert any(one.startswith(other) for one, other in permutations(bare, 2)) and "[MTL11" in str(error)
        return
    assert [s.words for s in placed] == [s.words for s in flat]
    for sentence in placed:
        text = texts[int(sentence.document)]
        assert [text[at : at + len(word)] for at, word in zip(sentence.offsets(), sentence.words)] == sentence.words


@given(documents_)
def test_docs_of_aligned_sentences_have_the_text(document: list) -> None:
    text = "".join(word + gap for sentence in document for word, gap in sentence)
    flat = [Sentence([w for w, _ in sentence], ["B-X"] + ["I-X"] * (len(sentence) - 1)) for sentence in document]
    (doc,) = sentences_to_docs(align_sentences(flat, [Document("d", text)]), English().vocab, "c", "IOB2")
    assert doc.text == text
    assert [[t.text for t in ent if not t.is_space] for ent in doc.ents] == [sentence.words for sentence in flat]
    assert not any(ent[0].is_space or ent[-1].is_space for ent in doc.ents)


@pytest.mark.parametrize(
    "folder, split, texts, n_documents",
    [
        ("NCBI-disease-IOB", "train", "NCBIdisease_TrainDev", 592),
        ("NCBI-disease-IOB", "devel", "NCBIdisease_TrainDev", 100),
        ("NCBI-disease-IOB", "test", "NCBIdisease_Test", 100),
        ("BC5CDR-IOB", "test", "BC5CDR_Test", 500),
    ],
)
def test_real_corpora(corpora_dir: Path, folder: str, split: str, texts: str, n_documents: int) -> None:
    documents = list(read_pubtator(corpora_dir / "pubtator" / f"{texts}.PubTator", Problems("raise")))
    source = list(read_conll(corpora_dir / "data" / folder / f"{split}.tsv", "IOB2", Problems("raise")))
    start = time.process_time()
    placed = align_sentences(source, documents)
    assert time.process_time() - start < 10
    text = {document.id: document.text for document in documents}
    by_document: dict = {}
    for sentence in placed:
        by_document.setdefault(sentence.document, []).append(sentence)
    assert len(by_document) == n_documents
    assert all(rebuilt(group) == text[name] for name, group in by_document.items())
    assert [(s.words, s.tags, s.line) for s in placed] == [(s.words, s.tags, s.line) for s in source]
