"""A folder is the old one or the new one, at whatever call of the operating system the writing stops."""

import errno
import os

import pytest

from spacy_mtl_bioner.errors import MTLError
from spacy_mtl_bioner.training.folders import mended, replaced


class Stopped(BaseException):
    pass


def write(folder, text: str) -> None:
    with replaced(folder) as new:
        (new / "part").mkdir()
        (new / "part" / "file").write_text(text)
        (new / "other").write_text(text)


def read(folder):
    texts = {path.read_text() for path in mended(folder).rglob("*") if path.is_file()}
    assert len(texts) == 1
    return texts.pop()


@pytest.mark.parametrize("at", range(8))
def test_stopped_anywhere(at: int, tmp_path, monkeypatch):
    folder, calls = tmp_path / "out" / "model", []
    write(folder, "first")
    replace, flush = os.replace, os.fsync

    def counted(function):
        def call(*args, **kwargs):
            calls.append(function)
            if len(calls) == at + 1:
                raise Stopped()
            return function(*args, **kwargs)

        return call

    monkeypatch.setattr(os, "replace", counted(replace))
    monkeypatch.setattr(os, "fsync", counted(flush))
    try:
        write(folder, "second")
        done = True
    except Stopped:
        done = False
    monkeypatch.undo()
    # two files and two folders are flushed, then the old folder moves away, the new one to its place, then the parent
    assert done == (at > 6)
    assert read(folder) == ("second" if at > 5 else "first")
    write(folder, "third")
    assert read(folder) == "third" and [path.name for path in folder.parent.iterdir()] == ["model"]


def test_a_failure_leaves_what_was_there(tmp_path):
    write(tmp_path / "model", "first")
    with pytest.raises(ValueError), replaced(tmp_path / "model") as new:
        (new / "other").write_text("half")
        raise ValueError()
    assert read(tmp_path / "model") == "first"
    assert not mended(tmp_path / "nothing").exists()


def test_a_full_disk(tmp_path, monkeypatch):
    write(tmp_path / "model", "first")

    def full(handle):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(MTLError, match="MTL257.*model.*No space left"):
        write(tmp_path / "model", "second")
    monkeypatch.undo()
    assert read(tmp_path / "model") == "first"
