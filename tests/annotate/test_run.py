"""Whole jobs: what is written, what is refused, and what an interruption at any moment leaves behind."""

import gc
import io
import json
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from spacy_mtl_bioner.annotate import journal, sinks, work
from spacy_mtl_bioner.annotate.annotator import Annotator
from spacy_mtl_bioner.annotate.formats.base import Columns
from spacy_mtl_bioner.annotate.inputs import Inputs
from spacy_mtl_bioner.annotate.options import Options
from spacy_mtl_bioner.annotate.run import Plan, annotate_files
from spacy_mtl_bioner.annotate.work import Worker
from spacy_mtl_bioner.errors import MTLError

from .conftest import lines, read_lines, write_lines


class Killed(BaseException):
    """Stands for ``kill -9``: nothing catches it."""


def plan(model, source, output, **settings):
    options = settings.pop("options", Options())
    settings = {"processes": 0, "chunk_documents": 4, **settings}
    inputs = Inputs(str(source), columns=settings.pop("columns", Columns()))
    return Plan(str(model), inputs, output, options, **settings)


_WORKERS = {}


@pytest.fixture(autouse=True)
def load_once(monkeypatch):
    """Loading is most of the time of such small jobs."""

    def cached(settings):
        key = repr(settings)
        if key not in _WORKERS:
            _WORKERS[key] = Worker(settings)
        return _WORKERS[key]

    monkeypatch.setattr(work, "Worker", cached)


@pytest.fixture
def source(tmp_path):
    return write_lines(tmp_path / "in.jsonl", lines(18))


def everything(output: Path):
    """All files of a finished job but for the summary, by name and content."""
    folder = output.parent
    return {path.name: path.read_bytes() for path in folder.glob(output.name + "*") if "summary" not in path.name}


def test_every_document_once_and_in_order(model, source, tmp_path):
    summary = annotate_files(plan(model, source, tmp_path / "out.jsonl"))
    found = read_lines(tmp_path / "out.jsonl")
    assert [(r["id"], r["text"]) for r in found] == [(r["id"], r["text"]) for r in read_lines(source)]
    assert summary["documents"] == 18 and summary["failed"] == 0
    assert sum(summary["entities"].values()) == sum(len(r["entities"]) for r in found) > 18
    assert json.loads((tmp_path / "out.jsonl.summary.json").read_text())["entities"] == summary["entities"]
    assert summary["run"]["documents/s"] > 0 and 0 <= summary["run"]["loading"] <= summary["run"]["seconds"]
    assert set(everything(tmp_path / "out.jsonl")) == {"out.jsonl"}


def test_chunks_change_nothing_but_the_unit_of_work(model, source, tmp_path):
    for number, documents in enumerate((1, 5, 100)):
        annotate_files(plan(model, source, tmp_path / f"{number}.jsonl", chunk_documents=documents))
    made = [[(r["id"], [(e["start"], e["end"], e["label"]) for e in r["entities"]]) for r in read_lines(path)]
            for path in (tmp_path / f"{number}.jsonl" for number in range(3))]
    assert made[0] == made[1] == made[2]


@pytest.fixture
def disturb():
    """Kill the process in place of its ``number``-th fsync or rename from now on."""

    def at(number):
        count = [0]

        def dying(act):
            def acts(*arguments):
                count[0] += 1
                if count[0] == number:
                    raise Killed
                return act(*arguments)

            return acts

        patch.setattr(sinks.os, "fsync", dying(_FSYNC))
        patch.setattr(sinks.os, "replace", dying(_REPLACE))
        return count

    with pytest.MonkeyPatch.context() as patch:
        yield SimpleNamespace(at=at, stop=patch.undo)


_FSYNC, _REPLACE = os.fsync, os.replace


@pytest.mark.parametrize("format", ["jsonl", "pubtator", "csv", "tsv.gz"])
def test_killed_at_any_moment_it_ends_the_same(model, tmp_path, disturb, format):
    source = write_lines(tmp_path / "in.jsonl", lines(9) + [{"id": "bad"}] + lines(3))
    first = tmp_path / "undisturbed"
    first.mkdir()
    annotate_files(plan(model, source, first / "out", format=format))
    expected = everything(first / "out")
    assert set(expected) == {"out", "out.errors.jsonl"}
    moments = 0
    while True:
        moments += 1
        folder = tmp_path / f"killed-{moments}"
        folder.mkdir()
        count = disturb.at(moments)
        try:
            annotate_files(plan(model, source, folder / "out", format=format))
        except Killed:
            disturb.stop()
            for path in (folder / "out.job").glob("*"):
                if path.is_file() and path.name != "job.json":
                    path.write_bytes(path.read_bytes() + b'{"half a li')  # written, but not safe
            annotate_files(plan(model, source, folder / "out", format=format), resume=True)
            assert everything(folder / "out") == expected, moments
            continue
        disturb.stop()
        assert count[0] < moments
        break
    assert moments > 15


