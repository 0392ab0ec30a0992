"""MultiCorpus: DocBins of many corpora to examples."""

import random
import time

import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import Doc, DocBin, Span, Token
from spacy.training import Corpus
from spacy.util import registry

from spacy_mtl_bioner.errors import MTLError
from spacy_mtl_bioner.training.reader import MultiCorpus
from spacy_mtl_bioner.training.units import split

NLP = spacy.blank("en")
WORDS = ["Aspirin", "helps", ".", "TP53", "-", "null", "mice", "do", "not", "."]
SPACES = [True, False, True, False, False, True, True, True, False, True]
ENTS = ["B-Chemical", "O", "O", "B-Gene", "B-Gene", "I-Gene", "O", "O", "O", "O"]
STARTS = [True, False, False, True] + [False] * 6


def document(spaces=SPACES, corpus="A", **changes):
    values = {"words": WORDS, "spaces": spaces, "ents": ENTS, "sent_starts": STARTS, **changes}
    doc = Doc(NLP.vocab, **values)
    doc._.corpus, doc._.document = corpus, "PMID1"
    return doc


def save(path, *docs):
    path.parent.mkdir(parents=True, exist_ok=True)
    DocBin(store_user_data=True, docs=docs).to_disk(path)
    return path


def entities(doc):
    return [(e.start, e.end, e.label_) for e in doc.ents]


def read(path, **settings):
    return list(MultiCorpus({"A": path}, **settings)(spacy.blank("en")))


@pytest.mark.parametrize("damage", ["user data", "number of documents"])
def test_damaged_content_is_a_coded_error(tmp_path, damage):
    docbin = DocBin(store_user_data=True, docs=[document(), document()])
    docbin.user_data = [b"\xc1"] * 2 if damage == "user data" else docbin.user_data[:1]
    docbin.to_disk(tmp_path / "a.spacy")
    with pytest.raises(MTLError, match=r"MTL143\] corpus 'A': .*a.spacy is not a DocBin"):
        read(tmp_path / "a.spacy")


def test_one_example_a_sentence_with_its_annotation(tmp_path):
    first, second = read(save(tmp_path / "a.spacy", document(tags=list("ABCDEFGHIJ"))))
    assert first.reference.text == "Aspirin helps. " and second.reference.text == "TP53-null mice do not. "
    assert entities(first.reference) == [(0, 1, "Chemical")]
    assert entities(second.reference) == [(0, 1, "Gene"), (1, 3, "Gene")]
    assert [t.tag_ for t in second.reference] == list("DEFGHIJ")
    for example in (first, second):
        for doc in (example.reference, example.predicted):
            assert doc._.corpus == "A" and doc._.document == "PMID1"
            assert [t.is_sent_start for t in doc] == [True] + [False] * (len(doc) - 1)
        assert example.predicted.text == example.reference.text
        assert example.predicted._.corpora == ["A"] and example.reference._.corpora is None
        assert not example.predicted.ents and not example.predicted.has_annotation("TAG")


def test_splitting_agrees_with_spacys_gold_preprocessing(tmp_path):
    path = save(tmp_path / "a.spacy", document(), document(sent_starts=[True] + [False] * 9))
    theirs = [e.reference for e in Corpus(path, gold_preproc=True)(NLP)]
    ours = [e.reference for e in read(path)]
    assert [d.text for d in ours] == [d.text for d in theirs]
    assert [entities(d) for d in ours] == [entities(d) for d in theirs]


def test_whole_documents_keep_their_sentences(tmp_path):
    (example,) = read(save(tmp_path / "a.spacy", document()), sentences=False)
    assert [s.start for s in example.predicted.sents] == [0, 3]
    (example,) = read(tmp_path / "a.spacy", sentences=False, gold_sentences=False)
    assert not example.predicted.has_annotation("SENT_START") and example.reference.has_annotation("SENT_START")


