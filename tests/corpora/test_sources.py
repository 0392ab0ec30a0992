"""Files as bytes: what happens to them while they are read."""

import pytest

from spacy_mtl_bioner.corpora import sources
from spacy_mtl_bioner.corpora.sources import files_below, files_of, numbered_lines, open_bytes, read_bytes
from spacy_mtl_bioner.errors import MTLError


def test_reading_that_fails_after_the_opening_is_a_coded_error(tmp_path, monkeypatch):
    path = tmp_path / "x.tsv"
    path.write_bytes(b"a\nb\n")

    def failing(stream):
        yield 1, stream.readline()
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(sources, "lines_of", failing)
    with pytest.raises(MTLError, match=r"MTL001.*x\.tsv.*Input/output error"):
        list(numbered_lines(path))


def test_other_errors_pass(tmp_path):
    (tmp_path / "x").write_bytes(b"")
    with pytest.raises(KeyError), open_bytes(tmp_path / "x"):
        raise KeyError("of whoever reads")


def test_files_of_a_folder(tmp_path):
    names = ["b.txt", "a.TXT.gz", "sub/c.txt", ".hidden.txt", ".git/d.txt", "x.job/e.txt", "f.xml", "txt"]
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = [path.relative_to(tmp_path).as_posix() for path in files_of(tmp_path, (".txt",))]
    assert found == ["a.TXT.gz", "b.txt", "sub/c.txt", "x.job/e.txt"]
    assert {path.name for path in files_below(tmp_path, (".job",))} == {"b.txt", "a.TXT.gz", "c.txt", "f.xml", "txt"}
    with pytest.raises(MTLError, match=r"MTL042.*: no file in this folder ends in .pdf, .doc, "):
        files_of(tmp_path, (".pdf", ".doc"))
    with pytest.raises(MTLError, match=r"MTL001.*none"):
        list(files_below(tmp_path / "none"))


def test_a_link_to_nothing_is_a_file_that_cannot_be_read(tmp_path):
    (tmp_path / "a.txt").symlink_to("not-fetched")
    (found,) = files_of(tmp_path, (".txt",))
    with pytest.raises(MTLError, match=r"MTL001.*a\.txt"):
        read_bytes(found)
