"""``mtl-bioner annotate``: the entities of a literature, in the format that the next tool reads."""

from enum import Enum
from pathlib import Path
from typing import Any, Dict, Optional

import typer

from . import tagging

_HELP = """Tag documents with a trained pipeline and write their entities.

INPUT is a file, a folder (its files in order of their names, sub-folders too) or - for standard input; names in .gz are
unpacked. OUTPUT appears at once, when all is done. Offsets are characters (code points) of the text.

Beside OUTPUT: OUTPUT.summary.json; OUTPUT.errors.jsonl, a line for each document that failed, if any did; and, until
the end, OUTPUT.job, from which --resume goes on after any interruption, to the same bytes.

With --engine ray OUTPUT is a folder of parts, and there is no --resume: Ray itself does again what a lost worker did.

Exit code: 0, all is well; 3, done, but some documents failed; 1, not done (the message says why, such as a value out of
its range); 2, an unknown option, or options that exclude each other.

Examples:

\b
  # abstracts in PubTator, entities in PubTator
  mtl-bioner annotate my-model abstracts.pubtator entities.pubtator
  # JSON lines {"id": ..., "text": ...}, two processes, only two corpora, entities that score at least 0.5
  mtl-bioner annotate my-model articles.jsonl.gz entities.jsonl --processes 2 --corpora BC5CDR,JNLPBA --threshold 0.5
  # a folder of text files; of entities that overlap the one of the better corpus wins
  mtl-bioner annotate my-model texts/ entities.jsonl --merge priority --priority NCBI-disease,BC5CDR
  # a table for R and pandas, a row an entity, of a table with columns pmid, title and abstract
  mtl-bioner annotate my-model articles.csv entities.tsv --id pmid --text title,abstract
  # from other programs
  zcat articles.jsonl.gz | mtl-bioner annotate my-model - entities.jsonl
  # a folder of Parquet files on a Ray cluster, four workers, GPUs where it has them
  mtl-bioner annotate my-model articles/ entities --to parquet --engine ray --processes 4 --address auto
  # it was interrupted: the same command goes on
  mtl-bioner annotate my-model articles.jsonl.gz entities.jsonl --processes 2 --resume
"""


class Engine(str, Enum):
    """Who tags: processes of this machine, or a Ray cluster."""

    processes = "processes"
    ray = "ray"


_READ = "jsonl, text, csv, tsv, parquet, pubtator, bioc-xml, bioc-json, brat, docbin"
_WRITTEN = "jsonl, csv, tsv, parquet, pubtator, bioc-xml, bioc-json, brat, conll, docbin, html"


def annotate(
    model: tagging.Model,
    input: str = typer.Argument(..., help="File, folder, or - for standard input"),
    output: Path = typer.Argument(..., help="File or folder to write; its folder is made where missing"),
    from_: Optional[str] = typer.Option(
        None, "--from", help=f"Format of the input: {_READ}; default: by suffix (stdin: jsonl)"
    ),
    to: Optional[str] = typer.Option(None, "--to", help=f"Format of the output: {_WRITTEN}; default: by suffix"),
    corpora: tagging.Corpora = None,
    labels: tagging.Labels = None,
    merge: tagging.Merge = None,
    priority: tagging.Priority = None,
    minimum: tagging.Minimum = None,
    threshold: tagging.Threshold = None,
    thresholds: tagging.Thresholds = None,
    label_map: tagging.LabelMap = None,
    scores: tagging.Scores = None,
    brackets: tagging.Brackets = None,
    abbreviations: tagging.Abbreviations = None,
    consistency: tagging.Consistency = None,
    text: str = typer.Option(
        "text",
        help="Column or field of the text (CSV, TSV, Parquet, JSONL); several, such as title,abstract, are joined by a "
        "space, each a passage",
    ),
    id: str = typer.Option("id", help="Column or field of the id; where there is none: FILE:LINE"),
    encoding: str = typer.Option("utf-8", help="Encoding of text files, CSV and TSV"),
    processes: int = typer.Option(1, min=0, help="Processes that tag, each with the pipeline; 0: in this one"),
    threads: tagging.Threads = 1,
    device: tagging.Device = "cpu",
    batch_tokens: tagging.BatchTokens = None,
    chunk: int = typer.Option(128, min=1, help="Documents of a chunk, the unit of work that --resume keeps"),
    component: tagging.Component = "mtl_ner",
    code: tagging.Code = None,
    engine: Engine = typer.Option(Engine.processes, help="Who tags: processes here, or a Ray cluster"),
    gpus: Optional[float] = typer.Option(None, help="For Ray: GPUs a worker; default: 1 where the cluster has any"),
    address: Optional[str] = typer.Option(None, help="For Ray: address of the cluster; default: this machine"),
    resume: bool = typer.Option(False, "--resume", help="Go on with what stands there, if anything does"),
    overwrite: bool = typer.Option(False, "--overwrite", help="Remove what stands there, and start anew"),
) -> None:  # documented by _HELP
    from ..annotate.formats.base import Columns
    from ..annotate.inputs import Inputs
    from ..annotate.run import Plan

    options = tagging.options_of(
        corpora=corpora,
        labels=labels,
        merge=merge,
        priority=priority,
        minimum=minimum,
        threshold=threshold,
        thresholds=thresholds,
        label_map=label_map,
        scores=scores,
        brackets=brackets,
        abbreviations=abbreviations,
        consistency=consistency,
        component=component,
        batch_tokens=batch_tokens,
        device=device,
        code=code,
    )
    if resume and (overwrite or engine is Engine.ray):
        raise typer.BadParameter("--resume excludes --overwrite; Ray goes on by itself where a worker is lost")
    if engine is not Engine.ray and (gpus is not None or address is not None):
        raise typer.BadParameter("--gpus and --address are for --engine ray; for a GPU of this machine: --device")
    inputs = Inputs(input, from_, Columns(text, id, encoding))
    plan = Plan(model, inputs, output, options, to, processes, threads, chunk)
    if engine is Engine.ray:
        summary = _run_on_ray(plan, overwrite, gpus, address)
    else:
        summary = _run(plan, resume, overwrite)
    _print(summary)
    if summary["failed"]:
        typer.echo(f"{summary['failed']} document(s) failed: see {output}.errors.jsonl", err=True)
        raise typer.Exit(3)


