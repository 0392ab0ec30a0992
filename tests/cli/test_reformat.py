"""Annotated documents from one format to another."""

import gzip
import itertools
import json

import bioc
import pytest
import spacy
from spacy.tokens import Doc, DocBin, Span
from spacy.vocab import Vocab
from typer.testing import CliRunner

from spacy_mtl_bioner.cli import app
from spacy_mtl_bioner.corpora.formats import read_documents
from spacy_mtl_bioner.corpora.jsonl import write_jsonl
from spacy_mtl_bioner.corpora.problems import Problems
from spacy_mtl_bioner.types import Document, Mention, Passage

NAMES = {"pubtator": "a.pubtator", "brat": "a", "bioc-xml": "a.xml", "bioc-json": "a.json", "jsonl": "a.jsonl"}
GOLD = [
    Document(
        "12",
        "Café au lait spots. BRCA1 and aspirin.",
        [Mention(0, 18, "Disease", "Café au lait spots", "D019080"), Mention(20, 25, "Gene", "BRCA1", "672")],
        [Passage(0, 19, "title"), Passage(20, 38, "abstract")],
    ),
    Document("13", "Nothing here. At all.", [], [Passage(0, 13, "title"), Passage(14, 21, "abstract")]),
]


def run(*command, code=0):
    done = CliRunner().invoke(app, ["reformat", *map(str, command)])
    assert done.exit_code == code, done.output
    return " ".join(done.output.split())


def said(path):
    """What all the formats have room for."""
    found = [
        (d.id, d.text, [(m.start, m.end, m.label, m.identifier) for m in d.mentions])
        for d in read_documents(path, Problems())
    ]
    return sorted(found)


@pytest.fixture
def gold(tmp_path):
    path = tmp_path / "gold.jsonl"
    write_jsonl(path, GOLD)
    return path


@pytest.mark.parametrize("one, other", list(itertools.product(NAMES, NAMES)))
def test_text_spans_labels_and_identifiers_survive_any_two_formats(gold, tmp_path, one, other):
    first, second = tmp_path / "one" / NAMES[one], tmp_path / "other" / NAMES[other]
    assert "2 documents" in run(gold, first)
    assert "2 documents" in run(first, second)
    assert said(second) == said(gold)


def test_packed_xml_is_read_by_the_library(gold, tmp_path):
    path = tmp_path / "a.xml.gz"
    run(gold, path)
    collection = bioc.biocxml.loads(gzip.decompress(path.read_bytes()).decode())
    assert [[p.offset for p in d.passages] for d in collection.documents] == [[0, 20], [0, 14]]
    assert [a.text for d in collection.documents for p in d.passages for a in p.annotations] == [
        "Café au lait spots",
        "BRCA1",
    ]


def test_a_converted_corpus_goes_to_an_annotation_tool(tmp_path):
    doc = Doc(Vocab(), words=["BRCA1", "binds", "RAD51", "."], ents=["B-Gene", "O", "B-Gene", "O"])
    DocBin(docs=[doc]).to_disk(tmp_path / "train.spacy")
    run(tmp_path / "train.spacy", tmp_path / "brat", "--to", "brat")
    (annotation,) = (tmp_path / "brat").glob("*.ann")
    assert annotation.read_text() == "T1\tGene 0 5\tBRCA1\nT2\tGene 12 17\tRAD51\n"


def test_what_is_there_is_replaced_on_demand_alone(gold, tmp_path):
    run(gold, tmp_path / "brat")
    (tmp_path / "brat" / "old.ann").touch()
    assert "MTL350" in run(gold, tmp_path / "brat", code=1)
    run(gold, tmp_path / "brat", "--overwrite")
    assert sorted(path.name for path in (tmp_path / "brat").iterdir()) == ["12.ann", "12.txt", "13.ann", "13.txt"]
    path = tmp_path / "a.pubtator"
    path.write_text("old")
    run(gold, path, "--overwrite")
    assert said(path) == said(gold)


