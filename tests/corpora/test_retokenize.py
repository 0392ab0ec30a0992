"""Retokenizing: the same text and the same characters in each entity, under every scheme."""

from pathlib import Path
from typing import Callable, List, Set, Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_mtl_bioner.corpora.align import align_sentences
from spacy_mtl_bioner.corpora.conll import read_conll
from spacy_mtl_bioner.corpora.problems import Problems
from spacy_mtl_bioner.corpora.retokenize import retokenize
from spacy_mtl_bioner.corpora.schemes import SCHEMES, spans_to_tags, tags_to_spans
from spacy_mtl_bioner.errors import MTLError
from spacy_mtl_bioner.pipeline.tokenizer import split_words
from spacy_mtl_bioner.types import Document, Sentence


@pytest.mark.parametrize(
    "scheme, tags, expected",
    [
        ("IOB2", ["B-X", "I-X", "O", "B-X"], ["B-X", "I-X", "I-X", "I-X", "O", "O", "O", "B-X"]),
        ("IOB2", ["B-X", "B-X", "B-Y", "O"], ["B-X", "I-X", "I-X", "B-X", "B-Y", "I-Y", "I-Y", "O"]),
        ("IOBES", ["S-X", "S-X", "O", "S-X"], ["B-X", "I-X", "E-X", "S-X", "O", "O", "O", "S-X"]),
        ("IOBES", ["B-X", "E-X", "S-Y", "O"], ["B-X", "I-X", "I-X", "E-X", "B-Y", "I-Y", "E-Y", "O"]),
        ("IOB1", ["I-X", "B-X", "O", "O"], ["I-X", "I-X", "I-X", "B-X", "O", "O", "O", "O"]),
        (None, ["NN", "NN", "JJ", "."], ["NN", "NN", "NN", "NN", "JJ", "JJ", "JJ", "."]),
    ],
)
def test_tags(scheme: str, tags: List[str], expected: List[str]) -> None:
    sentence = Sentence(["IL-2", "gene", "T-cell", "."], tags, 7, "d", [True, True, False, False])
    done = retokenize(sentence, split_words, scheme)
    assert done.words == ["IL", "-", "2", "gene", "T", "-", "cell", "."]
    assert done.tags == expected
    assert done.spaces == [False, False, True, True, False, False, False, False]
    assert (done.line, done.document) == (7, "d")
    assert retokenize(done, split_words, scheme) == done


@pytest.mark.parametrize("split", [str.lower, lambda word: [], lambda word: ["", word]])
def test_a_splitter_that_changes_words(split: Callable[[str], List[str]]) -> None:
    with pytest.raises(MTLError, match=r"\[MTL113\] line 3: the word 'A b'"):
        retokenize(Sentence(["A b"], ["O"], line=3), split)
    with pytest.raises(MTLError, match=r"\[MTL113\] line 3 of x.tsv: the word 'A b'"):
        retokenize(Sentence(["A b"], ["O"], line=3), split, path=Path("x.tsv"))


def test_white_space_in_a_word_goes_between_its_parts() -> None:
    words, tags = ["10\u00a0mg", "\u00a0", "x \u2009"], ["B-X", "O", "B-Y"]
    done = retokenize(Sentence(words, tags, spaces=[False, False, True]), split_words)
    assert (done.words, done.tags) == (["10", "mg", "\u00a0", "x"], ["B-X", "I-X", "O", "B-Y"])
    assert done.spaces == [True, False, False, True]
    sentence = align_sentences([Sentence(words[:1], tags[:1])], [Document("d", "10\u00a0mg ")])[0]
    done = retokenize(sentence, split_words)
    assert (done.offsets(), done.gaps, done.spaces) == ([0, 3], ["\u00a0", " "], [True, True])


def test_an_aligned_sentence_keeps_its_place() -> None:
    sentence = align_sentences([Sentence(["IL-2", "gene"], ["B-X", "O"])], [Document("d", "IL-2  gene ")])[0]
    done = retokenize(sentence, split_words)
    assert done.offsets() == [0, 2, 3, 6]
    assert done.gaps == ["", "", "  ", " "] and done.spaces == [False, False, True, True]


def characters(words: List[str], tags: List[str], scheme: str) -> Set[Tuple[int, int, str]]:
    """Entities as offsets of the text without white space."""
    ends = [len("".join(words[:i])) for i in range(len(words) + 1)]
    return {(ends[start], ends[end], label) for start, end, label in tags_to_spans(tags, scheme)}


@st.composite
def annotated(draw: st.DrawFn) -> Tuple[List[str], list]:
    words = draw(st.lists(st.text("aB1-./é_", min_size=1, max_size=6), min_size=1, max_size=8))
    cuts = sorted(draw(st.sets(st.integers(0, len(words)), max_size=6)))
    spans = [(a, b, draw(st.sampled_from("XY"))) for a, b in zip(cuts, cuts[1:]) if draw(st.booleans())]
    return words, spans


@given(annotated(), st.sampled_from(sorted(SCHEMES)), st.sampled_from([split_words, list]))
def test_same_text_and_entities(found: tuple, scheme: str, split: Callable[[str], List[str]]) -> None:
    words, spans = found
    before = Sentence(words, spans_to_tags(len(words), spans, scheme))
    after = retokenize(before, split, scheme)
    assert "".join(after.words) == "".join(words)
    assert after.words == [part for word in words for part in split(word)]
    assert characters(after.words, after.tags, scheme) == characters(words, before.tags, scheme)
    assert after.spaces is None


@pytest.mark.parametrize("folder, changes", [("JNLPBA", True), ("NCBI-disease-IOB", False)])
def test_real_corpora(corpora_dir: Path, folder: str, changes: bool) -> None:
    sentences = list(read_conll(corpora_dir / "data" / folder / "test.tsv", "IOB2", Problems("raise")))
    done = [retokenize(sentence, split_words) for sentence in sentences]
    assert all(len(word) == 1 or word.isalnum() for sentence in done for word in sentence.words)
    assert (done != sentences) == changes
    for before, after in zip(sentences, done):
        assert characters(after.words, after.tags, "IOB2") == characters(before.words, before.tags, "IOB2")
