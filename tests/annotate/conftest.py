"""A trained pipeline on the disk, and documents for it."""

import json
from pathlib import Path

import pytest

from ..pipeline.recognizer import TEXTS, trained

POISON = """
from spacy.language import Language

@Language.component("poison")
def poison(doc):
    if "POISON" in doc.text:
        raise RuntimeError("a poisoned document")
    if "DEADLY" in doc.text:
        import os, signal
        os.kill(os.getpid(), signal.SIGKILL)
    return doc
"""


@pytest.fixture(scope="session")
def pipeline():
    """A pipeline that knows two tiny corpora by heart, with the tokenizer and the sentences of real ones."""
    nlp = trained(("disease", "gene"))
    nlp.add_pipe("mtl_sentences", first=True)
    return nlp


@pytest.fixture(scope="session")
def model(pipeline, tmp_path_factory):
    """The same on the disk."""
    path = tmp_path_factory.mktemp("annotate") / "model"
    pipeline.to_disk(path)
    return path


@pytest.fixture(scope="session")
def poisoned(pipeline, tmp_path_factory):
    """A pipeline with a component that fails on POISON and dies of DEADLY, and the file with the component."""
    folder = tmp_path_factory.mktemp("poisoned")
    code = folder / "poison_component.py"
    code.write_text(POISON, encoding="utf-8")
    pipeline.to_disk(folder / "model")
    config = (folder / "model" / "config.cfg").read_text(encoding="utf-8")
    config = config.replace('pipeline = ["mtl_sentences",', 'pipeline = ["mtl_sentences","poison",')
    config = config.replace("[components]\n", '[components]\n\n[components.poison]\nfactory = "poison"\n', 1)
    (folder / "model" / "config.cfg").write_text(config, encoding="utf-8")
    return folder / "model", code


def lines(count, **texts):
    """Records of ``count`` documents, ids from 0; ``texts`` replaces some: ``d3="..."``."""
    return [
        {"id": f"d{i}", "text": texts.get(f"d{i}", f"{TEXTS[i % len(TEXTS)]} . Sample {i} : asthma and BRCA1 .")}
        for i in range(count)
    ]


def write_lines(path: Path, records):
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path


def read_lines(path: Path):
    return [json.loads(line) for line in path.read_bytes().splitlines()]
