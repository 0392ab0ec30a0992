"""Ids that stood before: found by the order of the input alone, and made to differ where readers need that."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_mtl_bioner.annotate.annotated import read_annotated
from spacy_mtl_bioner.annotate.chunks import chunks
from spacy_mtl_bioner.annotate.formats import brat
from spacy_mtl_bioner.annotate.formats.base import Columns, Line
from spacy_mtl_bioner.annotate.formats.pubtator import written_id
from spacy_mtl_bioner.annotate.records import Failure
from spacy_mtl_bioner.annotate.repeats import Numbers, Repeats
from spacy_mtl_bioner.annotate.run import annotate_files
from spacy_mtl_bioner.types import Document

from .conftest import lines, read_lines, write_lines
from .test_run import Killed, disturb, everything, load_once, plan  # noqa: F401

IDS = ["1", "2", "1", "1~2", "1", "2", "1"]


def behind(names, written=None, size=2):
    """What is put behind each id, None for a new one."""
    marked = map(Repeats(Columns(), written), chunks([Document(name, "x") for name in names], size))
    return [chunk.repeated.get(number) for chunk in marked for number in range(len(chunk.records))]


def test_an_id_is_held_against_all_before_it():
    assert behind(IDS) == [None, None, "", None, "", "", ""]
    assert behind(IDS, written_id) == [None, None, "~2", "~2", "~3", "~2", "~4"]
    assert behind(["a|b", "a_b", "a\tb", "a b"], written_id) == [None, "~2", None, "~2"]
    assert behind(["Same", "same", "SAME"], brat.written_id) == [None, "~2", "~3"]
    assert behind(["a\ud800", "a\udc00", "a\ufffd"], written_id) == [None, "~2", "~3"]


@given(st.lists(st.sampled_from(["a", "b", "a~2", "a~2~2", "a|", "a_"]), max_size=12), st.integers(1, 4))
def test_what_is_written_differs_however_it_is_cut(names, size):
    said = behind(names, written_id, size)
    assert said == behind(names, written_id, 100)
    made = [written_id(name + (more or "")) for name, more in zip(names, said)]
    assert len(set(made)) == len(made)


@given(st.lists(st.integers(0, 20) | st.integers(2**64 - 20, 2**64 - 1), max_size=60), st.integers(1, 7))
def test_numbers_are_a_set(drawn, recent):
    numbers, expected = Numbers(), set()
    numbers.RECENT = recent
    for number in drawn:
        assert (number in numbers) == (number in expected)
        if number not in expected:
            numbers.add(number)
            expected.add(number)
    assert all((number in numbers) == (number in expected) for number in range(25))


def test_lines_are_looked_at_and_what_cannot_be_read_is_not():
    records = [Line("f", 1, b'{"n": 7, "text": "x"}'), Line("f", 2, b"{"), Failure("7", "[MTL1] x")]
    records += [Line("f", 3, b'{"text": "x"}'), Line("f", 4, b'{"n": 7.0, "text": "x"}'), Document("f:3", "x")]
    (chunk,) = map(Repeats(Columns(id="n")), chunks(records))
    assert chunk.repeated == {4: "", 5: ""} and chunk.records == records


@pytest.mark.parametrize(
    "name, format, ids",
    [
        ("out.pubtator", None, ["1", "2", "1~2", "1~2~2", "1~3", "2~2", "1~4"]),
        ("out.json", None, ["1", "2", "1~2", "1~2~2", "1~3", "2~2", "1~4"]),
        ("out.jsonl", None, IDS),
        ("out", "brat", ["1", "1~2~2", "1~2", "1~3", "1~4", "2", "2~2"]),
    ],
)
def test_repeats_are_told_and_can_be_read(model, tmp_path, name, format, ids):  # noqa: F811
    pytest.importorskip("bioc")
    texts = [{**record, "id": name} for record, name in zip(lines(len(IDS)), IDS)]
    source, output = write_lines(tmp_path / "in.jsonl", texts), tmp_path / name
    summary = annotate_files(plan(model, source, output, format=format))
    assert summary["problems"] == {"repeated id": 4 if name == "out.jsonl" else 5}
    found = list(read_annotated(output))
    assert [document.id for document in found] == ids
    assert sorted(document.text for document in found) == sorted(record["text"] for record in texts)
    if format == "brat":
        names = ["1", "1%7E2~2", "1~2", "1~3", "1~4", "2", "2~2"]
        assert sorted(path.stem for path in output.glob("*.txt")) == names
    if name == "out.jsonl":
        assert [r.get("problems") for r in read_lines(output)][:3] == [None, None, {"repeated id": 1}]


def test_a_failed_document_is_reported_under_its_own_id(poisoned, tmp_path):
    path, code = poisoned
    records = [{**record, "id": "same"} for record in lines(3, d1="POISON")]
    source = write_lines(tmp_path / "in.jsonl", records)
    job = plan(path, source, tmp_path / "out.pubtator", chunk_documents=1)
    job = job._replace(options=job.options.of({"code": str(code)}))
    assert annotate_files(job)["problems"] == {"repeated id": 1}
    assert [document.id for document in read_annotated(tmp_path / "out.pubtator")] == ["same", "same~3"]
    assert [error["id"] for error in read_lines(tmp_path / "out.pubtator.errors.jsonl")] == ["same"]


def test_the_same_bytes_after_an_interruption_and_by_two_processes(model, tmp_path, disturb):  # noqa: F811
    records = [{**record, "id": str(number % 3)} for number, record in enumerate(lines(18))]
    source = write_lines(tmp_path / "in.jsonl", records)
    whole, two = tmp_path / "whole" / "out.pubtator", tmp_path / "two" / "out.pubtator"
    for output, count in ((whole, 0), (two, 2)):
        output.parent.mkdir()
        summary = annotate_files(plan(model, source, output, processes=count, chunk_documents=2))
        assert summary["problems"] == {"repeated id": 15}
    assert everything(two) == everything(whole)
    for moment in (9, 17, 26):
        output = tmp_path / str(moment) / "out.pubtator"
        output.parent.mkdir()
        disturb.at(moment)
        with pytest.raises(Killed):
            annotate_files(plan(model, source, output, chunk_documents=2))
        disturb.stop()
        summary = annotate_files(plan(model, source, output, chunk_documents=2), resume=True)
        assert summary["run"]["resumed after chunks"] > 0 and summary["problems"] == {"repeated id": 15}
        assert everything(output) == everything(whole)
