"""What the command says of itself."""

from typer.testing import CliRunner

from spacy_mtl_bioner import __version__
from spacy_mtl_bioner.cli import COMMANDS, STUDIES, app


def test_version():
    assert CliRunner().invoke(app, ["--version"]).output.strip() == f"spacy_mtl_bioner {__version__}"


def test_the_list_of_commands_has_whole_sentences():
    listed = CliRunner().invoke(app, ["--help"]).output.partition("Commands:")[2]
    assert "..." not in listed
    for name in (*COMMANDS, *STUDIES, "train"):
        assert f"  {name} " in listed
