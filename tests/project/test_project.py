"""The workflow's file, the sample corpora and the README fit each other."""

import json
import os
import shlex
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import srsly
from typer.testing import CliRunner
from weasel.schemas import ProjectConfigSchema, validate
from weasel.util.config import load_project_config

from spacy_mtl_bioner.cli import app
from spacy_mtl_bioner.corpora.manifest import differences, digests

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = sorted((ROOT / "assets" / "corpora").iterdir())
FILES = [folder / f"{split}.tsv" for folder in SAMPLES for split in ("train", "devel", "test")]


@pytest.fixture(scope="module")
def project():
    return load_project_config(ROOT / "project", interpolate=True)


def test_project_yml_is_valid():
    assert validate(ProjectConfigSchema, srsly.read_yaml(ROOT / "project" / "project.yml")) == []


@pytest.mark.parametrize("workflow", ["all", "syntax"])
def test_every_dependency_is_in_the_repository_or_an_earlier_output(project, workflow: str):
    commands = {command["name"]: command for command in project["commands"]}
    made = [project["vars"]["treebanks"]] if workflow == "syntax" else []
    for name in project["workflows"][workflow]:
        for path in commands[name]["deps"]:
            where = (ROOT / "project" / path).resolve()
            assert where.exists() or any(where.is_relative_to((ROOT / "project" / out).resolve()) for out in made), path
        assert commands[name]["outputs"], f"{name} has no output and would run again each time"
        made += commands[name]["outputs"]


STUDIES = ("compare", "pairs", "groups", "all-together", "sizes", "types", "vector-tables", "seeds")


@pytest.fixture(scope="module")
def prepared(project, tmp_path_factory):
    """A project folder whose corpora are converted."""
    folder = tmp_path_factory.mktemp("copy") / "project"
    (folder / "vectors" / "base").mkdir(parents=True)
    (folder.parent / "configs").symlink_to(ROOT / "configs")
    options = ["--corpora", project["vars"]["corpora"], "--catalogue", str(ROOT / "assets" / "catalogue.json")]
    done = CliRunner().invoke(app, ["convert", str(ROOT / "assets" / "corpora"), str(folder / "corpus"), *options])
    assert done.exit_code == 0, done.output
    return folder


@pytest.mark.parametrize("name", STUDIES)
def test_every_study_has_a_command_whose_queue_is_made(project, prepared, name, monkeypatch):
    """... on the variables as they stand, which are those of the sample corpora."""
    command = next(command for command in project["commands"] if command["name"] == name)
    assert command["no_skip"], "studies go on where they were stopped"
    assert not any(name in steps for steps in project["workflows"].values())
    arguments = shlex.split(command["script"][-1])
    assert arguments[:3] == ["python", "-m", "spacy_mtl_bioner"]
    monkeypatch.chdir(prepared)
    done = CliRunner().invoke(app, [*arguments[3:], "--dry-run"])
    assert done.exit_code == 0, done.output
    assert "   2  " in done.output and "sample-disease" in done.output


def test_verify_comes_first_and_convert_waits_for_it(project):
    commands = {command["name"]: command for command in project["commands"]}
    assert project["workflows"]["all"][0] == "verify"
    assert set(commands["verify"]["outputs"]) <= set(commands["convert"]["deps"])


def test_the_sample_corpora_are_as_recorded():
    corpora, manifest = ROOT / "assets" / "corpora", ROOT / "assets" / "checksums.json"
    recorded = json.loads(manifest.read_text())["sample"]["sha256"]
    assert differences(digests(corpora), recorded, corpora, manifest, "sample") == []


def test_checksums_of_the_public_and_a_local_collection_are_recorded():
    sources = json.loads((ROOT / "assets" / "checksums.json").read_text())
    assert len(sources["local"]["sha256"]) == 45
    assert set(sources["local"]["sha256"]) - set(sources["public"]["sha256"]) == {"JNLPBA/train.tsv"}


