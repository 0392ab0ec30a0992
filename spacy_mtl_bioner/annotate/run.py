"""A job from end to end: input to output, by one process or several, to be gone on with after any interruption."""

import hashlib
import json
import time
from functools import partial
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, Iterator, NamedTuple, Optional

from .. import __version__
from ..errors import E357, E365, MTLError
from .chunks import BYTES, DOCUMENTS, Chunk, chunks
from .formats import get_writer, output_format
from .inputs import Inputs
from .journal import Job
from .lock import named
from .options import Options
from .processes import in_processes
from .repeats import Repeats
from .reports import Report, Settings, Totals
from .sinks import BLOCK

Engine = Callable[[Iterable[Chunk], Path], Iterator[Report]]
"""Chunks and the folder for their parts -> reports in order."""

Progress = Callable[[Dict[str, int], int, bool], None]
"""Called after each chunk with its counts, the input's position in bytes, and whether an earlier run did it."""


class Plan(NamedTuple):
    """What to annotate, how, and into what. ``format``: that of the output, None: by its suffix."""

    model: str
    inputs: Inputs
    output: Path
    options: Options = Options()
    format: Optional[str] = None
    processes: int = 1
    threads: int = 1
    chunk_documents: int = DOCUMENTS
    chunk_bytes: int = BYTES

    @property
    def settings(self) -> Settings:
        """What each process is told. Raises MTL358 for an unknown format."""
        name = output_format(self.output, self.format)
        return Settings(str(self.model), self.options, name, self.inputs.columns, self.threads)

    def fingerprint(self) -> Dict[str, Any]:
        """All that the bytes of the output depend on. Raises MTL365 where there is no such pipeline."""
        return {
            "version": __version__,
            "model": digest(self.model),
            "options": self.options.fingerprint(),
            "format": self.settings.format,
            "columns": list(self.inputs.columns),
            "chunks": [self.chunk_documents, self.chunk_bytes],
            "input files": self.inputs.names,
        }


def annotate_files(
    plan: Plan, *, resume: bool = False, overwrite: bool = False, progress: Optional[Progress] = None
) -> Dict[str, Any]:
    """Do a job; returns its summary, which also stands in ``OUTPUT.summary.json``.

    Documents that failed are in ``OUTPUT.errors.jsonl``, if there are any, and counted in the summary. With
    ``overwrite`` an older output stays until the new one is whole. Raises as ``Inputs.keep_from`` and ``Job.open``,
    MTL357 where the input is not what the job was begun on, and what a process meets that is no document's fault;
    what was done is then safe, and ``resume`` goes on.
    """
    plan = plan._replace(output=named(plan.output))
    plan.inputs.keep_from(plan.output)
    settings, fingerprint = plan.settings, plan.fingerprint()
    job = Job(plan.output)
    try:
        sink = get_writer(settings.format).sink(job.folder, plan.output)
        if job.open(fingerprint, sink, resume=resume, overwrite=overwrite):
            return _finished(plan, job)
        began, before, loading = time.perf_counter(), len(job.done), None
        todo = _left(plan, job, progress)
        try:
            for report in _engine(settings, plan.processes)(todo, job.parts):
                if loading is None:
                    loading = max(0.0, time.perf_counter() - began - report.seconds)
                job.commit(report)
                if progress is not None:
                    progress(report.counts, plan.inputs.position, False)
        except MTLError:
            job.abandon()
            raise
        summary = _summary(plan, job, fingerprint, before, time.perf_counter() - began, loading or 0.0)
        job.finish(summary)
        return summary
    finally:
        job.close()


def digest(model: str) -> str:
    """SHA-256 of a pipeline's files: names and contents. Raises MTL365 where there is no such pipeline."""
    folder = Path(model)
    if not folder.is_dir():
        from spacy.util import get_package_path, is_package

        if not is_package(str(model)):
            raise MTLError(E365(model=str(model), reason="no such folder or package"))
        folder = get_package_path(str(model))
    whole = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts):
        whole.update(path.relative_to(folder).as_posix().encode())
        with open(path, "rb") as file:
            while block := file.read(BLOCK):
                whole.update(block)
    return whole.hexdigest()


def _engine(settings: Settings, processes: int) -> Engine:
    """What does chunks; with 0 processes, this one does."""
    return partial(in_processes, settings, processes) if processes else partial(_in_this_process, settings)


def _in_this_process(settings: Settings, todo: Iterable[Chunk], parts: Path) -> Iterator[Report]:
    from .work import Worker

    worker = Worker(settings)
    try:
        for chunk in todo:
            yield worker(chunk, parts / f"{chunk.index}.part")
    finally:
        worker.close()


def _left(plan: Plan, job: Job, progress: Optional[Progress]) -> Iterator[Chunk]:
    """The chunks that are not done; those that are must be what they were (MTL357). Ids of all of them count."""
    done, count = list(job.done), 0
    repeats = Repeats(plan.inputs.columns, getattr(get_writer(plan.settings.format), "written", None))
    for chunk in map(repeats, chunks(plan.inputs, plan.chunk_documents, plan.chunk_bytes)):
        count += 1
        if chunk.index >= len(done):
            yield chunk
        elif done[chunk.index]["checksum"] != chunk.checksum:
            raise MTLError(E357(where=f"chunk {chunk.index}"))
        elif progress is not None:
            progress(done[chunk.index]["counts"], plan.inputs.position, True)
    if count < len(done):
        raise MTLError(E357(where=f"chunk {count}"))


def _summary(
    plan: Plan, job: Job, fingerprint: Dict[str, Any], before: int, seconds: float, loading: float
) -> Dict[str, Any]:
    """Totals over the whole job; ``run`` is about this run alone, after ``before`` chunks of earlier ones. Rates leave
    out the time until the first process had loaded the pipeline."""
    return {
        "output": str(plan.output),
        "model": str(plan.model),
        **Totals(job.done).summary(),
        "passed over": plan.inputs.passed_over,
        "run": {
            "resumed after chunks": before,
            "seconds": round(seconds, 1),
            "loading": round(loading, 1),
            **Totals(job.done[before:]).rates(max(seconds - loading, 1e-9)),
            "processes": plan.processes,
        },
        "job": fingerprint,
        "input": _told_by(entry["checksum"] for entry in job.done),
    }


def _told_by(checksums: Iterable[int]) -> Dict[str, Any]:
    """The number of chunks and one digest of their checksums."""
    found = list(checksums)
    return {"chunks": len(found), "sha256": hashlib.sha256(json.dumps(found).encode()).hexdigest()}


def _finished(plan: Plan, job: Job) -> Dict[str, Any]:
    """The summary of a job that was done before. Raises MTL357 where the files given now hold something else."""
    summary = json.loads(job.summary_path.read_text(encoding="utf-8"))
    if plan.inputs.total is not None:  # standard input need not be sent again for nothing
        now = _told_by(chunk.checksum for chunk in chunks(plan.inputs, plan.chunk_documents, plan.chunk_bytes))
        if now != summary.get("input", now):
            raise MTLError(E357(where="which is finished"))
    return {**summary, "run": None}
