"""The job on Ray, on this machine with two workers, one of which is killed on the way."""

import json
import os
import signal
import threading
import time

import pytest

from spacy_mtl_bioner.annotate.formats.base import Columns
from spacy_mtl_bioner.annotate.inputs import Inputs
from spacy_mtl_bioner.annotate.options import Options
from spacy_mtl_bioner.annotate.ray_engine import Cluster, annotate_on_ray
from spacy_mtl_bioner.annotate.reports import Settings
from spacy_mtl_bioner.annotate.run import annotate_files
from spacy_mtl_bioner.errors import MTLError

from .conftest import lines, read_lines, write_lines
from .test_run import plan

ray = pytest.importorskip("ray")
psutil = pytest.importorskip("psutil")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.filterwarnings("ignore"),  # those of Ray
]


@pytest.fixture(scope="module")
def cluster():
    os.environ["RAY_worker_niceness"] = "0"  # Ray's default gives way to whatever else the machine does
    ray.init(num_cpus=3, object_store_memory=200 * 2**20, include_dashboard=False, logging_level="ERROR")
    yield Cluster(workers=2, batch=8)
    ray.shutdown()


def settings(model, format="jsonl", **options):
    return Settings(str(model), Options(**options), format, Columns())


def found(records):
    return [(r["id"], [(e["start"], e["end"], e["label"]) for e in r["entities"]]) for r in records]


def parts(folder):
    return [record for path in sorted(folder.glob("part-*")) for record in read_lines(path)]


def kill_a_worker_once(folder, killed):
    """As soon as there are some parts."""
    while len(list(folder.glob("*-*"))) < 3:
        time.sleep(0.02)
    for process in psutil.process_iter(["pid", "cmdline"]):
        if "TagBatches" in " ".join(process.info["cmdline"] or []):
            os.kill(process.info["pid"], signal.SIGKILL)
            killed.append(process.info["pid"])
            return


def test_the_same_entities_as_one_process_though_a_worker_is_lost(model, tmp_path, cluster):
    source = tmp_path / "in"
    source.mkdir()
    records = lines(600, d7="\ud800 asthma")
    records[11] = {"id": "no text"}
    for number in range(6):
        write_lines(source / f"{number}.jsonl", records[number * 100 : number * 100 + 100])
    annotate_files(plan(model, source, tmp_path / "one.jsonl"))
    killed = []
    folder = tmp_path / "out.job"
    killer = threading.Thread(target=kill_a_worker_once, args=(folder, killed), daemon=True)
    killer.start()
    summary = annotate_on_ray(settings(model), Inputs(str(source)), tmp_path / "out", cluster)
    killer.join(10)
    assert killed
    assert (summary["documents"], summary["failed"]) == (599, 1)
    assert found(parts(tmp_path / "out")) == found(read_lines(tmp_path / "one.jsonl"))
    (error,) = read_lines(tmp_path / "out.errors.jsonl")
    assert (error["id"], error["code"]) == ("no text", "MTL362")
    assert not folder.exists()
    with pytest.raises(MTLError, match="MTL350"):
        annotate_on_ray(settings(model), Inputs(str(source)), tmp_path / "out", cluster)


def test_lines_and_ids_are_those_of_one_process(model, tmp_path, cluster):
    (tmp_path / "in" / "sub").mkdir(parents=True)
    texts = '{"text": "asthma\u2028x"}\n'.encode() + b'{"text": "\xff"}\n{"text": "y"}\n'
    (tmp_path / "in" / "a.jsonl").write_bytes(texts)
    write_lines(tmp_path / "in" / "sub" / "a.jsonl", [{"text": "asthma"}])
    annotate_files(plan(model, tmp_path / "in", tmp_path / "one.jsonl"))
    summary = annotate_on_ray(settings(model), Inputs(str(tmp_path / "in")), tmp_path / "out", cluster)
    assert (summary["documents"], summary["failed"]) == (3, 1)
    assert found(parts(tmp_path / "out")) == found(read_lines(tmp_path / "one.jsonl"))
    assert [record["id"] for record in parts(tmp_path / "out")] == ["a:1", "a:3", "sub/a:1"]


def test_what_is_refused_is_coded(model, tmp_path, cluster):
    source = write_lines(tmp_path / "in.jsonl", [{"id": "no text"}])
    (tmp_path / "out.job").mkdir()
    (tmp_path / "out.job" / "journal.jsonl").write_text("{}")
    given = Inputs(str(source))
    for code, setting, inputs, output in (
        (r"MTL350.*out\.job", settings(model), given, "out"),
        ("MTL359", settings(model), Inputs("-"), "new"),
        ("MTL359", settings(model), given, "in.jsonl"),
        ("MTL365", settings(tmp_path / "nope"), given, "new"),
        ("MTL100", settings(model, corpora=("nope",)), given, "new"),
    ):
        with pytest.raises(MTLError, match=code):
            annotate_on_ray(setting, inputs, tmp_path / output, cluster)
    assert (tmp_path / "out.job" / "journal.jsonl").read_text() == "{}"
    assert annotate_on_ray(settings(model), given, tmp_path / "new", cluster)["failed"] == 1
    assert list((tmp_path / "new").iterdir()) == []


def test_partitioned_parquet_in_and_out(model, tmp_path, cluster):
    from spacy_mtl_bioner.annotate.annotator import Annotator
    from spacy_mtl_bioner.annotate.formats import parquet

    documents = Annotator(str(model)).pipe([record["text"] for record in lines(40)])
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "part-0.parquet").write_bytes(parquet.part(list(documents)))
    annotate_on_ray(
        settings(model, "parquet", corpora=("gene",)), Inputs(str(tmp_path / "in")), tmp_path / "out", cluster
    )
    rows = parquet.library().parquet.read_table(tmp_path / "out").to_pylist()
    assert [row["id"] for row in rows] == [str(i) for i in range(1, 41)]
    assert {source["corpus"] for row in rows for e in row["entities"] for source in e["sources"]} == {"gene"}


def test_files_of_other_formats(model, tmp_path, cluster):
    (tmp_path / "in").mkdir()
    for i in range(5):
        (tmp_path / "in" / f"{i}.txt").write_text(f"asthma {i}", encoding="utf-8")
    (tmp_path / "in" / "9.txt").write_bytes(b"\xff")
    summary = annotate_on_ray(settings(model, "bioc-json"), Inputs(str(tmp_path / "in")), tmp_path / "out", cluster)
    assert (summary["documents"], summary["failed"]) == (5, 1)
    collections = [json.loads(path.read_text("utf-8")) for path in sorted((tmp_path / "out").glob("*.json"))]
    assert [document["id"] for collection in collections for document in collection["documents"]] == list("01234")
