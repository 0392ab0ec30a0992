"""Conversion of whole corpora: what is written, and what each option changes."""

import json
from dataclasses import replace

import pytest
import spacy

from spacy_mtl_bioner.corpora.catalogue import CorpusEntry
from spacy_mtl_bioner.corpora.convert import Options, convert_corpus
from spacy_mtl_bioner.corpora.documents import read_docbin
from spacy_mtl_bioner.corpora.problems import Problems
from spacy_mtl_bioner.errors import MTLError

from .way_back import docs_to_sentences

ENTRY = CorpusEntry("demo", "demo", {"X": "Gene", "Y": "Chemical"}, "none", "none", renames={"OLD": "X"})
TAGS = replace(ENTRY, kind="tags", labels={"NN": "", "VB": ""}, renames={})
TEXTS = replace(ENTRY, format="pubtator", splits={"train": "train.txt", "test": "test.txt"})


@pytest.fixture(scope="module")
def nlp():
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    return nlp


@pytest.fixture
def convert(tmp_path, nlp):
    """Write the files of a corpus, convert it, and return its report and the sentences of each split."""

    def convert(files, entry=ENTRY, problems=None, **options):
        (tmp_path / "demo").mkdir(exist_ok=True)
        for name, content in files.items():
            (tmp_path / "demo" / name).write_text(content)
        report = convert_corpus(entry, tmp_path, tmp_path / "out", nlp, Options(**options), problems)
        assert json.loads((tmp_path / "out" / "demo" / "report.json").read_text()) == report
        found = {}
        for split in report["splits"]:
            docs = read_docbin(tmp_path / "out" / "demo" / f"{split}.spacy", nlp.vocab)
            assert all(doc._.corpus == "demo" for doc in docs)
            found[split] = list(docs_to_sentences(docs, None if entry.kind == "tags" else "IOB2"))
        return report, found

    return convert


FILES = {
    "train.tsv": "".join(f"train{i}\tB-X\nof\tO\n-\tB-Y\n\n" for i in range(20)),
    "devel.tsv": "devel\tB-OLD\n\n",
    "test.tsv": "-DOCSTART-\tO\n\ntest\tO\n\ntest-2\tB-Y\nx\tI-Y\n\n",
}


def test_numbers(convert):
    report, found = convert(FILES)
    assert report["splits"] == {
        "train": {"documents": None, "sentences": 20, "tokens": 60, "entities": {"X": 20, "Y": 20}},
        "devel": {"documents": None, "sentences": 1, "tokens": 1, "entities": {"X": 1, "Y": 0}},
        "test": {"documents": 1, "sentences": 2, "tokens": 3, "entities": {"X": 0, "Y": 1}},
    }
    assert found["devel"][0].tags == ["B-X"]  # renamed
    assert report["labels"] == {"X": "Gene", "Y": "Chemical"}


def test_labels(convert):
    report, found = convert(FILES, labels=["Y"])
    assert report["splits"]["train"]["entities"] == {"Y": 20} and report["labels"] == {"Y": "Chemical"}
    assert found["train"][0].tags == ["O", "O", "B-Y"] and found["devel"][0].tags == ["O"]


def test_share_is_of_train_only(convert):
    report, found = convert(FILES, share=0.25, seed=3)
    assert {split: n["sentences"] for split, n in report["splits"].items()} == {"train": 5, "devel": 1, "test": 2}
    assert found["train"] == convert(FILES, share=0.25, seed=3)[1]["train"]
    assert found["train"] != convert(FILES, share=0.25, seed=4)[1]["train"]


def test_merge_devel(convert):
    _, found = convert(FILES, merge_devel=True)
    assert found["train"][-1] == found["devel"][0] and len(found["train"]) == 21


def test_scheme_of_the_files(convert):
    files = {name: content.replace("B-OLD", "S-X").replace("B-", "S-") for name, content in FILES.items()}
    files["test.tsv"] = "a\tB-Y\nb\tE-Y\n\n"
    _, found = convert(files, scheme="IOBES")
    assert found["train"][0].tags == ["B-X", "O", "B-Y"] and found["test"][0].tags == ["B-Y", "I-Y"]


def test_retokenize(convert):
    _, found = convert({**FILES, "test.tsv": "(IL\tB-X\n2)\tI-X\n"}, retokenize=True)
    assert (found["test"][0].words, found["test"][0].tags) == (["(", "IL", "2", ")"], ["B-X", "I-X", "I-X", "I-X"])


def test_align_restores_documents_and_text(convert, tmp_path):
    (tmp_path / "a.PubTator").write_text("7|t|test\n7|a|test-2 x\n\n")
    files = {**FILES, "test.tsv": "test\tO\n\ntest\tB-Y\n-\tI-Y\n2\tI-Y\nx\tO\n"}
    report, found = convert(files, align={"test": [tmp_path / "a.PubTator"]})
    assert [n["documents"] for n in report["splits"].values()] == [None, None, 1]
    assert [(s.document, s.spaces) for s in found["test"]] == [("7", [True]), ("7", [False, False, True, False])]
    with pytest.raises(MTLError, match="train.tsv"):
        convert(files, align={"train": [tmp_path / "a.PubTator"]})


