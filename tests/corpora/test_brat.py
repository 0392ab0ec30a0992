from pathlib import Path

import pytest
from hypothesis import given, settings

from spacy_mtl_bioner.corpora.brat import read_brat, write_brat
from spacy_mtl_bioner.errors import MTLError
from spacy_mtl_bioner.types import Document, Mention

from .standoff import documents, read, spans, there_and_back

TEXT = "IL-2 binds\nCD25 on T cells.\n"
GOOD = "T1\tGene 0 4\tIL-2\nN1\tReference T1 NCBI:3558\tIL2\nT2\tGene 11 15\tCD25\n"


def write(folder: Path, notes: str, text: str = TEXT, name: str = "1") -> Path:
    (folder / f"{name}.txt").write_bytes(text.encode("utf-8"))
    (folder / f"{name}.ann").write_bytes(notes.encode("utf-8", "surrogateescape"))
    return folder


@settings(deadline=None)
@given(documents())
def test_round_trip(made):
    found, problems = there_and_back(write_brat, read_brat, made, "folder")
    assert [document.text for document in found] == [document.text for document in made]
    assert [spans(document) for document in found] == [spans(document) for document in made]
    assert not problems.summary()


@pytest.mark.parametrize("name", ["PMID:1", "../../up", ".hidden", "", "a/b", "c.txt", "50%"])
def test_names_of_files_stay_in_the_folder(tmp_path, name):
    folder = tmp_path / "deep" / "folder"
    write_brat(folder, [Document(name, "text", [Mention(0, 4, "A b")])])
    assert len(list(tmp_path.rglob("*.*"))) == len(list(folder.iterdir())) == 2
    (document,), _ = read(read_brat, folder)
    assert document.id == (name or "_") and spans(document) == [(0, 4, "A_b", "")]


def test_reads_pairs_of_subfolders_and_single_files(tmp_path):
    (tmp_path / "train").mkdir()
    write(tmp_path / "train", GOOD)
    write(tmp_path, "", name="0")
    (empty, full), problems = read(read_brat, tmp_path)
    assert (empty.id, empty.mentions, full.id, full.text) == ("0", [], "train/1", TEXT)
    assert spans(full) == [(0, 4, "Gene", "NCBI:3558"), (11, 15, "Gene", "")]
    assert not problems.summary()
    assert read(read_brat, tmp_path / "train" / "1.ann")[0][0].mentions == full.mentions


def test_other_annotations_are_counted(tmp_path):
    others = ["R1\tX Arg1:T1 Arg2:T2", "E1\tX:T1", "A1\tNeg T1", "*\tEquiv T1 T2", "#1\tNote T1\tx", "#2\tNote T1\t"]
    (document,), problems = read(read_brat, write(tmp_path, GOOD + "\n".join(others) + "\n\n"))
    assert len(document.mentions) == 2
    assert problems.warned == {f"annotation {kind}": 1 + (kind == "#") for kind in "REA*#"}


@pytest.mark.parametrize("counted", ["as one", "as two"])
def test_crlf(tmp_path, counted):
    start = TEXT.replace("\n", "\r\n").index("CD25") - (counted == "as one")
    notes = f"T1\tGene {start} {start + 4}\tCD25\r\n"
    (document,), problems = read(read_brat, write(tmp_path, notes, TEXT.replace("\n", "\r\n")))
    (mention,) = document.mentions
    assert document.text[mention.start : mention.end] == "CD25" and not problems.summary()


@pytest.mark.parametrize("parts, end", [("5 10;11 15", 15), ("5 8;8 10", 10)])
def test_mention_in_parts_with_nothing_between_is_one(tmp_path, parts, end):
    (document,), problems = read(read_brat, write(tmp_path, f"T1\tX {parts}\t{'binds CD25'[: end - 5]}\n"))
    assert spans(document) == [(5, end, "X", "")] and not problems.summary()


def test_discontinuous_mention_is_left_out_alone(tmp_path):
    path = write(tmp_path, GOOD + "T3\tCell 5 10;19 20\tbinds T\n")
    with pytest.raises(MTLError, match=r"MTL030.*1.ann:4: .* 2 separate parts"):
        read(read_brat, path)
    (document,), problems = read(read_brat, path, "skip")
    assert len(document.mentions) == 2 and problems.skipped == {"MTL030": 1}


@pytest.mark.parametrize(
    "line, code",
    [
        ("T3\tGene 5 99\tbinds", "MTL027"),
        ("T3\tGene 5 5\t", "MTL027"),
        ("T3\tGene 5 10", "MTL034"),
        ("T3 Gene 5 10 binds", "MTL034"),
        ("T3\tGene -5 10\tbinds", "MTL034"),
        ("T3\tGene 5\tbinds", "MTL034"),
        ("T1\tGene 5 10\tbinds", "MTL034"),
        ("nothing of BRAT", "MTL034"),
        ("T3\tGene 5 10\t\udcffinds", "MTL002"),
    ],
)
def test_bad_line_costs_its_document(tmp_path, line, code):
    write(tmp_path, GOOD, name="2")
    path = write(tmp_path, f"{GOOD}{line}\n")
    with pytest.raises(MTLError) as error:
        read(read_brat, path)
    assert str(error.value).startswith(f"[{code}] {path / '1.ann'}:4:")
    found, problems = read(read_brat, path, "skip")
    assert [document.id for document in found] == ["2"] and problems.skipped == {code: 1}


def test_undecodable_text(tmp_path):
    write(tmp_path, GOOD)
    (tmp_path / "1.txt").write_bytes(b"good\nb\xe9d")
    with pytest.raises(MTLError, match=r"MTL002.*1.txt:2:"):
        read(read_brat, tmp_path)


@pytest.mark.parametrize("gone", ["1.txt", "1.ann"])
def test_missing_counterpart(tmp_path, gone):
    write(tmp_path, GOOD, name="2")
    (write(tmp_path, GOOD) / gone).unlink()
    with pytest.raises(MTLError, match=rf"MTL036.*1\.... ?.*{gone}"):
        read(read_brat, tmp_path)
    found, problems = read(read_brat, tmp_path, "skip")
    assert [document.id for document in found] == ["2"] and problems.skipped == {"MTL036": 1}


def test_empty_and_absent_folder(tmp_path):
    with pytest.raises(MTLError, match="MTL003"):
        read(read_brat, tmp_path)
    with pytest.raises(MTLError, match="MTL001"):
        read(read_brat, tmp_path / "absent", "skip")
