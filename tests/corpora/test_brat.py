import json
from pathlib import Path

import pytest
from hypothesis import assume, given, settings

from spacy_mtl_bioner.annotate.formats.brat import WRITER
from spacy_mtl_bioner.annotate.records import Annotated, Entity
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
    assume(not any(document.text.startswith("\ufeff") for document in made))  # which is no part of a file's text
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


@pytest.mark.parametrize(
    "said, span, text",
    [
        ("Staphylococcus\naureus", "13 27;28 34", "Staphylococcus aureus"),
        ("Staph\r\naureus", "13 18;20 26", "Staph aureus"),
        ("a \n\n b\tc d", "13 14;18 19;20 23", "a b c d"),
        ("\nab", "13 16", " ab"),
        ("a\u2028b", "13 16", "a\u2028b"),
    ],
)
def test_a_mention_over_line_ends_is_written_in_parts(tmp_path, said, span, text):
    """BRAT refuses a span that holds one."""
    whole = f"Infection of {said} é"
    made = Document("1", whole, [Mention(13, 13 + len(said), "Species", said, "9606"), Mention(0, 9, "X")])
    write_brat(tmp_path, [made])
    rows = (tmp_path / "1.ann").read_bytes().decode().split("\n")
    assert rows[:2] == [f"T1\tSpecies {span}\t{text}", f"N1\tReference T1 9606\t{text}"]
    (document,), problems = read(read_brat, tmp_path)
    assert document.text == whole and not problems.summary()
    assert spans(document) == [(0, 9, "X", ""), (13, 13 + len(said), "Species", "9606")]


def test_parts_however_far_apart_cost_nothing(tmp_path):
    path = write(tmp_path, GOOD + "T3\tCell 5 10;999999999999 999999999999\tbinds \n")
    assert read(read_brat, path, "skip")[1].skipped


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


@pytest.mark.parametrize("names", [("1.TXT", "1.ANN"), ("1.txt", "1.Ann")])
def test_suffixes_in_any_case(tmp_path, names):
    write(tmp_path, GOOD)
    for old, new in zip(("1.txt", "1.ann"), names):
        (tmp_path / old).rename(tmp_path / new)
    (document,), _ = read(read_brat, tmp_path)
    assert (document.id, len(document.mentions)) == ("1", 2)
    assert len(read(read_brat, tmp_path / names[1])[0]) == 1


def test_two_files_that_differ_in_case_alone(tmp_path):
    (write(tmp_path, GOOD) / "1.TXT").write_text("Other")
    if len(list(tmp_path.iterdir())) < 3:
        pytest.skip("a file system that does not tell cases apart")
    with pytest.raises(MTLError, match=r"MTL034\] .*1.txt: found 1.TXT beside it"):
        read(read_brat, tmp_path)


def test_links_are_followed_but_not_in_circles(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "linked").mkdir()
    write(write(tmp_path / "folder", GOOD), GOOD, name=".hidden")
    write(tmp_path / "linked", GOOD, name="2")
    (tmp_path / "folder" / "sub").symlink_to(tmp_path / "linked")
    (tmp_path / "folder" / "3.txt").symlink_to(tmp_path / "folder" / "1.txt")
    (tmp_path / "folder" / "3.ann").symlink_to(tmp_path / "folder" / "1.ann")
    (tmp_path / "linked" / "back").symlink_to(tmp_path / "folder")
    found, _ = read(read_brat, tmp_path / "folder")
    assert [document.id for document in found] == ["1", "3", "sub/2"]


@pytest.mark.parametrize("suffix", [".a1", ".A2"])
def test_annotation_in_the_divided_form_is_not_passed_over(tmp_path, suffix):
    write(tmp_path, GOOD, name="2")
    path = write(tmp_path, "")
    (path / f"1{suffix}").write_text(GOOD)
    (path / "no text.a1").write_text(GOOD)
    with pytest.raises(MTLError, match=rf"MTL041\] .*1{suffix}: .*cat NAME.a1 NAME.a2 > NAME.ann"):
        read(read_brat, path)
    (path / "1.ann").unlink()
    found, problems = read(read_brat, path, "skip")
    assert [document.id for document in found] == ["2"] and problems.skipped == {"MTL041": 1}


