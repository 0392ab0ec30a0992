"""The same job on a cluster, with Ray Data (extra ``ray``): parts of the output by actors, each with its pipeline.

Ray reads the files, cuts batches and hands them to actors that each loaded the pipeline once; what a batch becomes is
one file of the output folder, written by its actor and then only reported, so that no document crosses the cluster
twice. A file's name comes from the task that Ray retries where a worker is lost: doing it again writes the same file
again, and only files that are reported end up in the output. The model, the input and the output must be paths that
every node sees.
"""

import json
import os
import re
import shutil
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Optional

from ..errors import E350, E359, E363, MTLError
from .chunks import DOCUMENTS
from .formats import WRITERS, get_writer
from .formats.base import Columns, Line, StreamWriter
from .formats.fields import FAILURE
from .inputs import STDIN, Inputs
from .journal import error_line, remove, write_whole
from .companions import ERRORS, JOB, SUMMARY, companion
from .lock import OutputLock, named
from .records import Failure
from .reports import Settings, Totals, disk_error
from .run import digest
from .sinks import publish


class Cluster(NamedTuple):
    """How much of a cluster to use. ``gpus``: GPUs a worker; None: one each where the cluster has any.

    address: of the cluster; None: the one that this process is part of, else this machine.
    """

    workers: int = 2
    gpus: Optional[float] = None
    batch: int = DOCUMENTS
    address: Optional[str] = None


Progress = Callable[[Dict[str, int]], None]


def annotate_on_ray(
    settings: Settings,
    inputs: Inputs,
    output: Path,
    cluster: Cluster = Cluster(),
    progress: Optional[Progress] = None,
    overwrite: bool = False,
) -> Dict[str, Any]:
    """Do a job; returns its summary. ``output`` is a folder of parts, which appears when all is done.

    Documents that failed are in ``OUTPUT.errors.jsonl``. Raises MTL350 where the output or an unfinished
    job exists, MTL360 where another process is at work, MTL363 where Ray is missing, MTL359 for standard
    input and for a format without parts (BRAT), MTL353 where the output cannot be written, and what a worker raises
    that is coded.
    """
    ray = library()
    if inputs.path == STDIN:
        raise MTLError(E359(option="INPUT", found=STDIN, expected="files, which every worker can read"))
    output = named(output)
    inputs.keep_from(output)
    if getattr(get_writer(settings.format), "unpack", None):
        raise MTLError(E359(option="--to", found=settings.format, expected="a format of files with many documents"))
    digest(settings.model)
    if output.exists() and not overwrite:
        raise MTLError(E350(path=output))
    working = companion(output, JOB).resolve()
    if working.exists() and not overwrite:  # a job that was killed; there is nothing to go on with
        raise MTLError(E350(path=working))
    try:
        with OutputLock(output):
            return _job(ray, settings, inputs, output, working, cluster, progress)
    except OSError as error:
        raise disk_error(working, error) from error


def _job(
    ray: Any,
    settings: Settings,
    inputs: Inputs,
    output: Path,
    working: Path,
    cluster: Cluster,
    progress: Optional[Progress],
) -> Dict[str, Any]:
    """Start the cluster, do the job, clear up."""
    if not ray.is_initialized():
        ray.init(address=cluster.address)
    remove(working)
    working.mkdir()
    began = time.perf_counter()
    try:
        reports = _reports(ray, settings, inputs, working, cluster, progress)
        seconds = time.perf_counter() - began
        return _publish(settings, output, working, reports, seconds, cluster, inputs.passed_over)
    except ray.exceptions.RayError as error:
        coded = _coded(error)
        if coded is None:
            raise
        raise coded from error
    finally:
        shutil.rmtree(working, ignore_errors=True)


def _coded(error: Exception) -> Optional[MTLError]:
    """The coded error of an actor, if there is one: Ray keeps what it said, but not always what it was."""
    found = re.search(r"MTLError: (\[MTL\d+\] .*)", str(error))
    return None if found is None else MTLError(found[1])


def library() -> Any:
    """The library. Raises MTL363 where it is missing."""
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise MTLError(E363(what="--engine ray", library="ray", extra="ray")) from error
    return ray


def _reports(
    ray: Any, settings: Settings, inputs: Inputs, working: Path, cluster: Cluster, progress: Optional[Progress]
) -> List[Dict[str, Any]]:
    """Run the job; what became of each batch, in the order of the input."""
    gpus = cluster.gpus if cluster.gpus is not None else float(ray.cluster_resources().get("GPU", 0) > 0)
    if gpus:
        settings = settings._replace(options=_on_gpu(settings.options))
    ray.data.DataContext.get_current().execution_options.preserve_order = True
    tagged = _records(ray, inputs).map_batches(
        TagBatches,
        fn_constructor_kwargs={"settings": settings, "folder": str(working)},
        batch_size=cluster.batch,
        batch_format="pandas",
        compute=ray.data.ActorPoolStrategy(size=cluster.workers),
        num_gpus=gpus or None,
    )
    reports = []
    for row in tagged.iter_rows():
        reports.append(json.loads(row["report"]))
        if progress is not None:
            progress(reports[-1]["counts"])
    return reports


