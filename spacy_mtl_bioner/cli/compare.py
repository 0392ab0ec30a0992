"""``mtl-bioner compare``: systems trained under one protocol, side by side."""

import shlex
import sys
from pathlib import Path
from typing import Any, Callable, List, Optional, Tuple

import typer

_HELP = """Train systems under one protocol and compare them.

Every training is a process of its own with a folder of its own in OUT/trainings; a finished one is never repeated, so
that the same command goes on where it was stopped, however that happened, and grows a comparison by systems, partners or
seeds. What a training reads and how it is configured decides whether it is the same: a changed config or corpus is
trained anew.

A system whose config lists one training corpus is trained on each --main corpus alone. One whose config lists several
gets a partner: each of --partners is tried at the first seed, the best on devel is taken for the further seeds. With
--together, such systems are also trained on all of these corpora at once, and scored on each.

The protocol's config says how all are trained: patience and length in passes over the main corpus, optimizer, batches.
Any setting may be overridden, for all systems alike, by options like those of spacy train.

Examples:

\b
  # two systems on two corpora, three seeds, two processes; the queue first
  mtl-bioner compare runs --corpora-dir corpus --vectors vectors \\
      --systems stm=configs/single_task.cfg,cs=configs/cross_sharing.cfg --main NCBI-disease,Ex-PTM \\
      --partners BioNLP09,BC5CDR,JNLPBA --seeds 0,1,2 --jobs 2 --dry-run
  # one model for four corpora
  mtl-bioner compare runs --corpora-dir corpus --vectors vectors --systems fs=configs/fully_shared.cfg \\
      --together BC2GM,BC5CDR,NCBI-disease,JNLPBA
  # with two partners at once, another learning rate and half the patience
  mtl-bioner compare runs --corpora-dir corpus --systems fs=configs/fully_shared.cfg --main NCBI-disease \\
      --partners BioNLP09+BC5CDR --training.optimizer.learn_rate 0.002 --protocol.patience 4
"""

ANY_SETTING = {"allow_extra_args": True, "ignore_unknown_options": True}


def compare(
    ctx: typer.Context,
    out: Path = typer.Argument(..., help="Folder of all trainings and results, made where missing"),
    systems: str = typer.Option(..., help="NAME=CONFIG, separated by commas"),
    corpora_dir: Path = typer.Option(..., help="Folder that 'mtl-bioner convert' wrote", exists=True, file_okay=False),
    vectors: Optional[Path] = typer.Option(None, help="Folder that 'mtl-bioner vectors' wrote", exists=True),
    main: str = typer.Option("", help="Corpora to compare on, separated by commas"),
    partners: str = typer.Option("", help="Partners to try, separated by commas; A+B are two at once"),
    together: str = typer.Option("", help="Corpora to train on at once, separated by commas"),
    seeds: str = typer.Option("0", help="Seeds, separated by commas; partners are chosen at the first"),
    protocol: Path = typer.Option(Path("configs/protocol.cfg"), help="Config of how all systems are trained"),
    jobs: int = typer.Option(1, help="Trainings at a time"),
    threads: int = typer.Option(1, help="Threads of each"),
    gpu_id: int = typer.Option(-1, help="GPU to use, -1 for the CPU"),
    keep_models: bool = typer.Option(False, "--keep-models", help="Keep each model-best (large)"),
    dry_run: bool = typer.Option(False, "--dry-run", help="Print the queue and stop"),
) -> None:  # documented by _HELP
    from ..experiments.compare import Comparison
    from ..experiments.report import write_comparison

    study = Comparison(
        systems=_systems(systems),
        mains=names(main),
        partners=tuple(tuple(both.split("+")) for both in names(partners)),
        seeds=numbers("--seeds", seeds),
        together=names(together),
    )
    runs = make_runs(ctx, out, corpora_dir, vectors, protocol, threads, gpu_id, keep_models)
    execute(study, runs, jobs, dry_run, lambda state: write_comparison(study, state))


compare.__doc__ = _HELP


def names(text: str) -> Tuple[str, ...]:
    """Return the names of a list separated by commas, each once."""
    return tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))


def numbers(option: str, text: str) -> Tuple[int, ...]:
    """Return the whole numbers of a list separated by commas. Raises MTLError (MTL303)."""
    from ..errors import E303, MTLError

    found = names(text)
    if not found or not all(name.isdecimal() for name in found):
        raise MTLError(E303(option=option, found=text, expected="whole numbers separated by commas"))
    return tuple(map(int, found))


def _systems(text: str) -> Tuple[Any, ...]:
    from ..errors import E303, MTLError
    from ..experiments.compare import System

    pairs = [name.partition("=") for name in names(text)]
    if not pairs or not all(name and config for name, _, config in pairs):
        raise MTLError(E303(option="--systems", found=text, expected="NAME=CONFIG, separated by commas"))
    return tuple(System(name, Path(config)) for name, _, config in pairs)


def make_runs(
    ctx: typer.Context,
    out: Path,
    corpora_dir: Path,
    vectors: Optional[Path],
    protocol: Path,
    threads: int,
    gpu_id: int,
    keep_models: bool,
) -> Any:
    """Return the folder of trainings that the options of a study describe; further options override settings."""
    from spacy.cli._util import parse_config_overrides

    from ..experiments.launch import Runs
    from ..experiments.training import Setting

    overrides = parse_config_overrides(list(ctx.args))
    if vectors is not None:
        overrides = {"paths.vectors": str(vectors), **overrides}
    setting = Setting(corpora_dir, protocol, tuple(sorted(overrides.items())))
    return Runs(out, setting, shown_command(sys.argv[1:]), threads, gpu_id, keep_models)


def shown_command(arguments: List[str]) -> str:
    """Return the command without the places of this machine."""
    shown = (Path(value).name if Path(value).is_absolute() else value for value in arguments)
    return "mtl-bioner " + shlex.join(shown)


def execute(plan: Callable, runs: Any, jobs: int, dry_run: bool, write: Callable[[Any], str]) -> None:
    """Run a plan with a progress bar and write its results whenever a training ends; print them at the end.

    Raises MTLError (MTL307) where trainings failed, after all others have run.
    """
    from ..errors import E307, MTLError
    from ..experiments.engines import LocalProcesses
    from ..experiments.progress import Progress
    from ..experiments.queue import State, run_queue

    if dry_run:
        _print_queue(plan(State(runs)), State(runs))
        return
    with Progress(write) as progress:
        state = run_queue(plan, runs, LocalProcesses(jobs, runs.threads), progress)
    typer.echo(write(state))
    if state.failures:
        training, reason = next(iter(state.failures.items()))
        total = len(plan(state))
        raise MTLError(E307(failed=len(state.failures), total=total, first=f"{training.title()}: {reason}"))


def _print_queue(wanted: List[Any], state: Any) -> None:
    """Print the trainings in their order, and which are done."""
    for number, training in enumerate(wanted, 1):
        done = "done" if state.settled(training) else "    "
        typer.echo(f"{number:4d}  {done}  {training.title()}")
    typer.echo(f"{len(wanted)} trainings, and those that depend on the choice of partners")