annotate.__doc__ = _HELP


def _run(plan: Any, resume: bool, overwrite: bool) -> Dict[str, Any]:
    """Do the job under a progress bar: bytes of the input, documents a second, time left."""
    from tqdm import tqdm

    from ..annotate.run import annotate_files
    from ..errors import E366, MTLError

    total = plan.inputs.total
    with tqdm(total=total, unit="B", unit_scale=True, disable=None, bar_format=None if total is None else _BAR) as bar:
        meter = _Meter(bar)
        try:
            return annotate_files(plan, resume=resume, overwrite=overwrite, progress=meter)
        except KeyboardInterrupt:
            raise MTLError(E366(done=meter.chunks)) from None


def _run_on_ray(plan: Any, overwrite: bool, gpus: Optional[float], address: Optional[str]) -> Dict[str, Any]:
    """Do the job on a cluster, counting documents."""
    from tqdm import tqdm

    from ..annotate.ray_engine import Cluster, annotate_on_ray

    cluster = Cluster(max(plan.processes, 1), gpus, plan.chunk_documents, address)
    with tqdm(unit="document", disable=None) as bar:

        def progress(counts: Dict[str, int]) -> None:
            bar.update(counts["documents"] + counts["failed"])

        return annotate_on_ray(plan.settings, plan.inputs, plan.output, cluster, progress, overwrite)


_BAR = "{percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} of the input, {elapsed}<{remaining}{postfix}"


class _Meter:
    """Moves the bar; documents a second are those of this run."""

    def __init__(self, bar: Any) -> None:
        self.bar, self.documents, self.here, self.chunks = bar, 0, 0, 0

    def __call__(self, counts: Dict[str, int], position: int, earlier: bool) -> None:
        done = counts["documents"] + counts["failed"]
        self.documents, self.chunks = self.documents + done, self.chunks + 1
        self.here += 0 if earlier else done
        if earlier:
            self.bar.initial = position
        self.bar.update(max(0, position - self.bar.n))
        pace = self.here / max(self.bar.format_dict["elapsed"], 1e-9)
        self.bar.set_postfix_str(f"{self.documents:,} documents, {pace:,.1f}/s")


def _print(summary: Dict[str, Any]) -> None:
    """Print a table of labels, and what there is to know about the whole."""
    from wasabi import table

    rows = [(label, f"{count:,}") for label, count in summary["entities"].items()]
    if rows:
        typer.echo(table(rows, header=("label", "entities"), divider=True, aligns=("l", "r")))
    facts = f"{summary['documents']:,} documents, {sum(summary['entities'].values()):,} entities"
    facts += "".join(f", {name}: {count:,}" for name, count in summary["problems"].items())
    if summary["run"] is None:
        typer.echo(f"{summary['output']} was complete already: {facts}")
    else:
        run = summary["run"]
        typer.echo(f"{summary['output']}: {facts}, failed: {summary['failed']:,}")
        typer.echo(f"{run['seconds']} s, {run['documents/s']} documents/s, {run['tokens/s']} tokens/s")
    others = ", ".join(f"{count:,} of {suffix}" for suffix, count in summary.get("passed over", {}).items())
    if others:
        typer.echo(f"files passed over, for their endings: {others}")