def test_what_stands_there_is_refused_or_gone_on_with_never_mixed(model, source, tmp_path, disturb):
    output = tmp_path / "out.jsonl"
    disturb.at(9)
    with pytest.raises(Killed):
        annotate_files(plan(model, source, output))
    disturb.stop()
    assert not output.exists()
    with pytest.raises(MTLError, match="MTL351"):
        annotate_files(plan(model, source, output))
    for other in ({"options": Options(threshold=0.5)}, {"chunk_documents": 5}, {"format": "pubtator"}):
        with pytest.raises(MTLError, match="MTL352"):
            annotate_files(plan(model, source, output, **other), resume=True)
    assert annotate_files(plan(model, source, output), resume=True)["run"]["resumed after chunks"] > 0
    done = output.read_bytes()
    with pytest.raises(MTLError, match="MTL350"):
        annotate_files(plan(model, source, output))
    with pytest.raises(MTLError, match="MTL352"):
        annotate_files(plan(model, source, output, options=Options(threshold=0.5)), resume=True)
    assert annotate_files(plan(model, source, output), resume=True)["run"] is None
    assert output.read_bytes() == done
    annotate_files(plan(model, source, output, options=Options(corpora=("gene",))), overwrite=True)
    assert output.read_bytes() != done


def test_a_job_that_could_not_begin_leaves_nothing_behind(model, source, tmp_path):
    """The same command with the slip mended does, without --overwrite; an older output stays."""
    output = tmp_path / "out.jsonl"
    with pytest.raises(MTLError, match="MTL100"):
        annotate_files(plan(model, source, output, options=Options(corpora=("nope",))))
    assert not output.with_name("out.jsonl.job").exists()
    annotate_files(plan(model, source, output))
    before = output.read_bytes()
    with pytest.raises(MTLError, match="MTL100"):
        annotate_files(plan(model, source, output, options=Options(corpora=("nope",))), overwrite=True)
    assert output.read_bytes() == before and not output.with_name("out.jsonl.job").exists()
    with pytest.raises(MTLError, match="MTL352.*options: {'corpora': None}, now {'corpora': \\['gene'\\]}"):
        annotate_files(plan(model, source, output, options=Options(corpora=("gene",))), resume=True)


def test_the_old_output_stays_until_the_new_one_is_whole(model, source, tmp_path, disturb):
    output = tmp_path / "out.jsonl"
    annotate_files(plan(model, source, output))
    before = output.read_bytes()
    new = plan(model, source, output, options=Options(corpora=("gene",)))
    with pytest.raises(MTLError, match="MTL365"):
        annotate_files(new._replace(model=str(tmp_path / "nope")), overwrite=True)
    disturb.at(9)
    with pytest.raises(Killed):
        annotate_files(new, overwrite=True)
    disturb.stop()
    assert output.read_bytes() == before
    assert annotate_files(new, resume=True)["run"]["resumed after chunks"] > 0
    after = output.read_bytes()
    annotate_files(new._replace(output=tmp_path / "alone.jsonl"))
    assert after == (tmp_path / "alone.jsonl").read_bytes() != before


def test_overwriting_killed_at_any_moment_leaves_the_old_or_can_be_gone_on_with(model, tmp_path, disturb):
    source, output = write_lines(tmp_path / "in.jsonl", lines(6)), tmp_path / "out.jsonl"
    old, new = (plan(model, source, output, options=Options(corpora=(name,))) for name in ("gene", "disease"))
    annotate_files(old)
    before = output.read_bytes()
    whole, killed = {before}, 1
    for moment in range(1, 100, 4):
        disturb.at(moment)
        try:
            annotate_files(new, overwrite=True)
            killed = 0
        except Killed:
            assert not output.exists() or output.read_bytes() in whole
        disturb.stop()
        annotate_files(new, resume=True) if (tmp_path / "out.jsonl.job").exists() else None
        assert output.read_bytes() != before and not (tmp_path / "out.jsonl.job").exists()
        whole.add(output.read_bytes())
        if not killed:
            break
        annotate_files(old, overwrite=True)
    assert moment > 9


