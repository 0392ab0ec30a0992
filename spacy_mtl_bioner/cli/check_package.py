"""``mtl-bioner check-package``: does the packaged pipeline work where nothing but its wheels is new?"""

import json
from pathlib import Path
from typing import Optional

import typer


def check_package(
    wheel: Path = typer.Argument(..., help="Wheel of the packaged pipeline", exists=True, dir_okay=False),
    model: Path = typer.Option(..., help="The trained pipeline it was made of", exists=True, file_okay=False),
    texts: Path = typer.Option(
        ..., help="Text file, one text a line, to compare the entities of", exists=True, dir_okay=False
    ),
    plugin: Path = typer.Option(..., help="Source folder of this plugin, to build its wheel from", exists=True),
    report: Optional[Path] = typer.Option(None, help="Write what was compared here, as JSON"),
    full: bool = typer.Option(False, "--full", help="Install every dependency too, rather than link those installed"),
) -> None:
    """Install both wheels into a fresh environment; load there offline, warnings as errors; compare the entities."""
    from wasabi import msg

    from ..durable import write_text
    from ..packaging.check import check_wheel

    found = check_wheel(wheel, model, texts, plugin, full=full)
    if report is not None:
        write_text(report, json.dumps(found, indent=2) + "\n")
    same = f"same {found['entities']} entities in {found['texts']} texts"
    msg.good(f"{wheel.name}: {same}, offline and without a warning")