def test_empty_and_absent_folder(tmp_path):
    with pytest.raises(MTLError, match="MTL003"):
        read(read_brat, tmp_path)
    with pytest.raises(MTLError, match="MTL001"):
        read(read_brat, tmp_path / "absent", "skip")


@pytest.mark.parametrize("counted", ["code points", "bytes", "UTF-16", "one for CRLF"])
def test_a_mention_whose_text_differs_moves_no_other(tmp_path, counted):
    """How offsets count is what the most mentions say, not all of them."""
    text = "An 😀 of\r\nIL-2 and\r\nCD25 or\r\nCD4 here.\r\n"
    kept = text.replace("\r\n", "\n") if counted == "one for CRLF" else text
    sizes = {"bytes": ("utf-8", 1), "UTF-16": ("utf-16-le", 2)}
    encoding, width = sizes.get(counted, ("utf-32-le", 4))

    def offset(at):
        return len(kept[:at].encode(encoding)) // width

    rows = ""
    for number, (name, said) in enumerate([("IL-2", "IL-2"), ("CD25", "cd25"), ("CD4", "CD4")]):
        start = kept.index(name)
        rows += f"T{number}\tGene {offset(start)} {offset(start + len(name))}\t{said}\n"
    (document,), problems = read(read_brat, write(tmp_path, rows, text))
    assert [document.text[m.start : m.end] for m in document.mentions] == ["IL-2", "CD25", "CD4"]
    assert document.text == kept and problems.warned["mention text"] == 1


@pytest.mark.parametrize("mark", [0, 1, 3])
def test_a_byte_order_mark_counts_or_does_not(tmp_path, mark):
    """BRAT itself counts it as a character, programs in C as three bytes; it is no part of the text."""
    rows = f"T1\tGene {0 + mark} {4 + mark}\tIL-2\nT2\tGene {11 + mark} {15 + mark}\tCD25\n"
    (document,), problems = read(read_brat, write(tmp_path, rows, "\ufeff" + TEXT))
    assert document.text == TEXT and [m.text for m in document.mentions] == ["IL-2", "CD25"]
    assert [(m.start, m.end) for m in document.mentions] == [(0, 4), (11, 15)] and not problems.summary()


def test_parts_are_held_together_by_the_white_space_of_any_unit(tmp_path):
    text = "😀😀 binds\nCD25 here.\n"
    at = len(text[: text.index("binds")].encode("utf-16-le")) // 2
    rows = f"T1\tX {at} {at + 5};{at + 6} {at + 10}\tbinds CD25\nT2\tX {at + 11} {at + 15}\there\n"
    (document,), problems = read(read_brat, write(tmp_path, rows, text))
    assert [text[m.start : m.end] for m in document.mentions] == ["binds\nCD25", "here"]
    assert problems.warned == {"offset unit": 1} and not problems.skipped


def test_several_identifiers_and_those_of_no_mention(tmp_path):
    rows = "T1\tGene 0 4\tIL-2\nN1\tReference T1 MESH:1\tx\nN2\tReference T1 OMIM:2\tx\nN3\tReference T9 A:1\tx\n"
    (document,), problems = read(read_brat, write(tmp_path, rows))
    assert spans(document) == [(0, 4, "Gene", "MESH:1|OMIM:2")] and problems.warned == {"annotation N": 1}


def test_documents_of_one_name_do_not_overwrite_each_other(tmp_path):
    made = [Document(name, text) for name, text in (("a", "one"), ("A", "two"), ("a", "three"), ("", "4"), ("_", "5"))]
    write_brat(tmp_path, made)
    found, _ = read(read_brat, tmp_path)
    assert sorted(document.text for document in found) == sorted(document.text for document in made)
    assert {file.stem for file in tmp_path.iterdir()} == {"a", "A~2", "a~3", "_", "_~2"}


def test_the_notes_of_annotate_are_no_loss_and_others_are_counted(tmp_path):
    entity = Entity(0, 4, "IL-2", "Gene", None, 0.5, (("a", "Gene", 0.5),))
    _, text, annotation = json.loads(WRITER.part([Annotated("1", TEXT, [entity])]))
    ours = annotation.splitlines()[1].replace("T1", "T9")
    for more, count in (("", 0), ("#2\tAnnotatorNotes T1\tcheck this\n", 1), (ours, 1)):
        found, problems = read(read_brat, write(tmp_path, annotation + more, text))
        assert len(found[0].mentions) == 1 and problems.warned["annotation #"] == count