def test_split_that_does_not_align_is_kept_as_it_was_when_skipping(convert, tmp_path, caplog):
    (tmp_path / "a.PubTator").write_text("7|t|other\n7|a|text\n\n")
    problems = Problems("skip")
    report, found = convert(FILES, problems=problems, align={"all": [tmp_path / "a.PubTator"]})
    assert report["problems"] == {"left_out": {}, "warnings": {"split without documents": 3}}
    assert all(f"{split}.tsv: the split '{split}' keeps no documents and no spaces" in caplog.text for split in found)
    assert len(found["train"]) == 20


def test_tags(convert):
    files = dict.fromkeys(FILES, "the\tNN\nends\tVB\n\n")
    report, found = convert(files, TAGS)
    assert found["train"][0].tags == ["NN", "VB"] and report["splits"]["train"]["entities"] == {}
    with pytest.raises(MTLError, match="MTL005"):
        convert(dict.fromkeys(FILES, "the\tDT\n"), TAGS)


def test_documents_without_devel_split(convert):
    one = "{0}|t|Title {0}.\n{0}|a|With IL2 of old. And more.\n{0}\t15\t18\tIL2\tOLD\t-\n\n"
    abstracts = "".join(one.format(i) for i in range(10, 30))
    report, found = convert({"train.txt": abstracts, "test.txt": abstracts}, TEXTS)
    assert list(report["splits"]) == ["train", "devel", "test"]
    assert [report["splits"][split]["documents"] for split in ("train", "devel", "test")] == [18, 2, 20]
    assert report["splits"]["test"]["entities"] == {"X": 20, "Y": 0}
    assert {s.document for s in found["train"]}.isdisjoint(s.document for s in found["devel"])
    assert report["splits"]["test"]["sentences"] == 60


@pytest.mark.parametrize(
    "options, entry, code",
    [
        ({"share": 0}, ENTRY, "MTL017"),
        ({"share": 1.5}, ENTRY, "MTL017"),
        ({"align": {"dev": ["x"]}}, ENTRY, "MTL017"),
        ({"labels": ["Z"]}, ENTRY, "MTL015"),
        ({"scheme": "BILOU"}, ENTRY, "MTL007"),
        ({"labels": ["NN"]}, TAGS, "MTL019"),
        ({"scheme": "IOB2"}, TEXTS, "MTL019"),
        ({"align": {"all": ["x"]}}, TEXTS, "MTL019"),
        ({}, ENTRY, "MTL011"),
    ],
)
def test_options_that_do_not_serve(convert, options, entry, code):
    with pytest.raises(MTLError, match=rf"^\[{code}\]"):
        convert({}, entry, **options)


def test_a_corpus_of_one_document_without_devel_split_is_cut(convert):
    entry = replace(ENTRY, splits={"train": "train.tsv"})
    report, _ = convert({"train.tsv": "-DOCSTART-\tO\n\n" + FILES["train.tsv"]}, entry)
    assert [report["splits"][split]["sentences"] for split in ("train", "devel")] == [18, 2]
    with pytest.raises(MTLError, match=r"MTL021.*'demo'.*train.tsv"):
        convert({"train.tsv": "one\tO\n"}, entry)


def test_a_file_in_the_way_is_a_coded_error(tmp_path, nlp):
    (tmp_path / "out").write_text("")
    with pytest.raises(MTLError, match="MTL182.*demo"):
        convert_corpus(ENTRY, tmp_path, tmp_path / "out", nlp)


def test_tags_are_renamed(convert):
    files = dict.fromkeys(FILES, "the\tNNP\nends\tVB\n\n")
    _, found = convert(files, replace(TAGS, renames={"NNP": "NN"}))
    assert all(sentences[0].tags == ["NN", "VB"] for sentences in found.values())


def test_align_reads_texts_whatever_their_mentions_are(convert, tmp_path):
    """PubTator is often called .txt, and mentions that overlap are nothing to this."""
    notes = "7\t0\t6\ttest t\tX\t-\n7\t5\t8\ttes\tX\t-\n"
    (tmp_path / "a.txt").write_text(f"7|t|test\n7|a|test-2 x\n{notes}\n")
    problems = Problems()
    report, found = convert(FILES, align={"test": [tmp_path / "a.txt"]}, problems=problems)
    assert report["splits"]["test"]["documents"] == 1 and [s.document for s in found["test"]] == ["7", "7"]
    (tmp_path / "a.txt").write_text("7|t|test\n7|a|test-2 x\n7\t0\n7\t0\t4\ttest\tX\n7\t0\t99\tx\tX\t-\n")
    assert convert(FILES, align={"test": [tmp_path / "a.txt"]}) == (report, found)
    with pytest.raises(MTLError, match="MTL001.*none.txt"):
        convert(FILES, align={"test": [tmp_path / "none.txt"]})
    (tmp_path / "a.txt").write_text("7|t|test\n7\t0\n")
    with pytest.raises(MTLError, match=r"MTL032.*a.txt:2"):
        convert(FILES, align={"test": [tmp_path / "a.txt"]})


