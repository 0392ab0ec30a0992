"""Sentences to Docs and DocBins and back."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import Doc, DocBin

from spacy_mtl_bioner.corpora.align import align_sentences
from spacy_mtl_bioner.corpora.documents import bare_copy, read_docbin, sentences_to_docs, write_docbin
from spacy_mtl_bioner.errors import MTLError
from spacy_mtl_bioner.types import Document, Sentence

from .test_conll import TAGS, WORDS
from .way_back import docs_to_sentences

VOCAB, OTHER_VOCAB = spacy.blank("en").vocab, spacy.blank("en").vocab


def through_docbin(docs, kind="spans"):
    with TemporaryDirectory() as folder:
        path = Path(folder, "new", "x.spacy")
        write_docbin(docs, path, kind)
        return read_docbin(path, OTHER_VOCAB)


def test_one_doc_a_sentence_where_no_document_is_known():
    sentences = [Sentence(["IL", "2"], ["B-X", "B-X"]), Sentence(["a"], ["O"])]
    docs = through_docbin(sentences_to_docs(sentences, VOCAB, "demo", "IOB2"))
    assert [[(ent.text, ent.label_) for ent in doc.ents] for doc in docs] == [[("IL", "X"), ("2", "X")], []]
    assert [(doc._.corpus, doc._.document, doc.has_unknown_spaces) for doc in docs] == [("demo", None, True)] * 2
    assert [token.is_sent_start for token in docs[0]] == [True, False]
    assert [token.ent_iob_ for token in docs[1]] == ["O"]  # known to be none, not missing


def test_a_full_disk_is_a_coded_error(tmp_path, monkeypatch):
    def full(docbin, path):
        Path(path).write_bytes(b"half")
        raise OSError(28, "No space left on device")

    write_docbin([Doc(VOCAB, ["a"])], tmp_path / "x.spacy")
    monkeypatch.setattr(DocBin, "to_disk", full)
    with pytest.raises(MTLError, match="MTL402.*x.spacy.*No space left"):
        write_docbin([], tmp_path / "x.spacy")
    assert [path.name for path in tmp_path.iterdir()] == ["x.spacy"]
    assert len(read_docbin(tmp_path / "x.spacy", VOCAB)) == 1
    (tmp_path / "file").write_text("")
    with pytest.raises(MTLError, match="MTL182.*file"):
        write_docbin([], tmp_path / "file" / "x.spacy")


def test_one_doc_a_document():
    sentences = [Sentence([w], ["O"], document=d) for w, d in zip("abcd", ["1", "1", "2", None])]
    docs = through_docbin(sentences_to_docs(sentences, VOCAB, "demo", "IOB2"))
    assert [([s.text for s in doc.sents], doc._.document) for doc in docs] == [
        (["a", "b"], "1"),
        (["c"], "2"),
        (["d"], None),
    ]


def test_white_space_before_the_first_word_stays():
    placed = align_sentences([Sentence(["IL", "2"], ["B-X", "I-X"])], [Document("1", "\n  IL  2 ")])
    docs = through_docbin(sentences_to_docs(placed, VOCAB, "demo", "IOB2"))
    assert [doc.text for doc in docs] == ["\n  IL  2 "]
    assert [(ent.start_char, ent.end_char) for ent in docs[0].ents] == [(3, 8)]
    back = list(docs_to_sentences(docs, "IOB2"))
    assert [(s.words, s.tags, s.lead, s.start, s.gaps) for s in back] == [
        (["IL", "2"], ["B-X", "I-X"], "\n  ", 3, ["  ", " "])
    ]


def test_tags_stay_out_of_the_entities():
    docs = through_docbin(sentences_to_docs([Sentence(["IL", "2"], ["NN", "CD"])], VOCAB, "pos", None), "tags")
    assert [token.tag_ for token in docs[0]] == ["NN", "CD"] and not docs[0].ents
    assert [s.tags for s in docs_to_sentences(docs, None)] == [["NN", "CD"]]


@given(st.data())
def test_sentences_come_back(data):
    sentences = []
    for tags in data.draw(st.lists(TAGS, min_size=1, max_size=4)):
        document = data.draw(st.sampled_from([None, "1", "2"]))
        sentences.append(Sentence([data.draw(WORDS) for _ in tags], tags, document=document))
    docs = through_docbin(sentences_to_docs(sentences, VOCAB, "demo", "IOBES"))
    assert list(docs_to_sentences(docs, "IOBES")) == sentences


@given(st.data())
def test_aligned_documents_come_back_character_for_character(data):
    """The text of the Doc is the document's text, whatever white space it has, and entities keep their offsets."""
    spaces = st.sampled_from(["", " ", "  ", "\n", " \n ", "\u00a0"])
    words = st.text("abcxyz-", min_size=1, max_size=4)
    sentences, text, spans = [], "", []
    for tags in data.draw(st.lists(TAGS, min_size=1, max_size=4)):
        sentence = Sentence([data.draw(words) for _ in tags], tags)
        for word, tag in zip(sentence.words, tags):
            prefix, _, label = tag.partition("-")
            if prefix in ("B", "S"):
                begin = len(text)
            text += word
            if prefix in ("E", "S"):
                spans.append((begin, len(text), label))
            text += data.draw(spaces)
        sentences.append(sentence)
    aligned = align_sentences(sentences, [Document("7", text)])
    docs = through_docbin(sentences_to_docs(aligned, VOCAB, "demo", "IOBES"))
    assert [doc.text for doc in docs] == [text] and docs[0]._.document == "7"
    assert [(ent.start_char, ent.end_char, ent.label_) for ent in docs[0].ents] == spans
    assert list(docs_to_sentences(docs, "IOBES")) == aligned