@pytest.mark.parametrize("where", ["in", "in.jsonl", ".", "in/deep/out.jsonl", "in/0.jsonl", "out/../in/new"])
def test_no_output_where_the_input_is(model, tmp_path, where):
    (tmp_path / "in").mkdir()
    one = write_lines(tmp_path / "in" / "0.jsonl", lines(2))
    alone = write_lines(tmp_path / "in.jsonl", lines(2))
    given = alone if where == "in.jsonl" else tmp_path / "in"
    for overwrite in (True, False):
        with pytest.raises(MTLError, match="MTL359.*OUTPUT"):
            annotate_files(plan(model, given, tmp_path / where, format="jsonl"), overwrite=overwrite)
    assert one.read_bytes() == alone.read_bytes() and one.exists()


def test_what_stands_beside_an_output_is_no_input(model, tmp_path):
    source = write_lines(tmp_path / "out.jsonl.errors.jsonl", lines(2))
    with pytest.raises(MTLError, match="MTL359.*OUTPUT"):
        annotate_files(plan(model, source, tmp_path / "out.jsonl"))
    (tmp_path / "in" / "x.job").mkdir(parents=True)
    for path in (tmp_path / "in" / "a.jsonl", tmp_path / "in" / "x.job" / "journal.jsonl"):
        write_lines(path, lines(1))
    assert Inputs(str(tmp_path / "in")).names == ["a"]


def test_a_refusal_leaves_nothing_behind(model, source, tmp_path):
    output = tmp_path / "out.jsonl"
    annotate_files(plan(model, source, output))
    there = sorted(tmp_path.iterdir())
    with pytest.raises(MTLError, match="MTL352"):
        annotate_files(plan(model, source, output, chunk_documents=5), resume=True)
    output.with_name("out.jsonl.summary.json").rename(tmp_path / "aside")
    with pytest.raises(MTLError, match="MTL350"):
        annotate_files(plan(model, source, output), resume=True)
    (tmp_path / "aside").rename(output.with_name("out.jsonl.summary.json"))
    assert sorted(tmp_path.iterdir()) == there


def test_other_input_of_a_finished_job_is_found_out(model, source, tmp_path):
    """The same name and size, and one word another."""
    output = tmp_path / "out.jsonl"
    annotate_files(plan(model, source, output))
    assert annotate_files(plan(model, source, output), resume=True)["run"] is None
    before, size = output.read_bytes(), source.stat().st_size
    source.write_bytes(source.read_bytes().replace(b"asthma", b"asthmb", 1))
    assert source.stat().st_size == size
    with pytest.raises(MTLError, match="MTL357.*finished"):
        annotate_files(plan(model, source, output), resume=True)
    assert output.read_bytes() == before


def test_other_input_is_found_out(model, source, tmp_path, disturb):
    for number, change in enumerate((lambda r: r[:1] + lines(18)[2:] + r[1:2], lambda r: r[:3])):
        output = tmp_path / f"{number}.jsonl"
        write_lines(source, lines(18))
        disturb.at(20)
        with pytest.raises(Killed):
            annotate_files(plan(model, source, output))
        disturb.stop()
        write_lines(source, change(lines(18)))
        with pytest.raises(MTLError, match="MTL357"):
            annotate_files(plan(model, source, output), resume=True)


def test_a_foreign_file_is_not_taken_for_a_result(model, source, tmp_path):
    (tmp_path / "out.jsonl").write_text("mine")
    with pytest.raises(MTLError, match="MTL350"):
        annotate_files(plan(model, source, tmp_path / "out.jsonl"), resume=True)
    assert (tmp_path / "out.jsonl").read_text() == "mine"


def test_damage_is_found_out(model, source, tmp_path, disturb):
    output = tmp_path / "out.jsonl"
    disturb.at(20)
    with pytest.raises(Killed):
        annotate_files(plan(model, source, output))
    disturb.stop()
    (tmp_path / "out.jsonl.job" / "output").write_bytes(b"")
    with pytest.raises(MTLError, match="MTL367"):
        annotate_files(plan(model, source, output), resume=True)


def test_two_runs_at_once_are_refused(model, source, tmp_path):
    output = tmp_path / "out.jsonl"
    job = journal.Job(output)
    one = plan(model, source, output)
    sink = sinks.StreamSink(job.folder / "output")
    assert job.open(one.fingerprint(), sink, resume=False, overwrite=False) is False
    for choice in ({"resume": True}, {"overwrite": True}):
        with pytest.raises(MTLError, match="MTL360"):
            annotate_files(one, **choice)
    job.close()
    assert annotate_files(one, resume=True)["documents"] == 18


