"""What is flushed, and what Windows refuses to open."""

import os
from pathlib import Path

import pytest

from spacy_mtl_bioner.durable import flush, make_folder, replacing, write_text
from spacy_mtl_bioner.errors import MTLError


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


def test_a_draft_takes_the_place_of_the_file_when_it_is_whole(tmp_path):
    path = tmp_path / "new" / "file.spacy"
    with replacing(path) as draft:
        draft.write_text("first")
        assert not path.exists() and draft.parent == path.parent and draft.suffix != ".spacy"
    assert path.read_text() == "first" and list(path.parent.iterdir()) == [path]


def test_a_file_stays_where_its_successor_fails(tmp_path):
    path = tmp_path / "file"
    path.write_text("before")
    with pytest.raises(RuntimeError), replacing(path) as draft:
        draft.write_text("half")
        raise RuntimeError("stopped")
    assert path.read_text() == "before" and list(tmp_path.iterdir()) == [path]


def test_text_and_folders_where_a_file_is_in_the_way(tmp_path):
    write_text(tmp_path / "new" / "file", "\u03b2\n")
    assert (tmp_path / "new" / "file").read_bytes() == b"\xce\xb2\n"
    make_folder(tmp_path / "new" / "deep" / "folder")
    make_folder(tmp_path / "new" / "deep")
    for bad in (tmp_path / "new" / "file", tmp_path / "new" / "file" / "inside"):
        with pytest.raises(MTLError, match=f"MTL182.*{bad.name}: "):
            make_folder(bad)
        with pytest.raises(MTLError, match=f"MTL182.*{bad.name}: "):
            write_text(bad / "text", "")
    with pytest.raises(MTLError, match="MTL402.*deep: "):
        write_text(tmp_path / "new" / "deep", "")


def test_links_and_devices_are_written_through(tmp_path):
    target, link = tmp_path / "target.txt", tmp_path / "link.txt"
    target.write_text("old")
    link.symlink_to(target)
    write_text(link, "new")
    assert link.is_symlink() and target.read_text() == "new" and len(list(tmp_path.iterdir())) == 2
    write_text(Path(os.devnull), "nothing")
    assert not Path(os.devnull).is_file()
