"""The tokenizer: the words of the corpora, the text unchanged, whatever the text."""

import logging
import pickle
import time
import unicodedata
from pathlib import Path

import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from spacy.language import Language
from spacy.tokenizer import Tokenizer
from spacy.tokens import Doc
from spacy.util import registry
from spacy.vocab import Vocab

from spacy_mtl_bioner.corpora.align import align_sentences
from spacy_mtl_bioner.corpora.conll import read_conll
from spacy_mtl_bioner.corpora.problems import Problems
from spacy_mtl_bioner.corpora.pubtator import read_pubtator
from spacy_mtl_bioner.pipeline.tokenizer import BioTokenizer, split_text, split_words

REAL = [
    ("NCBI-disease-IOB", "train", "NCBIdisease_TrainDev"),
    ("NCBI-disease-IOB", "devel", "NCBIdisease_TrainDev"),
    ("NCBI-disease-IOB", "test", "NCBIdisease_Test"),
    ("BC5CDR-IOB", "test", "BC5CDR_Test"),
]
OURS, STOCK = BioTokenizer(Vocab()), Tokenizer(Vocab())  # the stock one as it is without a language: at white space
common = st.sampled_from("ab1 -._\t\n\u0301\u00b2\u2082\xa0é")
texts = st.text(st.one_of(common, st.characters(exclude_categories=["Cs"])))


@pytest.fixture()
def tokenizer() -> BioTokenizer:
    return BioTokenizer(Vocab())


@pytest.fixture()
def nlp() -> Language:
    block = {"nlp": {"tokenizer": {"@tokenizers": "spacy_mtl_bioner.BioTokenizer.v1"}}}
    return spacy.blank("en", config=block)


@pytest.mark.parametrize(
    "text, words",
    [
        ("IL-2/p53 (T-cell)", ["IL", "-", "2", "/", "p53", "(", "T", "-", "cell", ")"]),
        ("0.05%, i.e.", ["0", ".", "05", "%", ",", "i", ".", "e", "."]),
        ("don't snake_case", ["don", "'", "t", "snake", "_", "case"]),
        ("TGF-β1 naïve", ["TGF", "-", "β1", "naïve"]),
        ("Ca²⁺ CO₂", ["Ca²", "⁺", "CO₂"]),
        ("nai\u0308ve", ["nai\u0308ve"]),
        ("\u0308 -\u0308", ["\u0308", "-", "\u0308"]),
        ("x\x00y", ["x", "\x00", "y"]),
        ("", []),
    ],
)
def test_words(tokenizer: BioTokenizer, text: str, words: list) -> None:
    assert split_words(text) == words
    assert [token.text for token in tokenizer(text)] == words or "  " in text


@given(texts)
def test_text_is_kept_and_words_are_what_python_calls_alphanumeric(text: str) -> None:
    words, spaces = split_text(text)
    assert "".join(word + " " * space for word, space in zip(words, spaces)) == text
    assert [word for word in words if not word.isspace()] == split_words(text)
    for word in split_words(text):
        bare = [char for char in word if char.isalnum() or not unicodedata.category(char).startswith("M")]
        assert len(word) == 1 or all(char.isalnum() for char in bare)


@given(texts)
def test_doc_keeps_text_and_white_space_is_as_in_the_stock_tokenizer(text: str) -> None:
    doc, stock = OURS(text), STOCK(text)
    assert doc.text == text
    white = [(token.idx, token.text, token.whitespace_) for token in doc if token.text.isspace()]
    assert white == [(token.idx, token.text, token.whitespace_) for token in stock if token.text.isspace()]


def test_half_surrogates_are_replaced_and_said(tokenizer: BioTokenizer, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "spacy_mtl_bioner"):
        doc = tokenizer("p53 \ud83d and\udfff mRNA")
    assert doc.text == "p53 \ufffd and\ufffd mRNA"
    assert "[MTL110] 2 half" in caplog.text


def _seconds(tokenizer: BioTokenizer, text: str) -> float:
    return min(_once(tokenizer, text) for _ in range(3))


def _once(tokenizer: BioTokenizer, text: str) -> float:
    start = time.process_time()
    assert tokenizer(text).text == text
    return time.process_time() - start


@pytest.mark.timeout(60)
@pytest.mark.parametrize("unit", ["a:", "a", " ", "\n", "a\u0301", "\u0301", ".", "( ", "\x00", "http://a.b/c?d=e&"])
def test_hostile_text_takes_linear_time(tokenizer: BioTokenizer, unit: str) -> None:
    text = unit * (25_000 // len(unit))
    _once(tokenizer, text)
    assert _seconds(tokenizer, text * 4) < 10 * _seconds(tokenizer, text) + 0.05  # quadratic: 16 times


def test_a_long_token_leaves_its_neighbors_alone(tokenizer: BioTokenizer) -> None:
    doc = tokenizer("p53 " + "A" * 50_000 + " binds DNA.")
    assert [token.text for token in doc if len(token) < 9] == ["p53", "binds", "DNA", "."]


def test_in_a_pipeline_and_back(nlp: Language, tmp_path: Path) -> None:
    text = "IL-2  binds\nits receptor. "
    expected = [token.text for token in nlp(text)]
    assert expected[:5] == ["IL", "-", "2", " ", "binds"]
    nlp.to_disk(tmp_path / "model")
    for again in (spacy.load(tmp_path / "model"), type(nlp).from_config(nlp.config).from_bytes(nlp.to_bytes())):
        assert isinstance(again.tokenizer, BioTokenizer)
        assert [token.text for token in again(text)] == expected
    copied = pickle.loads(pickle.dumps(nlp.tokenizer))
    assert [token.text for token in copied(text)] == expected
    assert [len(doc) for doc in nlp.tokenizer.pipe([text, "a-b"])] == [len(expected), 3]


def test_is_registered() -> None:
    made = registry.tokenizers.get("spacy_mtl_bioner.BioTokenizer.v1")()(spacy.blank("en"))
    assert isinstance(made("a"), Doc)


@pytest.mark.parametrize("folder, split, texts_file", REAL)
def test_gives_the_gold_tokens_of_real_corpora(corpora_dir: Path, folder: str, split: str, texts_file: str) -> None:
    problems = Problems("raise")
    documents = list(read_pubtator(corpora_dir / "pubtator" / f"{texts_file}.PubTator", problems))
    sentences = list(read_conll(corpora_dir / "data" / folder / f"{split}.tsv", "IOB2", problems))
    gold: dict = {}
    for sentence in align_sentences(sentences, documents):
        gold.setdefault(sentence.document, set()).update(zip(sentence.offsets(), sentence.words))
    tokenizer, text = BioTokenizer(Vocab()), {document.id: document.text for document in documents}
    assert gold
    for name, words in gold.items():
        assert {(token.idx, token.text) for token in tokenizer(text[name]) if not token.text.isspace()} == words
