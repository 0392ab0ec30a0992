"""The map of the package: every registered name resolves, and none of it is loaded before it is asked for."""

import configparser
import json
import os
import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
import spacy
from spacy.language import Language
from spacy.util import registry

ROOT = Path(__file__).resolve().parents[1]


def entry_points():
    parser = configparser.ConfigParser(delimiters=["="])
    parser.optionxform = str
    parser.read(ROOT / "setup.cfg", encoding="utf8")
    found = []
    for group, lines in parser["options.entry_points"].items():
        for line in lines.strip().splitlines():
            name, _, value = line.partition("=")
            found.append(EntryPoint(name.strip(), value.strip(), group))
    return found


POINTS = entry_points()


@pytest.mark.parametrize("point", POINTS, ids=lambda point: f"{point.group}:{point.name}")
def test_it_resolves(point):
    """From the file, and by the installed package as spaCy looks it up."""
    target = point.load()
    if point.group == "spacy_factories":
        assert Language.has_factory(point.name) or spacy.blank("en").has_factory(point.name)
    elif point.group.startswith(("spacy_", "thinc_")):
        kind = point.group.split("_", 1)[1]
        assert registry.get(kind, point.name) is target


def test_names_have_versions_and_stand_once():
    names = [(point.group, point.name) for point in POINTS]
    assert len(set(names)) == len(names) > 20
    for group, name in names:
        if group not in ("console_scripts", "spacy_factories", "spacy_cli"):
            assert name.startswith("spacy_mtl_bioner.") and name.endswith(".v1"), name


BLANK = """
import importlib, importlib.metadata, json, sys, time
timed = json.loads(sys.argv[1])
if timed:
    load = importlib.metadata.Distribution.entry_points.fget
    without = lambda points: type(points)(p for p in points if not p.value.startswith("spacy_mtl_bioner"))
    importlib.metadata.Distribution.entry_points = property(lambda self: without(load(self)))
import spacy
spacy.blank("en")
modules = list(sys.modules)
start = time.process_time()
for name in timed:
    importlib.import_module(name)
print(json.dumps([modules, time.process_time() - start]))
"""


def blank(bytecode, timed=()):
    """Modules after ``spacy.blank("en")``. With ``timed``: in a spaCy that does not see our entry points, and the
    processor time in seconds of then importing these modules. ``bytecode``: the folder where modules are kept
    compiled, as an installed package has them, whatever the environment says."""
    command = [sys.executable, "-c", BLANK, json.dumps(timed)]
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    env["PYTHONPYCACHEPREFIX"] = str(bytecode)
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=ROOT, env=env)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_a_blank_pipeline_loads_little_of_us(tmp_path):
    """Only what makes factories known; in under 50 ms of processor time, the least of a few runs. The first process
    compiles, which takes as long again and is done once, when the package is installed."""
    with_us, _ = blank(tmp_path)
    ours = [name for name in with_us if name.startswith("spacy_mtl_bioner")]
    assert "spacy_mtl_bioner.pipeline.mtl_ner" in ours
    without, seconds = blank(tmp_path, ours)
    assert not [name for name in without if name.startswith("spacy_mtl_bioner")]
    for room in ("layers", "models", "experiments", "annotate"):
        assert not [name for name in ours if name.startswith(f"spacy_mtl_bioner.{room}")], room
    added = {name.split(".")[0] for name in set(with_us) - set(without)}
    assert not added & {"torch", "transformers", "scipy", "matplotlib", "bioc", "lxml", "safetensors", "seqeval"}
    for _ in range(4):
        if seconds < 0.05:
            break
        seconds = min(seconds, blank(tmp_path, ours)[1])
    assert seconds < 0.05


def test_an_installed_plugin_that_is_not_used_claims_no_common_name():
    """Another project may call its own ``Doc._.corpus``; what was saved is read without the pipeline that made it."""
    code = (
        "import spacy; from spacy.tokens import Doc, Token; nlp = spacy.blank('en'); nlp.add_pipe('sentencizer'); "
        "print([ext for kind in (Doc, Token) for ext in ('corpus', 'document', 'corpora', 'chunk') "
        "if kind.has_extension(ext)]); "
        "saved = {'text': 'TP53', 'tokens': [{'id': 0, 'start': 0, 'end': 4}], "
        "'_': {'mtl': [[0, 4, 'Gene', []]], 'mtl_found': {'gene': [[0, 4, 'Gene', 0.9]]}}}; "
        "doc = Doc(nlp.vocab).from_json(saved); print(doc._.mtl, doc.spans['gene'], doc.spans['gene'].attrs['scores'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.splitlines() == ["[]", "[[0, 4, 'Gene', []]] [TP53] [0.9]"], done.stderr
