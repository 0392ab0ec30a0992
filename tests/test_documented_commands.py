"""Every command that a document or a help text shows exists, with the options that it is shown with."""

import re
import shlex
from pathlib import Path

import pytest
import typer

from spacy_mtl_bioner.cli import app

ROOT = Path(__file__).resolve().parents[1]
COMMANDS = typer.main.get_command(app).commands
DOCUMENTS = [
    ROOT / "README.md",
    ROOT / "assets" / "README.md",
    ROOT / "project" / "project.yml",
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "configs").rglob("*.cfg")),
    *sorted((ROOT / "benchmarks").glob("*.py")),
    *sorted((ROOT / "spacy_mtl_bioner").rglob("*.py")),
]
NAMED = re.compile(r"(?:mtl-bioner|-m spacy_mtl_bioner)\s+(?:\\?\\\n\s*)?([a-z][a-z-]*)((?:[^\n`]|\\\n)*)")
SETTING = re.compile(r"--[a-z_]+\.[\w.]+")
"""A dotted name: a setting of a config, which studies and ``train`` take."""


def commands_of(text):
    """Yield each command that is shown, and its words up to what a shell or a sentence puts behind it."""
    for name, rest in NAMED.findall(re.sub(r"\\+\n\s*", " ", text)):
        rest = re.split(r" [|>&;#] | && |\s#|\. |, |; |: |\)", rest)[0]
        try:
            yield name, shlex.split(rest)
        except ValueError:  # a quote that the sentence goes on with
            yield name, rest.split()


def shown():
    return [
        pytest.param(name, words, id=f"{path.relative_to(ROOT).as_posix()}-{name}-{number}")
        for path in DOCUMENTS
        for number, (name, words) in enumerate(commands_of(path.read_text("utf8")))
        if any(word.startswith("--") for word in words) or name in COMMANDS
    ]


SHOWN = shown()


@pytest.mark.parametrize("name, words", SHOWN)
def test_the_command_has_its_options(name, words):
    assert name in COMMANDS
    command = COMMANDS[name]
    known = {option for param in command.params for option in [*param.opts, *param.secondary_opts]} | {"--help"}
    for word in words:
        option = word.partition("=")[0].rstrip(".,`'\"")
        free = SETTING.fullmatch(option) and command.context_settings.get("ignore_unknown_options")
        if option.startswith("--") and not free:
            assert option in known, f"{option} of {name}"


def test_the_documents_show_each_command_that_there_is():
    assert {param.values[0] for param in SHOWN} == set(COMMANDS)