def _on_gpu(options: Any) -> Any:
    return replace(options, device="cuda:0")  # Ray shows a worker its own GPUs alone


def _records(ray: Any, inputs: Inputs) -> Any:
    """A Ray dataset: a document each, as a line of JSONL with the name and the number that an id is made of."""
    files = [{"path": str(place.path.resolve()), "name": place.name} for place, _ in inputs.files]
    settings = {"format": inputs.format, "columns": inputs.columns}
    return ray.data.from_items(files).flat_map(_read_file, fn_kwargs=settings)


def _read_file(row: Dict[str, str], format: Optional[str], columns: Columns) -> Iterator[Dict[str, Any]]:
    """The documents of one file."""
    for record in Inputs(row["path"], format, columns, row["name"]):
        if isinstance(record, Line):
            yield {"record": record.data, "name": record.name, "number": record.number}
            continue
        if isinstance(record, Failure):
            fields = {columns.id: record.id, FAILURE: record.message}
        else:
            passages = [vars(passage) for passage in record.passages]
            fields = {columns.id: record.id, columns.text: record.text, "passages": passages, "meta": record.meta}
        yield {"record": json.dumps(fields).encode(), "name": row["name"], "number": 0}


class TagBatches:
    """The actor: loads the pipeline once, turns each batch into a file and a report."""

    def __init__(self, settings: Settings, folder: str) -> None:
        import ray

        from .work import Worker

        self.folder, self.task, self.number = Path(folder), "", 0
        actor = ray.get_runtime_context().current_actor
        threading.Thread(target=_end_with, args=(self.folder, actor), daemon=True).start()
        self.error: Optional[MTLError] = None
        try:
            self.worker = Worker(settings)
        except MTLError as error:  # Ray tells what a batch raises, not what a constructor does
            self.error = error

    def __call__(self, batch: Any) -> Dict[str, List[str]]:
        """Tag a batch. Its file is named by the task and the batch's number in it, the same when it is done again."""
        import ray

        from .chunks import Chunk

        if self.error is not None:
            raise self.error
        task = ray.get_runtime_context().get_task_id() or "task"
        self.task, self.number = task, self.number + 1 if task == self.task else 0
        path = self.folder / f"{task}-{self.number}"
        rows = zip(batch["name"], batch["number"], batch["record"])
        records = [Line(name, int(number), line) for name, number, line in rows]
        made = path.with_name(path.name + ".tmp")
        report = self.worker(Chunk(0, records, 0), made)
        _complete(made, self.worker.writer)
        os.replace(made, path)
        failures = [failure._asdict() | {"code": failure.code} for failure in report.failures]
        said = {"file": path.name if report.counts["documents"] else None, "failures": failures}
        said.update(counts=report.counts, entities=report.entities, problems=report.problems)
        return {"report": [json.dumps(said)]}


def _end_with(folder: Path, actor: Any) -> None:
    """End an actor when its job ends, whose folder is then removed: one that Ray started again in place of a lost
    worker may otherwise keep its share of the cluster, and what comes next waits for it."""
    import ray

    while folder.exists():
        time.sleep(1)
    ray.kill(actor)


def _complete(path: Path, writer: Any) -> None:
    """Give the part of a stream what makes it a file of its own."""
    if isinstance(writer, StreamWriter) and (writer.head or writer.foot):
        path.write_bytes(writer.head + path.read_bytes() + writer.foot)


def _publish(
    settings: Settings,
    output: Path,
    working: Path,
    reports: List[Dict[str, Any]],
    seconds: float,
    cluster: Cluster,
    passed_over: Dict[str, int],
) -> Dict[str, Any]:
    """Give the files their names, drop what was not reported, let the output appear."""
    suffix = (WRITERS[settings.format.removesuffix(".gz")].suffixes or ("",))[0]
    suffix += ".gz" * settings.format.endswith(".gz")
    final = working / "output"
    final.mkdir()
    errors: List[bytes] = []
    parts = 0
    for number, report in enumerate(reports):
        if report["file"] is not None:
            os.replace(working / report["file"], final / f"part-{parts:06}{suffix}")
            parts += 1
        errors += [error_line(number, f["id"], f["code"], f["message"]) for f in report["failures"]]
    totals = Totals(reports)
    run = {"seconds": round(seconds, 1), "processes": cluster.workers, "engine": "ray", **totals.rates(seconds)}
    summary = {"output": str(output), "model": settings.model, **totals.summary(), "passed over": passed_over}
    summary["run"] = run
    if errors:
        write_whole(companion(output, ERRORS), b"".join(errors))
    text = json.dumps(summary, indent=2, ensure_ascii=False) + "\n"
    write_whole(companion(output, SUMMARY), text.encode("utf-8", "replace"))
    for old in (output, *([] if errors else [companion(output, ERRORS)])):
        remove(old)
    publish(final, output)
    return summary
