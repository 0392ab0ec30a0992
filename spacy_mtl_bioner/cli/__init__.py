"""The command ``mtl-bioner``: one file a command, gathered here. They import what is heavy when they run."""

import re
import sys
from typing import Annotated, Any, Callable

import click
import typer
from typer.core import TyperGroup

from .. import __version__
from ..errors import MTLError
from .annotate import annotate
from .check_package import check_package
from .compare import compare
from .convert import convert
from .evaluate import evaluate
from .more_studies import all_, groups, pairs, seeds, sizes, types, vector_tables
from .overlap import overlap
from .reformat import reformat
from .render import render
from .serve import serve
from .stats import stats
from .studies import ANY_SETTING
from .suggest_partners import suggest_partners
from .syntax import annotate_syntax
from .train import train
from .treebank import treebank
from .vectors import vectors
from .verify import verify


class _OneLineErrors(TyperGroup):
    """A coded error says what to do: one line on stderr, exit code 1. Anything else keeps its traceback. What the
    terminal's encoding lacks becomes a question mark: no result is lost for a letter."""

    def invoke(self, ctx: click.Context) -> Any:
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):  # what stands in their place may be any object
                stream.reconfigure(errors="replace")
        try:
            return super().invoke(ctx)
        except MTLError as error:
            typer.echo(f"Error: {error}", err=True)
            raise typer.Exit(1) from error
        except click.NoSuchOption as error:  # of spaCy's parser of settings, which typer does not know for its own
            hint = "A setting of the config has its section in its name: --training.dropout 0.1."
            typer.echo(f"Error: {error.format_message()} {hint}", err=True)
            raise typer.Exit(2) from error


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"spacy_mtl_bioner {__version__}")
        raise typer.Exit()


app = typer.Typer(
    name="mtl-bioner",
    cls=_OneLineErrors,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_print_version, help="Show the version and exit")
    ] = False,
) -> None:
    """Multi-task biomedical named entity recognition: from corpus files to an installed spaCy pipeline."""


def _first_sentence(command: Callable[..., Any]) -> str:
    """What a list of commands says of one; click would cut it short."""
    return re.split(r"(?<=[.?]) ", " ".join((command.__doc__ or "").partition("\n\n")[0].split()))[0]


COMMANDS = {
    "convert": convert,
    "verify": verify,
    "vectors": vectors,
    "treebank": treebank,
    "annotate-syntax": annotate_syntax,
    "evaluate": evaluate,
    "annotate": annotate,
    "serve": serve,
    "render": render,
    "reformat": reformat,
    "stats": stats,
    "check-package": check_package,
    "overlap": overlap,
    "suggest-partners": suggest_partners,
}
for _name, _command in COMMANDS.items():
    app.command(_name, short_help=_first_sentence(_command))(_command)
STUDIES = {
    "compare": compare,
    "pairs": pairs,
    "groups": groups,
    "all": all_,
    "sizes": sizes,
    "types": types,
    "vector-tables": vector_tables,
    "seeds": seeds,
}
for _name, _command in STUDIES.items():
    app.command(_name, context_settings=ANY_SETTING, short_help=_first_sentence(_command))(_command)
app.command("train", context_settings=ANY_SETTING, short_help=_first_sentence(train))(train)