def test_entity_across_sentences():
    doc = Doc(VOCAB, words=["a", "b", "c"], sent_starts=[True, False, True], ents=["O", "B-X", "I-X"])
    doc._.corpus = "demo"
    with pytest.raises(MTLError, match=r"^\[MTL014\] corpus 'demo'.*'b c'"):
        list(docs_to_sentences([doc], "IOB2"))


@pytest.mark.parametrize("spaces", [None, [False, True, False]])
def test_a_bare_copy_has_words_spaces_and_sentences_only(spaces):
    doc = Doc(VOCAB, ["a", "b", "c"], spaces, sent_starts=[True, False, True], ents=["B-Gene", "O", "O"])
    copy = bare_copy(doc, OTHER_VOCAB)
    assert (copy.text, copy.has_unknown_spaces, copy.vocab) == (doc.text, spaces is None, OTHER_VOCAB)
    assert [token.is_sent_start for token in copy] == [True, False, True]
    assert not copy.ents and not copy.has_annotation("ENT_IOB")
    assert not bare_copy(Doc(VOCAB)) and not bare_copy(doc, attrs=()).has_annotation("SENT_START")


def test_docbin_is_what_spacy_writes():
    docs = list(sentences_to_docs([Sentence(["a"], ["B-X"], document="9")], VOCAB, "demo", "IOB2"))
    attrs = ["ORTH", "SPACY", "SENT_START", "ENT_IOB", "ENT_TYPE"]
    theirs = DocBin(attrs=attrs, store_user_data=True, docs=docs).get_docs(VOCAB)
    ours = through_docbin(docs)
    assert [doc.to_json() for doc in ours] == [doc.to_json() for doc in theirs]
    assert [doc.user_data for doc in ours] == [doc.user_data for doc in docs]


def test_unreadable_docbins(tmp_path):
    with pytest.raises(MTLError, match="MTL001"):
        read_docbin(tmp_path / "none.spacy", VOCAB)
    (tmp_path / "bad.spacy").write_bytes(b"not a DocBin")
    with pytest.raises(MTLError, match=r"^\[MTL016\].*bad.spacy"):
        read_docbin(tmp_path / "bad.spacy", VOCAB)
