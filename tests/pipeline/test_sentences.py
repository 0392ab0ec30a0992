"""The sentence splitter: rules, hostile text, known starts, and the sentences of real corpora."""

import time
from pathlib import Path
from typing import List

import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from spacy.language import Language
from spacy.tokens import Doc
from spacy.vocab import Vocab

from spacy_mtl_bioner.corpora.align import align_sentences
from spacy_mtl_bioner.corpora.conll import read_conll
from spacy_mtl_bioner.corpora.problems import Problems
from spacy_mtl_bioner.corpora.pubtator import read_pubtator
from spacy_mtl_bioner.pipeline.sentences import SentenceSplitter, sentence_starts
from spacy_mtl_bioner.pipeline.tokenizer import BioTokenizer


def split(text: str) -> List[str]:
    starts = sentence_starts(text)
    return [text[a:b].strip() for a, b in zip(starts, starts[1:] + [len(text)])]


@pytest.mark.parametrize(
    "text",
    [
        "P was < 0.05 in E. coli and S. aureus.",
        "As shown by Smith et al. [12] and in Fig. 3, cf. Table 2.",
        "Given 5 mg i.v. 10 times vs. Placebo.",
        "Seen with, e.g. Aspirin, i.e. Drugs; none died.",
        "Cells (ATCC No. 5. Rockville, U.S.A. Virginia) grew.",
        "Described by Dr. W. Kniest in 1952.",
        "In approx. 15 of no. 16 cases (mean 3. 5).",
        "The U.S. National Institutes of Health",
        "one. two",
        "pH 7.4.Buffer",
    ],
)
def test_stays_whole(text: str) -> None:
    assert split(text) == [text]


@pytest.mark.parametrize(
    "parts",
    [
        ["Mutations in APC.", "We studied 5 families."],
        ["Is it active?", "No!", "It is not."],
        ["Patients had hepatitis B.", "The rest had none."],
        ["He said so (in 1998).", "The next did not."],
        ["(This stands in brackets.)", "Next."],
        ["It was given i.v.", "Rats survived."],
        ["From Orange County, CA.", "These are cases."],
        ["Protein was lost.", "mRNA was not.", "p53 was."],
        ["It rose to 5%.", "17 patients fell."],
        ["An unclosed (bracket is a slip.", "The next (one) is not."],
        ["A heading", "And a paragraph"],
        ['He wrote "this."', '"That" he did not.'],
    ],
)
def test_splits(parts: List[str]) -> None:
    joint = "\n\n" if parts[0] == "A heading" else " "
    assert split(joint.join(parts)) == parts


@given(st.text(st.one_of(st.sampled_from("aA1.?() [\n\"E"), st.characters())))
def test_starts_are_sorted_offsets_before_visible_characters(text: str) -> None:
    starts = sentence_starts(text)
    assert starts[0] == 0 and starts == sorted(set(starts))
    assert all(not text[start].isspace() and text[start - 1].isspace() for start in starts[1:])


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "unit",
    ["(", "(]", "()", ". ", "A. ", ".)", ".)\n", "\n", "\n ", "a", " ", '."', "([", "(a. A)", "i.v. ", "a.b.", "[.] A"],
)
def test_hostile_text_takes_linear_time(unit: str) -> None:
    text = unit * (50_000 // len(unit))
    assert _seconds(text * 4) < 10 * _seconds(text) + 0.1  # quadratic time takes 16 times as long


def _seconds(text: str) -> float:
    start = time.process_time()
    sentence_starts(text)
    return time.process_time() - start


@pytest.fixture()
def nlp() -> Language:
    nlp = spacy.blank("en", config={"nlp": {"tokenizer": {"@tokenizers": "spacy_mtl_bioner.BioTokenizer.v1"}}})
    nlp.add_pipe("mtl_sentences")
    return nlp


def test_component(nlp: Language, tmp_path: Path) -> None:
    text = "Mutations in APC.  We studied  (in E. coli) 5 families. \n"
    doc = nlp(text)
    assert [sent.text for sent in doc.sents] == ["Mutations in APC.  ", "We studied  (in E. coli) 5 families. \n"]
    assert len(nlp("")) == 0 and [len(d) for d in nlp.pipe(["", " ", "a"])] == [0, 1, 1]
    nlp.to_disk(tmp_path / "model")
    again = spacy.load(tmp_path / "model")(text)
    assert [sent.start for sent in again.sents] == [sent.start for sent in doc.sents]


@pytest.mark.parametrize("overwrite, expected", [(False, [0, 4]), (True, [0, 2])])
def test_known_starts(overwrite: bool, expected: List[int]) -> None:
    words, spaces = ["One", ".", "Two", "and", "three"], [False, True, True, True, False]
    doc = Doc(Vocab(), words=words, spaces=spaces, sent_starts=[None, None, False, None, True])
    doc = SentenceSplitter(overwrite=overwrite)(doc)
    assert [token.i for token in doc if token.is_sent_start] == expected
    assert doc.has_annotation("SENT_START", require_complete=True)


def test_scores(nlp: Language) -> None:
    doc = nlp("One. Two.")
    reference = doc.copy()
    reference[2].is_sent_start = False
    scores = nlp.evaluate([spacy.training.Example(nlp.make_doc(doc.text), reference)])
    assert scores["sents_r"] == 0.0 and scores["sents_f"] == 0.0


@pytest.mark.parametrize(
    "folder, part, texts_file",
    [("NCBI-disease-IOB", "test", "NCBIdisease_Test"), ("BC5CDR-IOB", "test", "BC5CDR_Test")],
)
def test_gives_the_sentences_of_real_corpora(corpora_dir: Path, folder: str, part: str, texts_file: str) -> None:
    problems = Problems("raise")
    documents = list(read_pubtator(corpora_dir / "pubtator" / f"{texts_file}.PubTator", problems))
    sentences = list(read_conll(corpora_dir / "data" / folder / f"{part}.tsv", "IOB2", problems))
    gold = {(s.document, s.start) for s in align_sentences(sentences, documents)}
    tokenizer, splitter, found = BioTokenizer(Vocab()), SentenceSplitter(), set()
    for document in documents:
        doc = splitter(tokenizer(document.text))
        found |= {(document.id, token.idx) for token in doc if token.is_sent_start}
    assert len(gold & found) / len(found) >= 0.98
    assert len(gold & found) / len(gold) >= 0.98
