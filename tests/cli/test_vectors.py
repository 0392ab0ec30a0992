import gzip

import pytest
import spacy
from spacy.tokens import Doc, DocBin

from spacy_mtl_bioner.cli.vectors import vectors
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


def test_the_folder_is_made_before_the_table_is_read(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(MTLError, match="MTL182.*file"):
        vectors(tmp_path / "file", table=tmp_path / "none.txt", corpora=None, top=5, also="")
    vectors(tmp_path / "new" / "deep", table=None, corpora=None, top=5, also="")


def test_a_full_disk_is_a_coded_error(tmp_path, monkeypatch):
    def full(nlp, path):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(spacy.language.Language, "to_disk", full)
    with pytest.raises(MTLError, match="MTL402.*out.*No space left"):
        vectors(tmp_path / "out", table=None, corpora=None, top=5, also="")


@pytest.mark.parametrize("also, kept", [("", False), ("rare, unk", True)])
def test_words_that_are_asked_for_are_kept(tmp_path, also, kept):
    table = tmp_path / "table.txt"
    table.write_text(ROWS)
    vectors(tmp_path / "out", table=table, corpora=None, top=1, also=also)
    assert spacy.load(tmp_path / "out").vocab.has_vector("rare") == kept
