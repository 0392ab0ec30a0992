"""Tables of word vectors, text and binary: what is read, and what is said of what cannot be."""

import gzip
import struct

import numpy
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spacy_mtl_bioner.corpora import vector_tables
from spacy_mtl_bioner.corpora.vector_tables import parse_row, read_table
from spacy_mtl_bioner.errors import MTLError

ROWS = "the 1 2\nrare 3 4\nTP53 5 6\ntp53 7 8\nzebra 9 10\n"


def binary(rows, end=b"\n"):
    """word2vec's binary form, written number by number."""
    data = f"{len(rows)} {len(rows[0][1])}\n".encode()
    for word, numbers in rows:
        data += word.encode() + b" " + b"".join(struct.pack("<f", number) for number in numbers) + end
    return data


@pytest.mark.parametrize(
    "data, code, line",
    [
        (b"a 1 2\nb 1\n", "MTL175", ":2:"),
        (b"a 1 2\nb 1 x\n", "MTL175", ":2:"),
        (b"a 1 2\nb 1 nan\n", "MTL175", ":2:"),
        (b"word\n", "MTL175", ":1:"),
        (b"", "MTL174", ""),
        (b"a 1 2\nb 1 1e300\n", "MTL175", ":2:"),
        (b"3 2\na 1 2\nb 3 4\n", "MTL174.*ends after 2 rows.*3 of its first line", ""),
        (b"1 2\na 1 2 3\n", "MTL175.*expected a word and 2", ":2:"),
        (b"a\t1 2\nb\t3 4\n", r"MTL183.*a tab in the row 'a\\t1 2'", ":1:"),
        (b"a\t1\t2\n", "MTL183", ":1:"),
        (b"2 2\na 1 2\nb\t-.3 4\n", "MTL183", ":3:"),
        (b"1 3\na 1 2\n", "MTL175.*expected a word and 3", ":2:"),
        (b"1 2\n1 2 3 4\n", "MTL175.*expected a word and 2", ":2:"),
        (b"a 1 2\np53 0.5 0.6 0.7\n", "MTL175.*expected a word and 2", ":2:"),
        (b"PK\x03\x04\x14\x00\x00\x00glove.txt 1 2\n", "MTL174.*unpack it", ""),
    ],
)
def test_bad_tables_are_coded_errors(tmp_path, data, code, line):
    path = tmp_path / "table.txt"
    path.write_bytes(data)
    with pytest.raises(MTLError, match=code) as error:
        list(read_table(path))
    assert f"{path}{line}" in str(error.value)


@pytest.mark.parametrize(
    "data",
    [
        b"2 2\na 1 2\nb 3 4\n\n",
        b"a 1 2\n 5 6\nb 3 4\n",
        b"a 1 2\n  \nb 3 4 \n \r\n",
        b"1 2\na 1 2\nb 3 4",
    ],
)
def test_blank_lines_are_no_rows(tmp_path, data):
    path = tmp_path / "table.txt"
    path.write_bytes(data)
    assert [(word, row.tolist()) for word, row in read_table(path)] == [("a", [1, 2]), ("b", [3, 4])]


def test_a_header_tells_the_numbers_of_a_first_word_with_spaces(tmp_path):
    path = tmp_path / "table.txt"
    path.write_text("2 2\n. . 1 2\na\tb 3 4\n")
    assert [(word, row.tolist()) for word, row in read_table(path)] == [(". .", [1, 2]), ("a\tb", [3, 4])]


@pytest.mark.parametrize("name", ["table.txt.gz", "table.bin.gz"])
def test_truncated_archive_and_missing_file(tmp_path, name):
    data = ROWS.encode() * 100 if ".txt" in name else binary([(word, [1.5, 2.5]) for word in "abcdefgh" * 50])
    packed, path, damaged = gzip.compress(data), tmp_path / name, tmp_path / f"damaged-{name}"
    path.write_bytes(packed[: len(packed) // 2])
    damaged.write_bytes(packed[:10] + b"\xff" * 20 + packed[30:])
    for bad in (path, damaged):
        with pytest.raises(MTLError, match="MTL025"):
            list(read_table(bad))
    with pytest.raises(MTLError, match="MTL001"):
        list(read_table(tmp_path / "none.txt"))


@given(
    st.text(st.characters(exclude_characters="\n\r"), min_size=1),
    st.lists(st.floats(-9, 9), min_size=1, max_size=5),
)
def test_a_row_gives_back_word_and_numbers(word, numbers):
    parts = " ".join([word, *map(repr, numbers)]).split(" ")
    found, row = parse_row(parts, len(numbers), "table", 1)
    assert found == word
    assert numpy.array_equal(row, numpy.array(numbers, "float32"))


WORDS = st.text(st.characters(exclude_characters="\n ", exclude_categories=["Cs"]), min_size=1, max_size=9)


@pytest.mark.parametrize("end", [b"", b"\n"])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.tuples(WORDS, st.tuples(*[st.floats(-9, 9, width=32)] * 3)), min_size=1), st.integers(1, 40))
def test_a_binary_table_gives_back_its_rows(tmp_path, monkeypatch, end, rows, block):
    monkeypatch.setattr(vector_tables, "BLOCK", block)
    path = tmp_path / "table.bin"
    path.write_bytes(binary(rows, end))
    found = [(word, tuple(row.tolist())) for word, row in read_table(path)]
    assert found == [(word, tuple(numbers)) for word, numbers in rows]


def test_a_binary_table_is_that_of_the_text(tmp_path):
    rows = [(line.split()[0], [float(part) for part in line.split()[1:]]) for line in ROWS.splitlines()]
    (tmp_path / "a.txt").write_text(ROWS)
    (tmp_path / "a.bin.gz").write_bytes(gzip.compress(binary(rows)))
    text, packed = read_table(tmp_path / "a.txt"), read_table(tmp_path / "a.bin.gz")
    for (word, row), (other, same) in zip(text, packed, strict=True):
        assert word == other and row.dtype == same.dtype == "float32" and numpy.array_equal(row, same)


GOOD = binary([("a", [1, 2]), ("b", [3, 4])])


@pytest.mark.parametrize(
    "data, message",
    [
        (b"", "MTL174.*no header"),
        (b"\xba\x16O/\x0c\x00\x00\x00", "MTL174.*no header.*fastText"),
        (b"2 0\n", "MTL174.*no header"),
        (b"0 2\n", "MTL174.*no row"),
        (GOOD[:-4], "MTL174.*ends in row 2.*2 rows"),
        (b"1 2\n" + b"a" * 5000, "MTL175.*:1:"),
        (binary([("a", [1, 2]), ("b", [3, float("nan")])]), "MTL175.*:2:.*'b'"),
    ],
)
def test_bad_binary_tables_are_coded_errors(tmp_path, data, message):
    path = tmp_path / "table.bin"
    path.write_bytes(data)
    with pytest.raises(MTLError, match=message):
        list(read_table(path))


def test_a_word_that_is_no_text_is_no_reason_to_stop(tmp_path):
    path = tmp_path / "table.bin"
    path.write_bytes(GOOD.replace(b"a ", b"\xff "))
    assert [word for word, _ in read_table(path)] == ["\ufffd", "b"]
    path = tmp_path / "table.txt"
    path.write_bytes(b"\xff 1 2\nb 3 4\n")
    assert [word for word, _ in read_table(path)] == ["\ufffd", "b"]