def test_tokens_of_the_tokenizer_get_the_sentences_by_characters(tmp_path):
    words = WORDS[:3] + ["TP", "53", "-null"] + WORDS[6:]
    starts = [True, False, False, False, True] + [False] * 5
    path = save(tmp_path / "a.spacy", document(words=words, sent_starts=starts))
    (example,) = read(path, sentences=False, gold_tokens=False)
    assert [t.text for t in example.predicted][3:6] == ["TP53", "-", "null"]
    assert [s.text for s in example.predicted.sents] == ["Aspirin helps.", "TP53-null mice do not."]
    (raw,) = read(path, sentences=False, gold_tokens=False, gold_sentences=False, own_corpus=False)
    assert not raw.predicted.has_annotation("SENT_START") and raw.predicted._.corpora is None


def test_unknown_spaces_stay_unknown(tmp_path):
    path = save(tmp_path / "a.spacy", document(spaces=None))
    for example in read(path):
        assert example.reference.has_unknown_spaces and example.predicted.has_unknown_spaces
        assert [t.text for t in example.predicted] == [t.text for t in example.reference]


def test_a_boundary_inside_an_entity_or_a_span_is_none(tmp_path):
    doc = document(sent_starts=[True, False, False, True, False, True, False, True, False, False])
    doc.spans["other"] = [Span(doc, 6, 8, "X"), Span(doc, 0, 2, "Y")]
    first, second = read(save(tmp_path / "a.spacy", doc))
    assert entities(second.reference) == [(0, 1, "Gene"), (1, 3, "Gene")]
    assert [(s.start, s.end, s.label_) for s in second.reference.spans["other"]] == [(3, 5, "X")]
    assert [(s.start, s.end, s.label_) for s in first.reference.spans["other"]] == [(0, 2, "Y")]
    assert len(list(second.reference.sents)) == 1


def test_a_parse_and_token_data_move_along(tmp_path):
    Token.set_extension("shape_class", default=None, force=True)
    heads = [1, 1, 1, 6, 6, 6, 7, 7, 7, 7]
    doc = document(heads=heads, deps=["dep"] * 10, sent_starts=None)
    doc[3]._.shape_class = "AA00"
    doc.user_data["title"] = "T"
    path = save(tmp_path / "a.spacy", doc)
    first, second = read(path, copy_attrs=["dep", "head"])
    for part in (second.reference, second.predicted):
        assert [t.head.i for t in part] == [3, 3, 3, 4, 4, 4, 4]
    assert second.reference[0]._.shape_class == "AA00" and first.reference[0]._.shape_class is None
    assert first.reference.user_data["title"] == second.reference.user_data["title"] == "T"


def test_a_head_outside_of_a_piece_becomes_a_root(tmp_path):
    doc = document(heads=[1, 1, 1, 9, 6, 6, 7, 7, 7, 7], deps=["dep"] * 10, sent_starts=None)
    with pytest.warns(UserWarning, match="MTL145"):
        examples = read(save(tmp_path / "a.spacy", doc), max_length=4)
    assert [[t.head.i for t in e.reference] for e in examples] == [[1, 1, 1], [0, 3, 3, 3], [0, 0, 0]]
    assert [len(list(e.reference.sents)) for e in examples] == [1, 1, 1]


def test_what_is_too_long_is_cut_outside_of_entities_and_counted(tmp_path):
    path = save(tmp_path / "a.spacy", document())
    with pytest.warns(UserWarning, match=r"MTL145.*'A': 1 sentence.*max_length = 5"):
        assert [len(e) for e in read(path, max_length=5)] == [3, 5, 2]
    with pytest.warns(UserWarning, match="MTL145"):
        pieces = [e.reference for e in read(path, max_length=1)]
    assert [d.text.strip() for d in pieces][:5] == ["Aspirin", "helps", ".", "TP53", "-null"]
    assert sum((entities(d) for d in pieces), []) == [(0, 1, "Chemical"), (0, 1, "Gene"), (0, 2, "Gene")]
    assert [len(e) for e in read(path, max_length=9, sentences=False)] == [3, 7]
    assert [len(e) for e in read(path, max_length=10, sentences=False)] == [10]


