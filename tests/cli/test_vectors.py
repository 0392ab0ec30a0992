import gzip

import numpy
import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import Doc, DocBin

from spacy_mtl_bioner.cli.vectors import parse_row, read_table, vectors
from spacy_mtl_bioner.errors import MTLError

ROWS = "the 1 2\nrare 3 4\nTP53 5 6\ntp53 7 8\nzebra 9 10\n"


@pytest.fixture
def corpora(tmp_path):
    folder = tmp_path / "corpora" / "a"
    folder.mkdir(parents=True)
    nlp = spacy.blank("en")
    DocBin(docs=[Doc(nlp.vocab, ["TP53", "Zebra", "unknown"])]).to_disk(folder / "train.spacy")
    return folder.parent


@pytest.mark.parametrize("header", ["", "5 2\n"])
@pytest.mark.parametrize("packed", [False, True])
def test_words_of_the_corpora_and_the_first_rows_are_kept(tmp_path, corpora, header, packed):
    table = tmp_path / ("table.txt.gz" if packed else "table.txt")
    data = (header + ROWS).encode()
    table.write_bytes(gzip.compress(data) if packed else data)
    vectors(tmp_path / "out", table=table, corpora=corpora, top=1, also="")
    vocab = spacy.load(tmp_path / "out").vocab
    assert vocab.vectors.shape == (4, 2)
    assert {w: vocab.get_vector(w).tolist() for w in ("the", "TP53", "tp53", "zebra")} == {
        "the": [1, 2],
        "TP53": [5, 6],
        "tp53": [7, 8],
        "zebra": [9, 10],
    }
    assert not vocab.has_vector("rare")


def test_without_a_table_the_model_is_blank(tmp_path):
    vectors(tmp_path / "out", table=None, corpora=None, top=5, also="")
    assert spacy.load(tmp_path / "out").vocab.vectors_length == 0


@pytest.mark.parametrize(
    "data, code, line",
    [
        (b"a 1 2\nb 1\n", "MTL175", ":2:"),
        (b"a 1 2\nb 1 x\n", "MTL175", ":2:"),
        (b"a 1 2\nb 1 nan\n", "MTL175", ":2:"),
        (b"word\n", "MTL175", ":1:"),
        (b"", "MTL174", ""),
        (b"\xff 1 2\n", "MTL174", ""),
    ],
)
def test_bad_tables_are_coded_errors(tmp_path, data, code, line):
    path = tmp_path / "table.txt"
    path.write_bytes(data)
    with pytest.raises(MTLError, match=code) as error:
        list(read_table(path))
    assert f"{path}{line}" in str(error.value)


def test_truncated_archive_and_missing_file(tmp_path):
    path = tmp_path / "table.txt.gz"
    packed = gzip.compress(ROWS.encode() * 100)
    path.write_bytes(packed[:40])
    damaged = tmp_path / "damaged.txt.gz"
    damaged.write_bytes(packed[:10] + b"\xff" * 20 + packed[30:])
    for bad in (path, damaged, tmp_path / "none.txt"):
        with pytest.raises(MTLError, match="MTL174"):
            list(read_table(bad))


@given(
    st.text(st.characters(exclude_characters="\n\r"), min_size=1),
    st.lists(st.floats(-9, 9), min_size=1, max_size=5),
)
def test_a_row_gives_back_word_and_numbers(word, numbers):
    parts = " ".join([word, *map(repr, numbers)]).split(" ")
    found, row = parse_row(parts, len(numbers), "table", 1)
    assert found == word
    assert numpy.array_equal(row, numbers)
