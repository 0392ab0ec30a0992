"""Token-per-line files: what is read, what is refused and where, and round trips."""

import re
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_mtl_bioner.corpora.conll import DOCSTART, read_conll
from spacy_mtl_bioner.corpora.problems import Problems
from spacy_mtl_bioner.corpora.schemes import SCHEMES, convert_tags
from spacy_mtl_bioner.errors import MTLError
from spacy_mtl_bioner.types import Sentence

from .way_back import write_conll

GOOD = "IL\tB-X\n-\tI-X\n2\tI-X\n\nof\tO\nX\tB-X\nY\tB-Y\n\n"


@pytest.fixture
def read(tmp_path):
    def read(content, scheme="IOB2", on_error="raise", labels=None):
        path = tmp_path / "train.tsv"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        problems = Problems(on_error)
        return list(read_conll(path, scheme, problems, labels)), problems

    return read


def test_words_tags_and_lines(read):
    sentences, _ = read(GOOD)
    assert sentences == [
        Sentence(["IL", "-", "2"], ["B-X", "I-X", "I-X"], line=1),
        Sentence(["of", "X", "Y"], ["O", "B-X", "B-Y"], line=5),
    ]


@pytest.mark.parametrize(
    "content",
    [
        GOOD.replace("\n", "\r\n"),
        GOOD.replace("\t", " "),
        GOOD.replace("\t", "   "),
        GOOD.replace("\t", "\tNN\tpath-1\t"),
        GOOD.rstrip("\n"),
        "\ufeff" + GOOD,
        "\n\n" + GOOD.replace("\n\n", "\n \t\n\n"),
    ],
)
def test_variants_read_the_same(read, content):
    found = [(s.words, s.tags) for s in read(content)[0]]
    assert found == [(s.words, s.tags) for s in read(GOOD)[0]]


def test_only_a_line_feed_ends_a_line(read):
    odd = ["\u00a0", "a\u2028b", "\x0b", "\u0085", "x\ry", "a b", "\u3000"]
    sentences, _ = read("".join(f"{word}\tO\n" for word in odd))
    assert sentences[0].words == odd


def test_documents(read):
    sentences, _ = read(f"{DOCSTART}\tO\n\na\tO\n\nb\tO\n\n{DOCSTART} -X- O\nc\tO\n{DOCSTART}\tO\n\n")
    assert [(s.words, s.document) for s in sentences] == [
        (["a"], "train-1"),
        (["b"], "train-1"),
        (["c"], "train-2"),
    ]


def test_tags_that_are_no_spans(read):
    assert read("the\tDT\nend\tI-NN\n", scheme=None)[0][0].tags == ["DT", "I-NN"]


BAD = [
    ("a\tO\n\nb\tO\nc\n", "MTL004", 4),
    ("a\tO\n\tO\n", "MTL004", 2),
    ("a\tO\nb\t\n", "MTL004", 2),
    ("a\tO\nb\tX\n", "MTL005", 2),
    ("a\tO\nb\tE-X\n", "MTL005", 2),
    ("a\tO\n\nb\tO\nc\tI-X\n", "MTL006", 4),
    ("a\tB-X\nb\tI-Y\n", "MTL006", 2),
    (b"a\tO\n\nb\xff\tO\n", "MTL002", 3),
    ("a\tB-X\rb\tO\r\rc\tO\r\n", "MTL044", 1),
    ("", "MTL003", None),
    ("\n\n", "MTL003", None),
    (f"{DOCSTART}\tO\n\n", "MTL003", None),
]


@pytest.mark.parametrize("content, code, line", BAD)
def test_bad_input_is_named(read, content, code, line):
    where = r"train\.tsv:" + (f"{line}: " if line else " ")
    with pytest.raises(MTLError, match=rf"^\[{code}\] .*{where}"):
        read(content)


@pytest.mark.parametrize(
    "line, found",
    [
        ("c", "1 column(s) in 'c'; expected at least a word and a tag"),
        ("\tNN\tO", "no word in the first of 3 column(s)"),
        ("c\tO\t", "no tag in the last of 3 column(s)"),
        ("c" * 10_000, f"1 column(s) in '{'c' * 80}'; "),
    ],
)
def test_what_a_line_lacks(read, line, found):
    with pytest.raises(MTLError, match=re.escape(f"train.tsv:2: {found}")):
        read(f"a\tO\n{line}\n")


