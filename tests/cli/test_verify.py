import hashlib
import json

import pytest
import typer

from spacy_mtl_bioner.cli.verify import verify
from spacy_mtl_bioner.corpora.manifest import digests
from spacy_mtl_bioner.errors import MTLError


@pytest.fixture
def place(tmp_path):
    folder = tmp_path / "corpora" / "a"
    folder.mkdir(parents=True)
    (folder / "train.tsv").write_bytes(b"x\tO\n\n")
    manifest = tmp_path / "checksums.json"
    recorded = {"a/train.tsv": hashlib.sha256(b"x\tO\n\n").hexdigest()}
    manifest.write_text(json.dumps({"mine": {"description": "", "sha256": recorded}}))
    return tmp_path


def check(place, source="mine", record=False, corpora=None):
    verify(
        place / "corpora",
        manifest=place / "checksums.json",
        source=source,
        corpora=corpora,
        record=record,
        report=place / "out" / "verified.json",
    )


def test_recorded_files_pass_and_are_reported(place):
    check(place)
    assert json.loads((place / "out" / "verified.json").read_text())["sha256"] == digests(place / "corpora")


def test_digests_in_capitals(place):
    """As Windows shows them."""
    manifest = place / "checksums.json"
    table = json.loads(manifest.read_text())
    table["mine"]["sha256"] = {name: digest.upper() for name, digest in table["mine"]["sha256"].items()}
    manifest.write_text(json.dumps(table))
    check(place)


def test_a_link_to_a_file_that_was_not_fetched(place):
    (place / "corpora" / "a" / "devel.tsv").symlink_to("annex")
    with pytest.raises(MTLError, match=r"MTL001.*devel\.tsv"):
        check(place)


@pytest.mark.parametrize("text", ["{", "[" * 100_000, "[]", '{"mine": {}}', '{"mine": {"sha256": []}}'])
def test_what_is_no_manifest_is_a_coded_error(place, text):
    (place / "checksums.json").write_text(text)
    with pytest.raises(MTLError, match=r"MTL174.*checksums\.json"):
        check(place)


@pytest.mark.parametrize(
    "change, code",
    [
        (lambda folder: (folder / "train.tsv").write_bytes(b"y\tO\n\n"), "MTL171"),
        (lambda folder: (folder / "test.tsv").write_bytes(b"y\tO\n\n"), "MTL170"),
        (lambda folder: (folder / "train.tsv").rename(folder / "other.tsv"), "MTL172"),
    ],
)
def test_a_file_that_is_not_as_recorded_fails(place, change, code, capsys):
    change(place / "corpora" / "a")
    with pytest.raises(typer.Exit) as stop:
        check(place)
    assert stop.value.exit_code == 1
    assert code in "".join(capsys.readouterr())
    assert not (place / "out").exists()


def test_record_adds_what_is_found_and_then_it_passes(place):
    (place / "corpora" / "a" / "test.tsv").write_bytes(b"y\tO\n\n")
    check(place, record=True)
    check(place)
    check(place, source="new", record=True)
    assert set(json.loads((place / "checksums.json").read_text())) == {"mine", "new"}


def test_record_drops_what_is_gone_from_the_folders_it_looks_at(place, capsys):
    for folder in ("b", "c", "d"):
        (place / "corpora" / folder).mkdir()
        (place / "corpora" / folder / "train.tsv").write_bytes(b"x\tO\n\n")
    (place / "corpora" / "a" / "devel.tsv").write_bytes(b"y\tO\n\n")
    check(place, record=True)
    (place / "corpora" / "a" / "train.tsv").unlink()
    (place / "corpora" / "b" / "train.tsv").unlink()
    (place / "corpora" / "c" / "train.tsv").unlink()
    (place / "corpora" / "c").rmdir()
    check(place, record=True, corpora="d")
    check(place, record=True)
    said = "".join(capsys.readouterr())
    assert [f"{folder}/train.tsv is gone" in said for folder in "abcd"] == [True, True, False, False]
    recorded = json.loads((place / "checksums.json").read_text())["mine"]["sha256"]
    assert set(recorded) == {"a/devel.tsv", "c/train.tsv", "d/train.tsv"}
    check(place)


def test_folders_of_which_nothing_is_recorded_are_passed_over_and_told(place, capsys):
    """Unless they are named; what is added to a recorded one still fails."""
    for folder in ("b", "c"):
        (place / "corpora" / folder).mkdir()
        (place / "corpora" / folder / "train.tsv").write_bytes(b"x\tO\n\n")
    check(place)
    assert "no record of any of their files: b, c" in " ".join("".join(capsys.readouterr()).split())
    assert set(json.loads((place / "out" / "verified.json").read_text())["sha256"]) == {"a/train.tsv"}
    with pytest.raises(typer.Exit):
        check(place, corpora="a,b")
    assert "MTL170" in "".join(capsys.readouterr())
    (place / "corpora" / "a" / "train.tsv").unlink()
    (place / "corpora" / "a").rmdir()
    with pytest.raises(MTLError, match="MTL174.*nothing that source 'mine' records.*a"):
        check(place)


def test_folders_are_made_for_what_is_written(place):
    verify(place / "corpora", place / "new" / "made.json", "mine", None, True, place / "other" / "verified.json")
    assert set(json.loads((place / "new" / "made.json").read_text())) == {"mine"}
    for report, error in ((place / "checksums.json" / "r.json", "MTL182.*s.json: "), (place / "corpora", "MTL402")):
        with pytest.raises(MTLError, match=error):
            verify(place / "corpora", place / "checksums.json", "mine", None, False, report)


def test_a_manifest_that_is_not_there_and_one_with_a_mark(place):
    with pytest.raises(MTLError, match=r"MTL001.*none\.json.*No such file"):
        verify(place / "corpora", place / "none.json", "mine", None, False, None)
    path = place / "checksums.json"
    path.write_text(path.read_text(), encoding="utf-8-sig")
    check(place)


def test_folders_without_such_files_are_passed_over_unless_some_are_recorded(place):
    (place / "corpora" / ".git").mkdir()
    (place / "corpora" / "brat").mkdir()
    (place / "corpora" / "brat" / "1.ann").write_text("")
    check(place)
    with pytest.raises(MTLError, match=r"MTL174.*brat: no \.tsv"):
        check(place, corpora="a,brat")
    (place / "corpora" / "b").mkdir()
    (place / "corpora" / "a" / "train.tsv").rename(place / "corpora" / "b" / "train.tsv")
    with pytest.raises(MTLError, match=r"MTL174.*a: no \.tsv"):
        check(place)
    (place / "corpora" / "b" / "train.tsv").unlink()
    (place / "corpora" / "a").rmdir()
    with pytest.raises(MTLError, match="MTL174.*corpora: no"):
        check(place)


def test_unknown_source_and_missing_folder(place):
    with pytest.raises(MTLError, match="MTL173.*mine"):
        check(place, source="other")
    with pytest.raises(MTLError, match="MTL174"):
        check(place, corpora="a,b")