def test_there_are_at_least_four_sample_corpora_of_different_types(project):
    labels = {folder.name: labels_of(folder / "train.tsv") for folder in SAMPLES}
    assert len(labels) >= 4
    assert len({frozenset(found) for found in labels.values()}) == len(labels)
    assert any(len(found) > 1 for found in labels.values())
    assert set(project["vars"]["corpora"].split(",")) == set(labels)


def labels_of(path):
    tags = {line.split("\t")[-1] for line in path.read_text("utf8").splitlines()}
    return {tag[2:] for tag in tags - {"O", ""}}


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_sample_files_are_legal_iob2_in_the_layout_of_the_collection(path):
    text = path.read_bytes().decode("utf8")
    assert text.endswith("\n\n") and "\n\n\n" not in text and "\r" not in text
    previous = "O"
    for line in text.split("\n")[:-1]:
        if not line:
            previous = "O"
            continue
        token, tag = line.split("\t")
        assert len(token) == 1 or token.isalnum()
        assert tag == "O" or tag[:2] == "B-" or (tag[:2] == "I-" and previous[2:] == tag[2:])
        previous = tag


def test_the_sample_corpora_hold_the_cases_that_matter():
    text = "".join(path.read_text("utf8") for path in FILES)
    rows = [line.split("\t") if line else ["", "O"] for line in text.split("\n")]
    pairs = list(zip(rows, rows[1:]))
    assert any(a[1] != "O" and a[1][2:] == b[1][2:] and b[1][:2] == "B-" for a, b in pairs), "adjacent, same type"
    assert any(a[1] != "O" and a[1][2:] != b[1][2:] and b[1][:2] == "B-" for a, b in pairs), "adjacent, two types"
    assert any(a[0] == "(" and b[1][:2] == "B-" for a, b in pairs), "abbreviation in brackets"


def test_ci_runs_the_commands_of_the_readme():
    script = ROOT / ".ci" / "run"
    assert script.stat().st_mode & stat.S_IXUSR
    names = [line.split()[1] for line in script.read_text().splitlines() if line.startswith("in_fresh_environment ")]
    assert names == ["run", "test"]
    commands = {name: readme_command(name) for name in names}
    assert "project run all" in commands["run"] and "pytest" in commands["test"]
    assert all(command.startswith("pip install -c constraints.txt -e ") for command in commands.values())


def readme_command(name):
    script = ROOT / "project" / "scripts" / "readme_command.py"
    return subprocess.run([sys.executable, script, name], capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_fetch_checks_out_the_recorded_files_at_the_commit(tmp_path):
    source = tmp_path / "source"
    corpus = source / "data" / "a"
    corpus.mkdir(parents=True)
    (source / "data" / "unwanted").mkdir()
    (source / "data" / "unwanted" / "x.tsv").write_text("no")
    (corpus / "train.tsv").write_text("first")
    (corpus / "unrecorded.tsv").write_text("no")
    env = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    for name in ("AUTHOR", "COMMITTER"):
        env |= {f"GIT_{name}_NAME": "a", f"GIT_{name}_EMAIL": "a@example.org"}

    def git(*arguments):
        command = ["git", "-C", source, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True, env=env).stdout

    git("init", "--quiet")
    git("add", "-A")
    git("commit", "--quiet", "-m", "first")
    commit = git("rev-parse", "--short", "HEAD").strip()
    (corpus / "train.tsv").write_text("second")
    git("commit", "--quiet", "-am", "second")
    manifest = tmp_path / "checksums.json"
    manifest.write_text(json.dumps({"public": {"sha256": {"a/train.tsv": "0"}}}))
    script = ROOT / "project" / "scripts" / "fetch.py"
    command = [sys.executable, script, source.as_uri(), commit, tmp_path / "out", "--checksums", manifest]
    subprocess.run(command, check=True, env=env, capture_output=True)
    assert (tmp_path / "out" / "a" / "train.tsv").read_text() == "first"
    assert [path.name for path in (tmp_path / "out").rglob("*")] == ["a", "train.tsv"]