@pytest.mark.parametrize("content, code, line", [bad for bad in BAD if bad[2]])
def test_skipping_costs_the_sentence_only(read, content, code, line):
    content = content.encode() if isinstance(content, str) else content
    sentences, problems = read(b"before\tO\n\n" + content + b"\nafter\tO\n", on_error="skip")
    assert sentences[0].words == ["before"] and sentences[-1].words == ["after"]
    assert problems.skipped == {code: 1}


@pytest.mark.parametrize("tags", ["B-X O", "B-X", "I-X", "S-X E-X", "B-X S-X", "B-X E-Y"])
def test_illegal_iobes(read, tags):
    lines = "".join(f"w\t{tag}\n" for tag in tags.split())
    with pytest.raises(MTLError, match=r"^\[MTL006\] .*:\d: .*IOBES"):
        read(lines, scheme="IOBES")


def test_labels_of_the_catalogue(read):
    with pytest.raises(MTLError, match=r"MTL005.*tsv:7: unknown tag 'B-Y'.*one of X"):
        read(GOOD, labels=["X"])
    with pytest.raises(MTLError, match=r"MTL005.*tsv:2: unknown tag 'VB'"):
        read("a\tNN\nb\tVB\n", scheme=None, labels=["NN"])


def test_missing_file(tmp_path):
    with pytest.raises(MTLError, match="MTL001"):
        list(read_conll(tmp_path / "none.tsv", "IOB2", Problems()))


WORDS = st.text(st.characters(exclude_characters="\t\n", exclude_categories=["Cs"]), min_size=1, max_size=6).filter(
    lambda word: not word.startswith((DOCSTART, "\ufeff"))
)
TAGS = st.lists(st.sampled_from(["O", "S-X", "S-Y", "B-X E-X", "B-Y I-Y E-Y"]), min_size=1, max_size=5).map(
    lambda parts: " ".join(parts).split()
)


@pytest.mark.parametrize("scheme", SCHEMES)
@given(st.data())
def test_file_comes_back(scheme, data):
    tags = [convert_tags(found, "IOBES", scheme) for found in data.draw(st.lists(TAGS, min_size=1, max_size=4))]
    sentences = [Sentence([data.draw(WORDS) for _ in found], found) for found in tags]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "x.tsv")
        write_conll(sentences, path)
        found = list(read_conll(path, scheme, Problems()))
        assert [(s.words, s.tags) for s in found] == [(s.words, s.tags) for s in sentences]
        again = Path(folder, "again.tsv")
        write_conll(found, again)
        assert again.read_bytes() == path.read_bytes()


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(content):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "x.tsv")
        path.write_bytes(content)
        problems = Problems("skip")
        for sentence in read_conll(path, "IOB2", problems):
            assert sentence.words and len(sentence.words) == len(sentence.tags)
        try:
            list(read_conll(path, "IOB2", Problems()))
        except MTLError as error:
            assert problems.skipped and re.match(r"\[MTL00[2-6]\]", str(error))
        else:
            assert not problems.skipped


@pytest.mark.parametrize("word", ["", "a\tb", "a\nb", DOCSTART])
def test_words_that_no_line_holds(tmp_path, word):
    with pytest.raises(ValueError, match="does not fit"):
        write_conll([Sentence([word], ["O"])], tmp_path / "x.tsv")


def test_documents_are_marked_unless_told_not_to(tmp_path):
    path = tmp_path / "x.tsv"
    sentences = [Sentence(["a"], ["O"], document="1"), Sentence(["b"], ["O"], document="1"), Sentence(["c"], ["O"])]
    write_conll(sentences, path)
    assert path.read_text() == f"{DOCSTART}\tO\n\na\tO\n\nb\tO\n\nc\tO\n\n"
    write_conll(sentences, path, mark_documents=False)
    assert path.read_text() == "a\tO\n\nb\tO\n\nc\tO\n\n"


def test_byte_order_marks_of_files_that_were_put_together(read):
    part = "\ufeffTP53\tB-X\n\n"
    assert [sentence.words for sentence in read(part * 2)[0]] == [["TP53"], ["TP53"]]
