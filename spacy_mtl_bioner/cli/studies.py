"""Studies as commands: what they have in common, so that each says only what is its own."""

import importlib.util
import inspect
import re
import shlex
import sys
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, List, Optional, Sequence

import typer

if TYPE_CHECKING:
    from ..experiments.engines import Engine
    from ..experiments.launch import Runs
    from ..experiments.queue import State
    from ..experiments.study import Study
    from ..experiments.training import Setting, Training

ANY_SETTING = {"allow_extra_args": True, "ignore_unknown_options": True}
"""Of the commands: unknown options are settings of the config."""

_HELP = """

Every training is a process of its own with a folder of its own in OUT/trainings; a finished one is never repeated, so
that the same command goes on where it was stopped, however that happened. What a training reads and how it is
configured decides whether it is the same: with a changed config or corpus it is trained anew (of files, those that
[paths] and [initialize] name count, by what they hold). Results are in
OUT/{name} (JSON, CSV, PNG) and, of all studies in OUT, on one page, OUT/report.html. The exit code is 1 where a
training failed.

All are trained as the config --protocol says: patience and length in passes over the main corpus, optimizer, batches.
Any setting may be overridden, for all alike, by options like those of spacy train, such as
--protocol.patience 4 or --training.batcher.inner.size 32.
"""


class EngineName(str, Enum):
    """Where trainings run: processes of this machine, or tasks of a Ray cluster that shares the folder OUT."""

    local = "local"
    ray = "ray"


def study_command(help_: str) -> Callable[[Callable[..., "Study"]], Callable[..., None]]:
    """Make a command of a function that takes a setting and its own options and returns a study: the command has the
    options of all studies too."""

    def decorate(make: Callable[..., "Study"]) -> Callable[..., None]:
        own = list(inspect.signature(make).parameters.values())[1:]
        common = list(inspect.signature(_run).parameters.values())[1:]

        def command(ctx: typer.Context, **values: Any) -> None:
            arguments = {parameter.name: values.pop(parameter.name) for parameter in own}
            _run(lambda setting: make(setting, **arguments), ctx, **values)

        command.__signature__ = inspect.Signature([*common[:2], *own, *common[2:]])  # type: ignore[attr-defined]
        command.__annotations__ = {p.name: p.annotation for p in [*common, *own]}
        command.__name__ = make.__name__
        command.__doc__ = help_.rstrip() + _HELP.format(name=make.__name__.rstrip("_"))
        return command

    return decorate


def _run(
    make: Callable[["Setting"], "Study"],
    ctx: typer.Context,
    out: Path = typer.Argument(..., help="Folder of all trainings and results, made where missing"),
    corpora_dir: Path = typer.Option(..., help="Folder that 'mtl-bioner convert' wrote", exists=True, file_okay=False),
    vectors: Optional[Path] = typer.Option(None, help="Folder that 'mtl-bioner vectors' wrote", exists=True),
    protocol: Path = typer.Option(
        Path("configs/protocol.cfg"), help="Config of how all systems are trained", exists=True, dir_okay=False
    ),
    jobs: int = typer.Option(1, min=1, help="Trainings at a time"),
    threads: int = typer.Option(1, min=1, help="Threads of each"),
    engine: EngineName = typer.Option(EngineName.local, help="Processes of this machine, or a Ray cluster"),
    gpu_id: int = typer.Option(-1, help="GPU to use, -1 for the CPU; with Ray, a GPU for each training unless -1"),
    keep_models: bool = typer.Option(False, "--keep-models", help="Keep each model-best (large)"),
    plain: bool = typer.Option(False, "--plain", help="Tables of results only: neither tests nor figures"),
    block: int = typer.Option(
        1, min=1, help="Sentences in a row that tests take for a document, where a corpus does not tell documents"
    ),
    dry_run: bool = typer.Option(False, "--dry-run", help="Print the queue and stop"),
    report_only: bool = typer.Option(False, "--report-only", help="Train nothing, report what has finished"),
) -> None:
    """Run a study by the options that all have."""
    from spacy.cli._util import parse_config_overrides

    from ..errors import E303, E308, MTLError
    from ..experiments.launch import Runs
    from ..experiments.queue import State, look
    from ..experiments.training import Setting

    if not plain and not all(importlib.util.find_spec(name) for name in ("scipy", "matplotlib")):
        raise MTLError(E308())
    overrides = parse_config_overrides(list(ctx.args))
    if vectors is not None:
        overrides = {"paths.vectors": str(vectors), **overrides}
    setting = Setting(corpora_dir, protocol, tuple(sorted(overrides.items())))
    study = make(setting)
    if engine is EngineName.ray and gpu_id > 0:
        gpu_id = 0  # of the GPUs that Ray shows to a training, which is one
    runs = Runs(out, setting, shown_command(sys.argv[1:]), threads, gpu_id, keep_models)
    if not study(State(runs)):
        raise MTLError(E303(option="--corpora-dir", found=str(corpora_dir), expected="corpora enough to train on"))
    if dry_run:
        _print_queue(study(State(runs)), State(runs))
        return
    if keep_models:
        _tell_models(study, State(runs))
    state = look(study, runs) if report_only else _train(study, runs, engine, jobs)
    _tell_failures(state)
    _count(study, state, report_only)
    _report(study, state, plain, block)
    _complain(study, state)


