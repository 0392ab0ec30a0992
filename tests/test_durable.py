"""What is flushed, and what Windows refuses to open."""

import os

import pytest

from spacy_mtl_bioner.durable import flush


def test_files_and_folders_are_flushed(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("x")
    flushed, fsync = [], os.fsync
    monkeypatch.setattr(os, "fsync", lambda handle: flushed.append(os.fstat(handle).st_ino) or fsync(handle))
    flush(tmp_path / "file")
    flush(tmp_path)
    assert flushed == [(tmp_path / "file").stat().st_ino, tmp_path.stat().st_ino]


def test_windows_opens_no_folders(tmp_path, monkeypatch):
    def denied(*args):
        raise PermissionError("Windows opens no folder")

    opened = os.open
    with monkeypatch.context() as patched:
        patched.setattr(os, "open", denied)
        with pytest.raises(PermissionError):
            flush(tmp_path)
        patched.setattr(os, "name", "nt")
        assert flush(tmp_path) is None
    assert os.open is opened