@given(st.lists(st.tuples(st.sampled_from(["O", "B-X", "B-Y", "I"]), st.booleans()), min_size=1, max_size=30),
       st.integers(0, 6), st.booleans())
def test_splitting_loses_nothing(rows, longest, sentences):
    tags = []
    for tag, _ in rows:
        before = tags[-1] if tags else "O"
        tags.append(tag if tag != "I" else "O" if before == "O" else "I" + before[1:])
    starts = [True] + [start for _, start in rows[1:]]
    doc = Doc(NLP.vocab, words=[f"w{i}" for i in range(len(rows))], ents=tags, sent_starts=starts)
    parts = split(doc, DocBin().attrs, sentences, longest).docs
    assert [t.text for part in parts for t in part] == [t.text for t in doc]
    offset, moved = 0, []
    for part in parts:
        moved += [(start + offset, end + offset, label) for start, end, label in entities(part)]
        assert not longest or len(part) <= longest or len(part) == max(e.end - e.start for e in part.ents)
        offset += len(part)
    assert moved == entities(doc)


def test_many_corpora_in_order_folders_and_limits(tmp_path):
    one = save(tmp_path / "x" / "2.spacy", document(), document(corpus="other name"))
    save(tmp_path / "x" / "1.spacy", document(words=["First"] + WORDS[1:]))
    reader = MultiCorpus({"B": tmp_path / "x", "A": one}, limit=3)
    examples = list(reader(NLP))
    assert [e.reference._.corpus for e in examples] == ["B"] * 3 + ["A"] * 3
    assert examples[0].reference[0].text == "First" and examples[2].reference[0].text == "Aspirin"


def test_calls_repeat_and_predictions_do_not_leak(tmp_path):
    path = save(tmp_path / "a.spacy", document())
    for cache in (True, False):
        reader = MultiCorpus({"A": path}, cache=cache)
        first = list(reader(NLP))
        first[0].predicted.set_ents([Span(first[0].predicted, 0, 1, "X")])
        second = list(reader(NLP))
        assert (first[0].reference is second[0].reference) is cache
        assert not second[0].predicted.ents and entities(second[0].reference) == [(0, 1, "Chemical")]
        other = spacy.blank("en")
        assert all(e.reference.vocab is other.vocab for e in reader(other))


def test_documents_without_tokens_are_counted_or_kept(tmp_path):
    path = save(tmp_path / "a.spacy", Doc(NLP.vocab), document())
    with pytest.warns(UserWarning, match=r"MTL146.*1 document"):
        assert len(read(path)) == 2
    assert [len(e) for e in read(path, keep_empty=True)] == [0, 3, 7]


def test_documents_without_boundaries_are_one_sentence(tmp_path):
    (example,) = read(save(tmp_path / "a.spacy", document(sent_starts=None)))
    assert len(example) == 10 and not example.predicted.has_annotation("SENT_START")


def test_documents_without_user_data(tmp_path):
    DocBin(docs=[document()]).to_disk(tmp_path / "a.spacy")
    assert {(e.reference._.corpus, e.reference._.document) for e in read(tmp_path / "a.spacy")} == {("A", None)}


def test_corpora_of_tags_are_fine_and_copied_attributes(tmp_path):
    path = save(tmp_path / "a.spacy", document(ents=None, tags=["NN"] * 10))
    first, _ = read(path, copy_attrs=["TAG"])
    assert [t.tag_ for t in first.predicted] == ["NN"] * 3
    assert not first.reference.has_annotation("ENT_IOB")