def test_of_a_link_what_it_points_to_is_replaced(gold, tmp_path):
    for name in ("a.pubtator", "brat"):
        run(gold, tmp_path / "there" / name)
        (tmp_path / name).symlink_to(tmp_path / "there" / name)
        (tmp_path / "there" / name / "old.ann").touch() if name == "brat" else (tmp_path / name).write_text("old")
        run(gold, tmp_path / name, "--overwrite")
        assert (tmp_path / name).is_symlink() and said(tmp_path / "there" / name) == said(gold)
    assert sorted(path.name for path in (tmp_path / "there").iterdir()) == ["a.pubtator", "brat"]


def test_a_failure_leaves_what_was_there_and_no_draft(gold, tmp_path):
    path = tmp_path / "out" / "a.pubtator"
    run(gold, path)
    before = path.read_bytes()
    with gold.open("a") as file:
        file.write("{\n")
    assert "gold.jsonl:3" in run(gold, path, "--overwrite", code=1)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_what_no_flat_span_expresses_is_left_out_and_counted(tmp_path):
    folder = tmp_path / "brat"
    folder.mkdir()
    (folder / "d.txt").write_text("breast and lung cancer")
    (folder / "d.ann").write_text("T1\tDisease 0 6;16 22\tbreast cancer\nT2\tDisease 11 22\tlung cancer\n")
    assert "left out 1 (MTL030: 1)" in run(folder, tmp_path / "a.pubtator")
    assert said(tmp_path / "a.pubtator") == [("d", "breast and lung cancer", [(11, 22, "Disease", "")])]


@pytest.mark.parametrize(
    "arguments, code",
    [(("a.csv",), "MTL358"), (("a.xml", "--to", "parquet"), "MTL358"), (("gold.jsonl/a.xml",), "MTL182")],
)
def test_outputs_that_cannot_be_written(gold, tmp_path, arguments, code):
    assert code in run(gold, tmp_path / arguments[0], *arguments[1:], code=1)


def test_inputs_that_cannot_be_read(gold, tmp_path):
    assert "MTL361" in run(tmp_path / "nil", tmp_path / "a.xml", code=1)
    assert "MTL358" in run(gold, tmp_path / "a.xml", "--from", "csv", code=1)


def test_identifiers_and_fields_of_a_docbin_survive(tmp_path):
    doc = spacy.blank("en")("TP53 binds MDM2")
    doc.set_ents([Span(doc, 0, 1, "Gene", kb_id="7157"), Span(doc, 2, 3, "Gene", span_id="4193")])
    doc._.document, doc.user_data["meta"] = "5", json.dumps({"year": "1999"})
    DocBin(docs=[doc], store_user_data=True, attrs=["ENT_IOB", "ENT_TYPE", "ENT_KB_ID", "ENT_ID"]).to_disk(
        tmp_path / "a.spacy"
    )
    run(tmp_path / "a.spacy", tmp_path / "a.jsonl")
    (found,) = read_documents(tmp_path / "a.jsonl", Problems())
    assert [(m.text, m.identifier) for m in found.mentions] == [("TP53", "7157"), ("MDM2", "4193")]
    assert found.meta == {"year": "1999"}


def test_parts_of_a_document_can_be_read_again(tmp_path):
    """``overlap --remove`` leaves the other sentences of a document, each as a Doc of its id."""
    docs = [Doc(Vocab(), words=words) for words in (["One"], ["Two"], ["Three"])]
    for doc, name in zip(docs, ("7", "7", "7~2")):
        doc._.document = name
    DocBin(docs=docs, store_user_data=True).to_disk(tmp_path / "in.spacy")
    for name in NAMES.values():
        assert "id that stood before: " in run(tmp_path / "in.spacy", tmp_path / "out" / name)
        assert len({document.id for document in read_documents(tmp_path / "out" / name, Problems())}) == 3


def test_a_packed_file_of_no_format(gold, tmp_path):
    assert "MTL358" in run(gold, tmp_path / "out.gz", code=1)
