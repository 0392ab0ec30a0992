"""The options of how to tag, which the commands that tag share."""

from typing import TYPE_CHECKING, Annotated, Any, Dict, Optional

import typer

from .values import names, names_or_none

if TYPE_CHECKING:
    from ..annotate.options import Options

Model = Annotated[str, typer.Argument(help="Trained pipeline: a folder or the name of an installed package")]
Corpora = Annotated[
    Optional[str], typer.Option(help="Corpora that tag, separated by commas; default: the pipeline's")
]
Labels = Annotated[Optional[str], typer.Option(help="Labels to look for, separated by commas; default: all")]
Merge = Annotated[
    Optional[str],
    typer.Option(help="Which of overlapping entities stays: score, longest, priority, vote, or a registered policy"),
]
Priority = Annotated[Optional[str], typer.Option(help="Corpora for --merge priority, the best first")]
Minimum = Annotated[Optional[int], typer.Option(help="For --merge vote: how many corpora must agree")]
Threshold = Annotated[Optional[float], typer.Option(help="Least score of an entity, 0 to 1; or --thresholds")]
Thresholds = Annotated[
    Optional[str], typer.Option(metavar="CORPUS=SCORE,...", help="Least scores of single corpora")
]
LabelMap = Annotated[
    Optional[str],
    typer.Option(
        metavar="default|FILE",
        help="Unified labels: 'default', or a JSON file that goes before it: "
        '{"CORPUS": {"LABEL": "UNIFIED"}}, where "*" is any corpus, or a catalogue as convert takes it, '
        '{"corpora": {"CORPUS": {"labels": {...}}}}',
    ),
]
Scores = Annotated[
    Optional[bool], typer.Option("--scores/--no-scores", help="Compute scores; default: the pipeline's")
]
Brackets = Annotated[
    Optional[bool],
    typer.Option(
        "--brackets/--no-brackets", help="Mend entities with half a pair of brackets; default: the pipeline's"
    ),
]
Abbreviations = Annotated[
    Optional[bool],
    typer.Option("--abbreviations/--no-abbreviations", help="Give short forms the entities of their long forms"),
]
Consistency = Annotated[
    Optional[bool],
    typer.Option("--consistency/--no-consistency", help="Propose sure mentions at their other places in a document"),
]
Threads = Annotated[int, typer.Option(min=1, help="Threads a process; for the same bytes always the same number")]
Device = Annotated[str, typer.Option(help="cpu, cuda:0 ..., or auto")]
BatchTokens = Annotated[Optional[int], typer.Option(min=1, help="Tokens of a batch, with padding")]
Component = Annotated[str, typer.Option(help="Name of the recognizer in the pipeline")]
Code = Annotated[Optional[str], typer.Option(help="Python file to import first, with components of your own")]


def options_of(
    *, corpora: Optional[str], labels: Optional[str], priority: Optional[str], thresholds: Optional[str], **others: Any
) -> "Options":
    """Return the options, lists and tables read from what was typed. Raises as ``Options``, and BadParameter."""
    from ..annotate.options import Options

    return Options(
        corpora=names_or_none(corpora),
        labels=names_or_none(labels),
        priority=names(priority or ""),
        thresholds=_limits(thresholds),
        **others,
    )


def _limits(value: Optional[str]) -> Dict[str, float]:
    """``BC5CDR=0.5,JNLPBA=0.9`` as a table."""
    limits: Dict[str, float] = {}
    for part in names(value or ""):
        corpus, _, limit = part.rpartition("=")
        try:
            limits[corpus] = float(limit)
        except ValueError as error:
            raise typer.BadParameter(f"--thresholds: {part!r} is not CORPUS=SCORE") from error
    return limits
