"""``mtl-bioner train``: ``spacy train`` that survives being killed."""

import sys
from pathlib import Path
from typing import Any, Dict, Optional

import typer
from wasabi import msg

_HELP = """Train a pipeline as spacy train does, with checkpoints on the way: the same config, overrides and files.

A training that was killed goes on by the same command with --resume, and ends with the same weights, scores and log
as one that nothing disturbed (on the CPU, with as many threads). The checkpoint lies in the folder "checkpoint" of
--output; it holds weights, averages and statistics, so about four times the model.

\b
  mtl-bioner train configs/single_task.cfg --output training --paths.corpora corpus --paths.vectors vectors
  mtl-bioner train configs/single_task.cfg --output training --paths.corpora corpus --paths.vectors vectors --resume
"""


def train(
    ctx: typer.Context,
    config_path: Path = typer.Argument(..., help="Config file", exists=True, dir_okay=False),
    output: Path = typer.Option(..., "--output", "-o", help="Folder for model-best, model-last and checkpoint"),
    resume: bool = typer.Option(False, "--resume", help="Go on from the checkpoint in --output"),
    overwrite: bool = typer.Option(False, "--overwrite", help="Start anew where --output has an unfinished training"),
    checkpoint_steps: int = typer.Option(0, min=0, help="Write a checkpoint every so many steps"),
    checkpoint_minutes: float = typer.Option(
        0.0, min=0.0, help="Write a checkpoint every so many minutes; without either, one after each evaluation"
    ),
    code: Optional[Path] = typer.Option(None, "--code", "-c", help="Python file to import first", exists=True),
    gpu_id: int = typer.Option(-1, "--gpu-id", "-g", help="GPU to use, -1 for the CPU"),
) -> None:
    from spacy import util
    from spacy.cli._util import import_code, parse_config_overrides, setup_gpu, show_validation_error

    from ..durable import make_folder
    from ..errors import E302, MTLError
    from ..training.settings import expected_settings

    overrides = parse_config_overrides(ctx.args)
    import_code(code)
    make_folder(output)
    setup_gpu(gpu_id)
    with show_validation_error(config_path):
        config = util.load_config(config_path, overrides=overrides, interpolate=False)
        original = util.load_config(config_path, interpolate=False)
    for name in overrides:
        others = expected_settings(name, original)
        if others is not None:
            raise MTLError(E302(name=name, expected=", ".join(others)))
    with show_validation_error(config_path, hint_fill=False):
        run(config, output, resume, overwrite, checkpoint_steps, checkpoint_minutes, gpu_id)


train.__doc__ = _HELP


def run(
    config: Dict[str, Any],
    output: Path,
    resume: bool = False,
    overwrite: bool = False,
    steps: int = 0,
    minutes: float = 0.0,
    gpu_id: int = -1,
) -> None:
    """Train, or go on. Raises what ``Checkpoints`` and ``training.loop.train`` raise."""
    from spacy.training.initialize import init_nlp

    from ..training.checkpoint import Checkpoints
    from ..training.loop import Often
    from ..training.loop import train as loop

    checkpoints = Checkpoints(output, config)
    if resume:
        nlp = checkpoints.load_pipeline()
    else:
        checkpoints.start(overwrite)
        msg.divider("Initializing pipeline")
        nlp = init_nlp(config, use_gpu=gpu_id)
        msg.good("Initialized pipeline")
    msg.divider("Training pipeline")
    often = Often(steps, minutes)
    loop(nlp, output, checkpoints, resume=resume, often=often, use_gpu=gpu_id, stdout=sys.stdout, stderr=sys.stderr)
