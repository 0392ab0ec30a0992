"""The configs of the syntax pipelines train on tiny documents, and annotate what they learned after loading."""

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
import spacy
from spacy.tokens import DocBin
from spacy.training.initialize import init_nlp
from spacy.training.loop import train

from spacy_mtl_bioner.extensions import set_chunks

from .syntax_pipelines import SENTENCES, annotated, chunks, config

ROOT = Path(__file__).resolve().parents[1]


def learned(name: str, folder: Path) -> Path:
    """Where the pipeline of a config is that has learned the tiny corpora."""
    loaded = config(name, folder, max_steps=40, eval_frequency=20, dropout=0.0)
    loaded["training"]["optimizer"]["learn_rate"] = 0.01
    (folder / "out").mkdir()
    found = train(init_nlp(loaded), folder / "out", stdout=io.StringIO())[1]
    assert found is not None
    return found


@pytest.mark.parametrize("name", ["tagger_parser", "chunker"])
def test_it_learns_and_annotates_raw_text(name: str, tmp_path):
    found = spacy.load(learned(name, tmp_path))
    for text in SENTENCES:
        doc, words = found(text), text.split()
        expected = annotated(doc.vocab, words)
        if name == "chunker":
            assert [token._.chunk for token in doc] == chunks(words) and not doc.ents
        else:
            assert [token.tag_ for token in doc] == [token.tag_ for token in expected]
            assert [token.head.i for token in doc] == [token.head.i for token in expected]


def test_benchmark(tmp_path):
    """The scores of trained tiny pipelines on what they learned, against counts by hand."""
    arguments = ["--corpora", tmp_path / "test", "--save", "--results", tmp_path / "syntax.json"]
    vocab = spacy.blank("en").vocab
    docs = [annotated(vocab, sentence.split()) for sentence in SENTENCES]
    docs[0][0].tag_ = "VB"
    set_chunks(docs[1], ["B-NP", "I-NP", "B-NP", "B-NP", "O"])
    path = tmp_path / "test" / "syntax" / "test" / "tiny.spacy"
    path.parent.mkdir(parents=True)
    DocBin(attrs=["ORTH", "SPACY", "TAG", "DEP", "HEAD"], docs=docs, store_user_data=True).to_disk(path)
    for name in ("tagger_parser", "chunker"):
        arguments += [f"--{name.replace('_', '-')}", learned(name, tmp_path / name)]
    command = [sys.executable, str(ROOT / "benchmarks" / "syntax.py"), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    tags, phrases = json.loads((tmp_path / "syntax.json").read_text())
    assert (tags["sentences"], tags["tokens"], tags["seed"], tags["max_steps"]) == (3, 14, 0, 40)
    assert (tags["tag_acc"], tags["dep_uas"], tags["dep_las"]) == (round(100 * 13 / 14, 2), 100.0, 100.0)
    # six chunks are found; of the seven in the gold, the last two of the second sentence are others
    assert (phrases["chunk_precision"], phrases["chunk_recall"]) == (round(500 / 6, 2), round(500 / 7, 2))