def test_splits_of_an_earlier_conversion_go(convert, tmp_path):
    convert(FILES)
    convert(FILES, replace(ENTRY, splits={"train": "train.tsv", "devel": "devel.tsv"}))
    found = sorted(path.name for path in (tmp_path / "out" / "demo").iterdir())
    assert found == ["devel.spacy", "report.json", "train.spacy"]


@pytest.mark.parametrize("splits", [("train", "devel", "test"), ("train", "test")])
def test_nothing_left_to_train_on_is_an_error(convert, tmp_path, splits):
    entry = replace(ENTRY, splits={split: f"{split}.tsv" for split in splits})
    convert(FILES, entry)
    problems = Problems("skip")
    with pytest.raises(MTLError, match=r"MTL022.*train.tsv: corpus 'demo'.*\(left out 2 \(MTL005: 2\)\)"):
        convert({**FILES, "train.tsv": "a\tB-Z\n\nb\tB-Z\n"}, entry, problems=problems)
    assert (tmp_path / "out" / "demo" / "train.spacy").exists()  # of before


def test_a_word_that_the_tokenizer_changes_costs_its_sentence(convert, nlp, monkeypatch):
    monkeypatch.setattr(nlp, "tokenizer", lambda word: nlp.make_doc("") if word == "of" else [nlp.vocab[word]])
    monkeypatch.setattr(nlp, "make_doc", lambda text: [])
    with pytest.raises(MTLError, match=r"MTL113\] line 1 of .*train.tsv: the word 'of'"):
        convert(FILES, retokenize=True)
    problems = Problems("skip")
    files = {**FILES, "train.tsv": FILES["train.tsv"] + "alone\tB-X\n"}
    _, found = convert(files, retokenize=True, problems=problems)
    assert problems.skipped == {"MTL113": 20} and [s.words for s in found["train"]] == [["alone"]]


def test_a_folder_of_files_is_one_split(convert, tmp_path):
    folder = tmp_path / "demo" / "train"
    folder.mkdir(parents=True)
    for i in range(10, 13):
        (folder / f"{i}.txt").write_text(f"{i}|t|Title {i}.\n{i}|a|With IL2.\n{i}\t15\t18\tIL2\tX\t-\n")
    entry = replace(TEXTS, splits={"train": "train"})
    report, found = convert({}, entry)
    assert report["splits"]["train"]["documents"] == 2 and report["splits"]["devel"]["documents"] == 1
    (folder / "12.txt").write_text("12|t|Title 12.\n12|a|With IL2.\n12\t15\t18\tIL2\tZ\t-\n")
    with pytest.raises(MTLError, match=r"MTL018\] .*train/12.txt:3: "):
        convert({}, entry)


NESTED = [(4, 20, "Complex"), (4, 7, "G"), (8, 12, "G"), (32, 36, "Gene"), (0, 40, "Section")]


@pytest.mark.parametrize(
    "labels, on_error, kept",
    [(["Gene"], "skip", 3), (["Complex"], "skip", 1), (None, "skip", 2), (["Gene"], "raise", None)],
)
def test_what_is_left_out_is_in_nobodys_way(convert, labels, on_error, kept):
    """Of nested mentions those of labels that were not asked for, or that nobody knows, cost the others nothing."""
    text = "The p53 MDM2 complex binds DNA. TP53 too."
    line = json.dumps({"text": text, "entities": [list(found) for found in NESTED]}) + "\n"
    entry = replace(ENTRY, format="jsonl", labels={"Gene": "Gene", "Complex": "Complex"}, renames={"G": "Gene"})
    entry = replace(entry, splits={"train": "train.jsonl", "test": "test.jsonl"})
    files, problems = {"train.jsonl": line, "test.jsonl": line}, Problems(on_error)
    if kept is None:
        with pytest.raises(MTLError, match=r"MTL018.*0-40 'The p53 .*'Section'"):
            convert(files, entry, problems, labels=labels)
        return
    report, found = convert(files, entry, problems, labels=labels)
    assert sum(report["splits"]["test"]["entities"].values()) == kept
    overlapping = {"MTL029": 4} if labels is None else {}
    assert problems.skipped == {"MTL018": 2, **overlapping}


def test_documents_of_files_of_one_name_stay_apart(convert, tmp_path):
    for split in ("a", "b", "c"):
        (tmp_path / "demo" / split).mkdir(parents=True)
    entry = replace(ENTRY, splits={"train": "a/data.tsv", "devel": "b/data.tsv", "test": "c/data.tsv"})
    content = "-DOCSTART-\tO\n\nx\tO\n"
    report, found = convert(dict.fromkeys(entry.splits.values(), content), entry, merge_devel=True)
    assert [sentence.document for sentence in found["train"]] == ["train-1", "devel-1"]
