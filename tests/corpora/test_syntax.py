"""Syntax computed beforehand: what a pipeline says goes in, and nothing else changes."""

import numpy as np
import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from spacy.language import Language
from spacy.tokens import Doc, DocBin
from typer.testing import CliRunner

from spacy_mtl_bioner.cli import app
from spacy_mtl_bioner.corpora.documents import read_docbin
from spacy_mtl_bioner.corpora.syntax import annotate_file, within_sentences
from spacy_mtl_bioner.errors import MTLError
from spacy_mtl_bioner.extensions import chunks_of, set_chunks

WORDS = ["Aspirin", "helps", ".", "TP53", "-", "null", "mice"]


@Language.component("test_upper_tagger")
def tagger(doc: Doc) -> Doc:
    for token in doc:
        token.tag_, token.pos_ = token.text.upper()[:3], "X"
    return doc


@Language.component("test_chain_parser")
def parser(doc: Doc) -> Doc:
    """Each word hangs from the one before it, over all borders of sentences."""
    for token in doc:
        token.dep_ = "next" if token.i else "ROOT"
        token.head = doc[max(token.i - 1, 0)]
    return doc


@Language.component("test_chunker")
def chunker(doc: Doc) -> Doc:
    set_chunks(doc, [f"B-{token.text[0]}" for token in doc])
    return doc


@Language.component("test_recognizer")
def recognizer(doc: Doc) -> Doc:
    assert not doc.ents, "gold reaches no pipeline"
    doc.ents = [spacy.tokens.Span(doc, 0, 1, "Wrong")] if len(doc) else []
    return doc


def pipeline(*names: str) -> Language:
    nlp = spacy.blank("en")
    for name in names:
        nlp.add_pipe(name)
    return nlp


def corpus(path, **changes):
    vocab = spacy.blank("en").vocab
    values = {"ents": ["B-Chemical", "O", "O", "B-Gene", "I-Gene", "O", "O"], "sent_starts": [1, 0, 0, 1, 0, 0, 0]}
    doc = Doc(vocab, words=WORDS, spaces=[True, False, True, False, False, True, False], **{**values, **changes})
    doc._.corpus, doc._.document = "A", "PMID1"
    bare = Doc(vocab, words=["no", "borders"], ents=["O", "O"])
    path.parent.mkdir(parents=True, exist_ok=True)
    attrs = ["ORTH", "SPACY", "SENT_START", *(["TAG"] if "tags" in changes else ["ENT_IOB", "ENT_TYPE"])]
    DocBin(attrs=attrs, docs=[doc, bare, Doc(vocab)], store_user_data=True).to_disk(path)
    return path


def test_what_pipelines_say_goes_in_and_the_rest_stays(tmp_path):
    source = corpus(tmp_path / "a" / "train.spacy")
    told = []
    pipelines = [pipeline("test_upper_tagger", "test_chain_parser", "test_recognizer"), pipeline("test_chunker")]
    assert annotate_file(source, tmp_path / "b" / "train.spacy", pipelines, told.append) == 3 and sum(told) == 6
    vocab = spacy.blank("en").vocab
    before, after = read_docbin(source, vocab), read_docbin(tmp_path / "b" / "train.spacy", vocab)
    for old, new in zip(before, after):
        assert (new.text, new._.corpus, new._.document) == (old.text, old._.corpus, old._.document)
        assert [(e.start, e.end, e.label_) for e in new.ents] == [(e.start, e.end, e.label_) for e in old.ents]
        assert [t.tag_ for t in new] == [t.text.upper()[:3] for t in old]
        assert list(chunks_of(new) or []) == [f"B-{t.text[0]}" for t in old]
    assert [bool(t.is_sent_start) for t in after[0]] == [bool(t.is_sent_start) for t in before[0]]
    assert [t.head.i for t in after[0]] == [0, 0, 1, 3, 3, 4, 5]
    assert [t.dep_ for t in after[0]][:4] == ["ROOT", "next", "next", "next"]
    assert not list((tmp_path / "b").glob("*.part"))


