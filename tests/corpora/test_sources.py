"""Files as bytes: what happens to them while they are read."""

import pytest

from spacy_mtl_bioner.corpora import sources
from spacy_mtl_bioner.corpora.sources import numbered_lines, open_bytes
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
