"""Stand-off mentions onto words."""

from dataclasses import replace
from pathlib import Path

import pytest
import spacy

from spacy_mtl_bioner.corpora.documents import sentences_to_docs
from spacy_mtl_bioner.corpora.mentions import documents_to_sentences
from spacy_mtl_bioner.corpora.problems import Problems
from spacy_mtl_bioner.errors import MTLError
from spacy_mtl_bioner.types import Document, Mention, Passage

TEXT = "Ataxia telangiectasia is rare. It is due to E. coli\n infection."
PATH = Path("x.txt")


@pytest.fixture(scope="module")
def nlp():
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    return nlp


def mention(text, label="Disease", start=None):
    start = TEXT.index(text) if start is None else start
    return Mention(start, start + len(text), label, text)


def read(nlp, mentions, labels=None, on_error="raise", text=TEXT, passages=()):
    problems = Problems(on_error)
    document = Document("7", text, list(mentions), list(passages), line=3)
    return list(documents_to_sentences([document], nlp, PATH, problems, labels)), problems


def test_text_and_mentions_are_kept(nlp):
    mentions = [mention("It", "X"), mention("Ataxia telangiectasia"), mention("coli\n infection", "Y")]
    sentences, _ = read(nlp, mentions)
    [doc] = sentences_to_docs(sentences, nlp.vocab, "demo", "IOB2")
    assert doc.text == TEXT and doc._.document == "7"
    found = {(ent.start_char, ent.end_char, ent.label_) for ent in doc.ents}
    assert found == {(m.start, m.end, m.label) for m in mentions}
    assert "\n " in [token.text for token in doc] and "\n " not in sum((s.words for s in sentences), [])


def test_white_space_around_a_mention_is_not_part_of_it(nlp):
    sentences, _ = read(nlp, [Mention(21, 25, "X", " is ")])
    assert sentences[0].words[sentences[0].tags.index("B-X")] == "is"


def test_sentence_end_inside_a_mention_is_taken_back(nlp):
    without = [" ".join(s.words) for s in read(nlp, [])[0]]
    assert without == ["Ataxia telangiectasia is rare .", "It is due to E. coli infection ."]
    sentences, problems = read(nlp, [mention("rare. It", "X")])
    assert len(sentences) == 1 and sum(tag != "O" for tag in sentences[0].tags) == 3
    assert problems.warned == {"sentence end in a mention": 1}


def test_passages_start_sentences(nlp):
    passages = [Passage(0, 21), Passage(22, len(TEXT))]
    assert [s.words[0] for s in read(nlp, [], passages=passages)[0]] == ["Ataxia", "is", "It"]


def test_mention_inside_a_word(nlp):
    with pytest.raises(MTLError, match=r"^\[MTL012\] x.txt:3: document '7': mention 0-3 'Ata' .*\['Ataxia'\]"):
        read(nlp, [mention("Ata")])
    sentences, problems = read(nlp, [mention("Ata"), mention("rare", "X")], on_error="skip")
    assert problems.skipped == {"MTL012": 1} and "B-X" in sentences[0].tags


def test_mention_of_white_space(nlp):
    space = Mention(6, 7, "X", " ")
    with pytest.raises(MTLError, match=r"^\[MTL012\] x.txt:3: document '7': mention 6-7 ' ' is white space"):
        read(nlp, [space])
    sentences, problems = read(nlp, [space, mention("rare", "X")], on_error="skip")
    assert problems.skipped == {"MTL012": 1} and "B-X" in sentences[0].tags


def test_places_in_files_without_lines(nlp):
    document = Document("7", TEXT, [mention("Ata")])
    with pytest.raises(MTLError, match=r"^\[MTL012\] x.txt: document '7': mention 0-3"):
        list(documents_to_sentences([document], nlp, PATH, Problems()))


def test_labels_are_renamed_and_unknown_ones_refused(nlp):
    sentences, _ = read(nlp, [mention("rare", "Modifier")], {"Modifier": "Disease"})
    assert "B-Disease" in sentences[0].tags
    with pytest.raises(MTLError, match=r"^\[MTL018\] x.txt:3: .*'rare'.*'Gene'.*Modifier"):
        read(nlp, [mention("rare", "Gene")], {"Modifier": "Disease"})


def test_a_mention_that_knows_its_place_is_named_by_it(nlp):
    with pytest.raises(MTLError, match=r"^\[MTL018\] y.ann:5: document '7': mention"):
        read(nlp, [replace(mention("rare", "Gene"), where="y.ann:5")], {})


@pytest.mark.parametrize("on_error", ["raise", "skip"])
def test_a_pipeline_that_finds_no_sentences(on_error):
    with pytest.raises(MTLError, match=r"MTL043\] x.txt:3: .*'7': .*\(empty\) finds no sentences.*mtl_sentences"):
        read(spacy.blank("en"), [], on_error=on_error)
    assert len(read(spacy.blank("en"), [], text="One")[0]) == 1


def test_many_passages_cost_no_more_each():
    """One start a passage, wherever it lies, found in a few comparisons."""

    class Counted(int):
        comparisons = 0

        def __gt__(self, other):
            Counted.comparisons += 1
            return int(self) > other

    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    passages = [Passage(Counted(i * 4), i * 4 + 3) for i in range(1000)]
    sentences, _ = read(nlp, [], text="a b " * 1000, passages=[*passages, Passage(Counted(9999), 9999)])
    assert [sentence.words for sentence in sentences] == [["a", "b"]] * 1000
    assert 1000 < Counted.comparisons < 20_000


@pytest.mark.parametrize("text", ["", " \n"])
def test_document_without_words(nlp, text):
    with pytest.raises(MTLError, match="MTL013.*'7'"):
        read(nlp, [], text=text)
    assert read(nlp, [], text=text, on_error="skip")[0] == []


def test_document_too_long_for_the_pipeline(nlp, monkeypatch):
    monkeypatch.setattr(nlp, "max_length", len(TEXT) - 1)
    with pytest.raises(MTLError, match=rf"MTL020.*'7': {len(TEXT)} characters.*takes {len(TEXT) - 1}"):
        read(nlp, [])
    sentences, problems = read(nlp, [], on_error="skip")
    assert sentences == [] and problems.skipped == {"MTL020": 1}