def test_bad_documents_are_reported_and_the_rest_is_right(poisoned, tmp_path):
    path, code = poisoned
    records = lines(12, d5="POISON", d7="asthma")
    records[2] = {"id": "no text"}
    source = write_lines(tmp_path / "in.jsonl", records)
    with open(source, "ab") as file:
        file.write(b'{"broken\n\xff\xfe{}\n[1]\n')
    summary = annotate_files(plan(path, source, tmp_path / "out.jsonl", options=Options(code=str(code))))
    assert (summary["documents"], summary["failed"]) == (10, 5)
    assert [r["id"] for r in read_lines(tmp_path / "out.jsonl")] == [f"d{i}" for i in range(12) if i not in (2, 5)]
    errors = read_lines(tmp_path / "out.jsonl.errors.jsonl")
    assert [(e["id"], e["chunk"], e["code"]) for e in errors] == [
        ("no text", 0, "MTL362"),
        ("d5", 1, "MTL355"),
        ("in:13", 3, "MTL362"),
        ("in:14", 3, "MTL362"),
        ("in:15", 3, "MTL362"),
    ]


def test_no_space_left_is_coded_and_resumable(model, source, tmp_path, monkeypatch):
    output, write = tmp_path / "out.jsonl", Path.write_bytes

    def full(path, data):
        if path.name == "2.part":
            raise OSError(28, "No space left on device")
        return write(path, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(MTLError, match="MTL353.*no space left"):
        annotate_files(plan(model, source, output))
    monkeypatch.undo()
    assert annotate_files(plan(model, source, output), resume=True)["run"]["resumed after chunks"] == 2
    assert len(read_lines(output)) == 18


def test_a_gpu_that_breaks_ends_the_job_which_can_be_gone_on_with(model, source, tmp_path, monkeypatch):
    """It breaks for good: no document is written off."""
    output, count = tmp_path / "out.jsonl", [0]
    annotate_files(plan(model, source, tmp_path / "whole.jsonl"))

    def breaking(self, documents, corpora):
        count[0] += 1
        if count[0] > 2:
            raise RuntimeError("CUDA error: an illegal memory access was encountered")
        return tag(self, documents, corpora)

    tag = Annotator._tag
    monkeypatch.setattr(Annotator, "_tag", breaking)
    with pytest.raises(MTLError, match="MTL368"):
        annotate_files(plan(model, source, output))
    monkeypatch.undo()
    assert annotate_files(plan(model, source, output), resume=True)["run"]["resumed after chunks"] == 2
    assert everything(output) == {"out.jsonl": (tmp_path / "whole.jsonl").read_bytes()}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.parametrize("what", ["sink", "journal"])
def test_a_full_disk_is_told_as_such_and_keeps_no_file_open(model, source, tmp_path, monkeypatch, what):
    """Closing flushes again, and fails again."""
    output, commit, logs = tmp_path / "out.jsonl", journal.Job.commit, []

    def full(job, report):
        if report.index == 2:
            log = job.sink.log if what == "sink" else job._journal
            log.close()
            log._file = open("/dev/full", "wb")
            log._file.write(b"what does not fit")
            logs.append((log, log._file))
        commit(job, report)

    monkeypatch.setattr(journal.Job, "commit", full)
    with pytest.raises(MTLError, match="MTL353.*no space left"):
        annotate_files(plan(model, source, output))
    monkeypatch.undo()
    ((log, file),) = logs
    assert log._file is None and file.closed
    assert annotate_files(plan(model, source, output), resume=True)["run"]["resumed after chunks"] == 2
    assert len(read_lines(output)) == 18


@pytest.mark.parametrize("name, options", [("out.parquet", {}), ("out", {"format": "brat"})])
def test_the_old_output_stays_where_the_new_one_cannot_be_made(model, source, tmp_path, monkeypatch, name, options):
    """Which is known only when all chunks are done."""
    pytest.importorskip("pyarrow")
    output = tmp_path / name
    output.mkdir()
    (output / "precious").write_text("mine")
    for sink, build in ((sink, sink.build) for sink in (sinks.StreamSink, sinks.ShardSink)):

        def full(self, build=build):
            build(self)
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(sink, "build", full)
    with pytest.raises(MTLError, match="MTL353.*no space left"):
        annotate_files(plan(model, source, output, **options), overwrite=True)
    assert (output / "precious").read_text() == "mine"
    monkeypatch.undo()
    assert annotate_files(plan(model, source, output, **options), resume=True)["run"]["resumed after chunks"] == 5
    assert not (output / "precious").exists() and output.exists()


def test_failed_documents_do_not_tie_a_job_to_a_way_to_say_its_path(model, tmp_path, monkeypatch):
    (tmp_path / "in.pubtator").write_text("1|t|only a title\n\n2|t|asthma\n2|a|in mice\n\n")
    summary = annotate_files(plan(model, tmp_path / "in.pubtator", tmp_path / "out.jsonl"))
    assert (summary["documents"], summary["failed"]) == (1, 1)
    monkeypatch.chdir(tmp_path)
    assert annotate_files(plan(model, "in.pubtator", tmp_path / "out.jsonl"), resume=True)["run"] is None


def test_the_collector_passes_over_the_pipeline_while_the_job_lasts(model, source):
    gc.unfreeze()
    worker = Worker(plan(model, source, Path("x.jsonl")).settings)
    assert gc.get_freeze_count() > 10_000
    worker.close()
    assert gc.get_freeze_count() == 0


def test_what_the_format_cannot_hold_costs_itself(model, tmp_path, monkeypatch):
    source = write_lines(tmp_path / "in.jsonl", lines(6))
    worker = Worker(plan(model, source, Path("x.jsonl")).settings)

    def picky(documents):
        if any(document.id == "d2" for document in documents):
            raise OverflowError("too large")
        return b"".join(document.id.encode() + b"\n" for document in documents)

    worker.writer = SimpleNamespace(part=picky)
    monkeypatch.setattr(work, "Worker", lambda settings: worker)
    summary = annotate_files(plan(model, source, tmp_path / "out.jsonl"))
    assert (summary["documents"], summary["failed"]) == (5, 1)
    assert (tmp_path / "out.jsonl").read_bytes().split() == [b"d0", b"d1", b"d3", b"d4", b"d5"]
    (error,) = read_lines(tmp_path / "out.jsonl.errors.jsonl")
    assert (error["id"], error["code"]) == ("d2", "MTL354")


def test_files_that_options_name_are_known_by_what_they_hold(tmp_path):
    code = tmp_path / "code.py"
    found = []
    for text in ("a = 1", "a = 2"):
        code.write_text(text)
        found.append(Options(code=str(code), label_map="default").fingerprint())
    assert found[0]["code"] != found[1]["code"] and found[0]["label_map"] == "default"


def test_a_folder_that_cannot_be_made_is_coded(model, source, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(MTLError, match="MTL353"):
        annotate_files(plan(model, source, tmp_path / "file" / "out.jsonl"))


def test_nothing_in_nothing_out(model, tmp_path):
    source = write_lines(tmp_path / "in.jsonl", [])
    assert annotate_files(plan(model, source, tmp_path / "out.jsonl"))["documents"] == 0
    assert (tmp_path / "out.jsonl").read_bytes() == b""


def test_fields_that_are_not_ours_stay(model, tmp_path):
    source = write_lines(tmp_path / "in.jsonl", [{"pmid": 7, "body": "asthma", "year": 2001, "meta": {"a": [1]}}])
    annotate_files(plan(model, source, tmp_path / "out.jsonl", columns=Columns("body", "pmid")))
    (record,) = read_lines(tmp_path / "out.jsonl")
    assert (record["id"], record["text"], record["meta"]) == ("7", "asthma", {"a": [1], "year": 2001})


def test_standard_input_is_gone_on_with(model, source, tmp_path, disturb, monkeypatch):
    """What was read before must be sent again; other lines are refused, as of a file."""

    def send(data, output, **settings):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(data))))
        return annotate_files(plan(model, "-", output), **settings)

    send(source.read_bytes(), tmp_path / "whole.jsonl")
    output = tmp_path / "out.jsonl"
    disturb.at(9)
    with pytest.raises(Killed):
        send(source.read_bytes(), output)
    disturb.stop()
    with pytest.raises(MTLError, match="MTL357"):
        send(source.read_bytes().replace(b"d0", b"e0"), output, resume=True)
    assert send(source.read_bytes(), output, resume=True)["run"]["resumed after chunks"] > 0
    assert output.read_bytes() == (tmp_path / "whole.jsonl").read_bytes()


@pytest.mark.parametrize("where", [".", ".."])
def test_a_folder_without_a_name_is_one_that_is_there(model, source, tmp_path, monkeypatch, where):
    (tmp_path / "a" / "b").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "a" / "b")
    with pytest.raises(MTLError, match="MTL350"):
        annotate_files(plan(model.resolve(), source.resolve(), Path(where), format="brat"))
    assert not list(tmp_path.rglob("*.job")) and not list(tmp_path.rglob("*.lock"))
