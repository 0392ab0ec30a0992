"""Processes that tag: the same bytes as one, and what becomes of a chunk whose process dies."""

import logging
from types import SimpleNamespace

import pytest

from spacy_mtl_bioner.annotate import processes
from spacy_mtl_bioner.annotate.options import Options
from spacy_mtl_bioner.annotate.processes import in_processes
from spacy_mtl_bioner.annotate.run import annotate_files
from spacy_mtl_bioner.annotate.chunks import chunks
from spacy_mtl_bioner.annotate.inputs import Inputs
from spacy_mtl_bioner.errors import MTLError

from .conftest import lines, read_lines, write_lines
from .test_run import plan

pytestmark = pytest.mark.timeout(300)


def test_two_processes_write_the_bytes_of_one(model, tmp_path):
    source = write_lines(tmp_path / "in.jsonl", lines(26))
    for count in (0, 2):
        annotate_files(plan(model, source, tmp_path / f"{count}.jsonl", processes=count))
    assert (tmp_path / "0.jsonl").read_bytes() == (tmp_path / "2.jsonl").read_bytes()


def test_a_process_that_dies_at_a_document_given_up_ends_the_job(monkeypatch, tmp_path):
    """Else another process would be started for ever."""
    dead = SimpleNamespace(fate="exit code 1", ready=True, stop=lambda: None)
    monkeypatch.setattr(processes, "_Process", lambda settings, quiet: dead)
    pool = processes._Pool(None, 1, tmp_path)
    dead.task = processes._Task(None, tmp_path / "0.part", deaths=2, at=3)
    pool._bury(dead)
    assert dead.task.deadly == {3: "exit code 1"} and list(pool.again) == [dead.task]
    with pytest.raises(MTLError, match="MTL364.*exit code 1"):
        pool._bury(dead)


def test_a_deadly_document_costs_itself(poisoned, tmp_path):
    path, code = poisoned
    options = Options(code=str(code))
    source = write_lines(tmp_path / "deadly.jsonl", lines(26, d9="DEADLY"))
    summary = annotate_files(plan(path, source, tmp_path / "deadly-out.jsonl", options=options, processes=2))
    assert (summary["documents"], summary["failed"]) == (25, 1)
    (error,) = read_lines(tmp_path / "deadly-out.jsonl.errors.jsonl")
    assert (error["id"], error["chunk"], error["code"]) == ("d9", 2, "MTL356")
    assert "SIGKILL" in error["message"]
    assert [r["id"] for r in read_lines(tmp_path / "deadly-out.jsonl")] == [f"d{i}" for i in range(26) if i != 9]


@pytest.mark.parametrize("quiet", [False, True])
def test_one_process_alone_warns_of_what_it_loads(monkeypatch, caplog, quiet):
    """Documents are another matter."""
    logger, sent = logging.getLogger("spacy_mtl_bioner"), []

    def work(chunk, part, **settings):
        logger.warning("a document")
        return "done"

    def load(settings):
        logger.warning("loading")
        return work

    def recv(tasks=[(None, None, {}, False)]):
        if sent:
            raise EOFError
        return tasks[0]

    monkeypatch.setattr("spacy_mtl_bioner.annotate.work.Worker", load)
    monkeypatch.setattr(processes.signal, "signal", lambda *arguments: None)
    processes.serve(SimpleNamespace(recv=recv, send=sent.append), None, quiet)
    assert sent == ["done"] and caplog.messages == ["loading"] * (not quiet) + ["a document"]


@pytest.mark.slow
def test_wrong_options_end_the_job_with_their_own_message(model, tmp_path):
    source = write_lines(tmp_path / "in.jsonl", lines(3))
    with pytest.raises(MTLError, match="MTL100"):
        annotate_files(
            plan(model, source, tmp_path / "out", format="jsonl", options=Options(corpora=("nope",)), processes=1)
        )


@pytest.mark.slow
def test_processes_that_die_at_start_end_the_job(poisoned, tmp_path):
    path, _ = poisoned
    (tmp_path / "dies.py").write_text("import os\nos._exit(3)\n", encoding="utf-8")
    settings = plan(path, write_lines(tmp_path / "in.jsonl", lines(3)), tmp_path / "out.jsonl").settings
    settings = settings._replace(options=Options(code=str(tmp_path / "dies.py")))
    with pytest.raises(MTLError, match="MTL364.*exit code 3"):
        list(in_processes(settings, 1, chunks(Inputs(str(tmp_path / "in.jsonl"))), tmp_path))