def test_errors_say_what_and_where(tmp_path):
    bare = save(tmp_path / "bare.spacy", document(ents=None))
    (tmp_path / "bad.spacy").write_bytes(b"word\tB-X\n")
    (tmp_path / "folder").mkdir()
    for path, match in {
        tmp_path / "none.spacy": r"MTL141.*'A'.*none\.spacy",
        tmp_path / "folder": r"MTL142.*'A'.*folder",
        tmp_path / "bad.spacy": r"MTL143.*'A'.*bad\.spacy",
        bare: r"MTL144.*'A'.*bare\.spacy.*1 document\(s\) without annotation",
        save(tmp_path / "empty.spacy"): r"MTL144.*no document",
    }.items():
        with pytest.raises(MTLError, match=match):
            read(path)
    for settings, match in (
        ({"max_length": -1}, "MTL147.*max_length"),
        ({"limit": -1}, "MTL147.*limit"),
        ({"copy_attrs": ["ENT_IOB"]}, "MTL147.*some of TAG"),
        ({"copy_attrs": ["DEP"]}, "MTL147.*DEP and HEAD"),
        ({"copy_attrs": ["TAG"], "gold_tokens": False}, "MTL147.*gold_tokens"),
    ):
        with pytest.raises(MTLError, match=match):
            read(bare, **settings)
    for paths, missing in (({}, "any corpus"), ({"A": None, "B": bare}, "'A'\\.")):
        with pytest.raises(MTLError, match=f"MTL140.*{missing}"):
            MultiCorpus(paths)


def test_from_config(tmp_path):
    path = save(tmp_path / "a.spacy", document())
    block = {"@readers": "spacy_mtl_bioner.MultiCorpus.v1", "paths": {"A": str(path)}, "limit": 1}
    reader = registry.resolve({"train": block})["train"]
    assert [len(e) for e in reader(NLP)] == [3]
    with pytest.raises(ValueError, match="limit"):
        registry.resolve({"train": {**block, "limit": "many"}})


def test_reading_is_fast(tmp_path):
    draw = random.Random(0)
    words = [f"word{i}" for i in range(5000)]
    docs = []
    for _ in range(3000):
        sample = draw.choices(words, k=25)
        docs.append(document(words=sample, spaces=None, ents=["O"] * 25, sent_starts=[True] + [False] * 24))
    path = save(tmp_path / "a.spacy", *docs)
    start = time.process_time()
    assert len(read(path)) == 3000
    assert time.process_time() - start < 3  # well under a second on an idle core


def test_phrases_go_with_their_sentences(tmp_path):
    """Cut into sentences each part has its share, and the predicted Doc gets it where ``copy_attrs`` says so."""
    vocab = spacy.blank("en").vocab
    doc = Doc(vocab, words="a b c d e".split(), ents=["O"] * 5, sent_starts=[True, False, True, False, False])
    doc.user_data["mtl_tags"] = {"chunks": ["B-NP", "I-NP", "O", "B-VP", "I-VP"]}
    DocBin(store_user_data=True, docs=[doc]).to_disk(tmp_path / "x.spacy")
    for copied, expected in ((["CHUNK"], [["B-NP", "I-NP"], ["O", "B-VP", "I-VP"]]), ([], [[""] * 2, [""] * 3])):
        reader = MultiCorpus({"x": tmp_path / "x.spacy"}, copy_attrs=copied)
        found = [[token._.chunk for token in example.predicted] for example in reader(spacy.blank("en"))]
        assert found == expected


def test_a_limit_hides_nothing(tmp_path):
    """What is wrong with the documents that were read is said, whether the limit was reached or not."""
    bare = save(tmp_path / "bare.spacy", *[Doc(NLP.vocab, words=WORDS) for _ in range(5)])
    long = save(tmp_path / "long.spacy", document(sent_starts=[True] + [False] * 9))
    for cache in (True, False):
        for limit in (1, 3, 5, 6):
            with pytest.raises(MTLError, match="MTL144"):
                read(bare, limit=limit, cache=cache)
        with pytest.warns(UserWarning, match="MTL145"):
            assert len(read(long, limit=2, max_length=4, cache=cache)) == 2