def test_gold_tags_are_not_replaced(tmp_path):
    source = corpus(tmp_path / "train.spacy", tags=["X"] * 7, ents=None)
    with pytest.raises(MTLError, match="MTL453.*train.spacy.*test_upper_tagger"):
        annotate_file(source, tmp_path / "out.spacy", [pipeline("test_upper_tagger")])
    assert not (tmp_path / "out.spacy").exists()
    annotate_file(source, tmp_path / "out.spacy", [pipeline("test_chunker")])
    (doc, *_) = read_docbin(tmp_path / "out.spacy", spacy.blank("en").vocab)
    assert [token.tag_ for token in doc] == ["X"] * 7 and doc[0]._.chunk == "B-A"


def test_a_pipeline_that_says_nothing(tmp_path):
    with pytest.raises(MTLError, match="MTL454.*test_recognizer"):
        annotate_file(corpus(tmp_path / "train.spacy"), tmp_path / "out.spacy", [pipeline("test_recognizer")])


@given(st.data())
def test_each_sentence_gets_one_root(data):
    """Whatever a parser says: the Doc keeps its sentences, and every head is in its own one."""
    lengths = data.draw(st.lists(st.integers(1, 5), min_size=1, max_size=4))
    size = sum(lengths)
    heads = [data.draw(st.integers(0, i)) for i in range(size)]
    sentence_of = np.repeat(np.arange(len(lengths)), lengths)
    parse = np.asarray([[7, head - i] for i, head in enumerate(heads)]).astype("uint64")
    within_sentences(parse, sentence_of, 9)
    found = np.arange(size) + parse[:, 1].astype("int64")
    assert (sentence_of[found] == sentence_of).all()
    assert [int((found == np.arange(size))[sentence_of == i].sum()) for i in range(len(lengths))] == [1] * len(lengths)
    kept = np.flatnonzero((sentence_of[heads] == sentence_of) & (np.asarray(heads) != np.arange(size)))
    assert (found[kept] == np.asarray(heads)[kept]).all() and (parse[kept, 0] == 7).all()


def test_command(tmp_path):
    for name in ("a", "b"):
        corpus(tmp_path / "corpus" / name / "train.spacy")
        (tmp_path / "corpus" / name / "report.json").write_text(name)
    pipeline("test_upper_tagger").to_disk(tmp_path / "tagger")
    paths = [str(tmp_path / name) for name in ("corpus", "out", "tagger")]
    arguments = ["annotate-syntax", *paths[:2], "--pipeline", paths[2]]
    done = CliRunner().invoke(app, [*arguments, "--corpora", "b"])
    assert done.exit_code == 0, done.output
    assert [path.parent.name for path in (tmp_path / "out").rglob("*.spacy")] == ["b"]
    assert [path.read_text() for path in (tmp_path / "out").rglob("report.json")] == ["b"]
    done = CliRunner().invoke(app, [*arguments, "--corpora", "b,c"])
    assert done.exit_code == 1 and "MTL455" in done.output
    (tmp_path / "corpus" / "c").symlink_to(tmp_path / "corpus" / "a", target_is_directory=True)
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    assert sorted(path.parent.name for path in (tmp_path / "out").rglob("*.spacy")) == ["a", "b", "c"]
    assert not (tmp_path / "out" / "c").is_symlink()


@pytest.mark.parametrize("inside", ["", "syntax"])
def test_the_originals_are_never_replaced(tmp_path, inside):
    corpus(tmp_path / "corpus" / "train.spacy")
    before = (tmp_path / "corpus" / "train.spacy").read_bytes()
    arguments = ["annotate-syntax", str(tmp_path), str(tmp_path / inside), "--pipeline", "none"]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 2 and "SOURCE" in done.output
    assert (tmp_path / "corpus" / "train.spacy").read_bytes() == before