def _train(study: "Study", runs: "Runs", engine: EngineName, jobs: int) -> "State":
    """Run the queue, with a progress bar."""
    from ..experiments.progress import Progress
    from ..experiments.queue import run_queue
    from ..experiments.study import write_records

    started = _engine(engine, jobs, runs)
    with Progress(lambda state: write_records(study, state)) as progress:
        return run_queue(study, runs, started, progress)


def _engine(name: EngineName, jobs: int, runs: "Runs") -> "Engine":
    """Start an engine."""
    from ..experiments.engines import LocalProcesses
    from ..experiments.ray_engine import RayTasks

    if name is EngineName.ray:
        return RayTasks(jobs, runs.threads, gpu=runs.gpu_id >= 0)
    return LocalProcesses(jobs, runs.threads)


def _report(study: "Study", state: "State", plain: bool, block: int) -> None:
    """Write and print the results."""
    from wasabi import msg

    from ..experiments.study import write_study

    folder = write_study(study, state, plain, block)
    typer.echo((folder / "report.txt").read_text(encoding="utf8"))
    msg.good(f"Results in {folder}, and of all studies in {state.runs.out / 'report.html'}")


def _count(study: "Study", state: "State", report_only: bool) -> None:
    """Say how many trainings have finished, where not all have. Raises MTL315 where a report is all that is wanted and
    none has, so that one which stands there, of others, is not lost."""
    from ..errors import E315, MTLError

    wanted = study(state)
    finished = sum(state.result(training) is not None for training in wanted)
    if report_only and not finished and not state.failures:
        raise MTLError(E315(out=state.runs.out, total=len(wanted)))
    if finished < len(wanted):
        typer.echo(f"{finished} of {len(wanted)} trainings have finished", err=True)


def _tell_models(study: "Study", state: "State") -> None:
    """Say of which finished trainings no model was kept: they are not repeated for it."""
    done = [training for training in study(state) if state.result(training) is not None]
    gone = sum(not (state.runs.folder(training) / "model-best").exists() for training in done)
    if gone:
        typer.echo(f"--keep-models: {gone} of the finished trainings have kept none, and are not repeated", err=True)


def _tell_failures(state: "State") -> None:
    """Print what failed, before anything else may."""
    for training, reason in state.failures.items():
        typer.echo(f"FAILED {training.title()}: {reason} ({state.runs.folder(training) / 'failure.json'})", err=True)


def _complain(study: "Study", state: "State") -> None:
    """Raise MTLError (MTL307) where trainings failed."""
    from ..errors import E307, MTLError

    if state.failures:
        training, reason = next(iter(state.failures.items()))
        first = f"{training.title()}: {reason}"
        raise MTLError(E307(failed=len(state.failures), total=len(study(state)), first=first))


def _print_queue(wanted: Sequence["Training"], state: "State") -> None:
    """Print the trainings in their order, and which are done."""
    for number, training in enumerate(wanted, 1):
        done = "done" if state.settled(training) else "    "
        typer.echo(f"{number:4d}  {done}  {training.title()}")
    typer.echo(f"{len(wanted)} trainings; where devel has still to choose a partner, those of further seeds follow")


def shown_command(arguments: List[str]) -> str:
    """Return the command without the places of this machine."""
    return "mtl-bioner " + shlex.join("".join(map(_shown, re.split("([=,])", value))) for value in arguments)


def _shown(part: str) -> str:
    """A part of an argument, of an absolute path its last name alone."""
    return Path(part).name if Path(part).is_absolute() else part
