"""Annotated documents back in, as a page, and counted."""

import json

import pytest
from spacy.tokens import DocBin
from typer.testing import CliRunner

from spacy_mtl_bioner.annotate.annotated import read_annotated
from spacy_mtl_bioner.annotate.annotator import Annotator
from spacy_mtl_bioner.annotate.formats import jsonl
from spacy_mtl_bioner.annotate.formats import pubtator as pubtator_format
from spacy_mtl_bioner.annotate.formats.docbin import part as docbin_part
from spacy_mtl_bioner.annotate.records import Annotated, Entity
from spacy_mtl_bioner.cli import app
from spacy_mtl_bioner.annotate.tally import count
from spacy_mtl_bioner.errors import MTLError
from spacy_mtl_bioner.types import Document, Passage

TEXTS = ["BRCA1 mutations cause breast cancer and asthma .", "Breast  cancer <b> is common in mice ."]


@pytest.fixture(scope="module")
def documents(model):
    given = [Document(f"d{i}", text, passages=[Passage(0, 5, "title")]) for i, text in enumerate(TEXTS)]
    found = list(Annotator(str(model), keep_docs=True, label_map="default").pipe(given))
    assert any(document.entities for document in found)
    return found


def run(*command, code=0):
    done = CliRunner().invoke(app, [str(part) for part in command])
    assert done.exit_code == code, done.output
    return " ".join(done.output.split())  # a long path folds a line


def test_jsonl_comes_back_whole(documents, tmp_path):
    path = tmp_path / "out.jsonl"
    path.write_bytes(jsonl.part(documents))
    for found, document in zip(read_annotated(path), documents, strict=True):
        assert (found.id, found.text, found.entities) == (document.id, document.text, document.entities)
        assert list(found.passages) == list(document.passages)


def test_docbin_comes_back_with_its_docs(documents, tmp_path):
    folder = tmp_path / "shards"
    folder.mkdir()
    for i, document in enumerate(documents):
        (folder / f"{i}.spacy").write_bytes(docbin_part([document]))
    found = list(read_annotated(folder))
    assert [d.id for d in found] == [d.id for d in documents]
    for one, other in zip(found, documents, strict=True):
        assert [e[:4] + e[5:] for e in one.entities] == [e[:4] + e[5:] for e in other.entities]
        assert one.doc._.mtl_found == other.doc._.mtl_found


def test_other_formats_come_back_as_far_as_they_go(documents, tmp_path):
    path = tmp_path / "out.pubtator"
    path.write_bytes(pubtator_format.part(documents))
    for found, document in zip(read_annotated(path), documents, strict=True):
        expected = [(e.start, e.end, e.shown) for e in document.entities]
        assert [(e.start, e.end, e.label) for e in found.entities] == expected


@pytest.mark.parametrize(
    "line, code",
    [
        ("{", "MTL362"),
        ("[]", "MTL362"),
        ('{"text": "a"}', "MTL362"),
        ('{"text": "a", "entities": [{"start": 0}]}', "MTL362"),
        ('{"text": "a", "entities": [{"start": 0, "end": 9, "label": "X"}]}', "MTL362"),
        ('{"text": "a", "entities": ["X"]}', "MTL362"),
        ('{"text": "a", "entities": [], "problems": ["cut"]}', "MTL362"),
        ('{"text": "a", "entities": [], "problems": {"cut": "two"}}', "MTL362"),
    ],
)
def test_malformed_lines_say_where(line, code, tmp_path):
    path = tmp_path / "in.jsonl"
    path.write_text(f'{{"text": "a", "entities": []}}\n{line}\n', encoding="utf-8")
    with pytest.raises(MTLError, match=rf"{code}.*in\.jsonl:2"):
        list(read_annotated(path))


def test_what_is_not_there(tmp_path):
    with pytest.raises(MTLError, match="MTL361"):
        next(read_annotated(tmp_path / "nope.jsonl"))
    with pytest.raises(MTLError, match="MTL358.*docbin"):
        next(read_annotated(tmp_path, "nope"))
    (tmp_path / "in.xyz").write_text("x")
    with pytest.raises(MTLError, match="MTL358.*--from"):
        next(read_annotated(tmp_path / "in.xyz"))


def test_render(documents, tmp_path):
    source, page = tmp_path / "in.spacy", tmp_path / "page.html"
    docs = [document.doc for document in documents]
    DocBin(docs=docs, store_user_data=True).to_disk(source)
    assert "2 documents" in run("render", source, page, "--title", "<b>")
    shown = page.read_text(encoding="utf-8")
    assert shown.count("<article") == 2 and "&lt;b&gt;" in shown and "<b>" not in shown
    assert "MTL350" in run("render", source, page, code=1)
    assert "1 documents" in run("render", source, page, "--overwrite", "--limit", 1)
    assert page.read_text(encoding="utf-8").count("<article") == 1


def test_stats_fold_case_and_space(tmp_path):
    texts = ["Asthma", "asthma", "breast  cancer", "Breast cancer", "asthma"]
    made = [Annotated(str(i), t, [Entity(0, len(t), t, "x", "Disease", None)]) for i, t in enumerate(texts)]
    made.append(Annotated("none", "none"))
    number, tallies = count(made)
    assert number == 6 and list(tallies) == ["Disease"]
    assert [tuple(form) for form in tallies["Disease"].top(5)] == [("asthma", 3, 3), ("Breast cancer", 2, 2)]
    path, out = tmp_path / "in.jsonl", tmp_path / "counts.json"
    path.write_bytes(jsonl.part(made))
    shown = run("stats", path, "--top", 1, "--out", out)
    assert "Disease" in shown and "asthma" in shown and "6 documents, 5 mentions" in shown
    found = json.loads(out.read_text(encoding="utf-8"))["labels"]["Disease"]
    assert (found["mentions"], found["forms"], found["documents"], len(found["top"])) == (5, 2, 5, 1)


def test_gold_that_no_flat_span_expresses_is_left_out_and_said_once(tmp_path):
    folder, out = tmp_path / "gold", tmp_path / "counts.json"
    folder.mkdir()
    (folder / "1.txt").write_text("breast and lung cancer in mice", encoding="utf-8")
    rows = ["T1\tDisease 0 6;16 22\tbreast cancer", "T2\tDisease 11 22\tlung cancer", "T3\tAnatomy 11 15\tlung"]
    (folder / "1.ann").write_text("\n".join([*rows, "T4\tSpecies 26 30\tmice"]), encoding="utf-8")
    with pytest.raises(MTLError, match="MTL030"):
        list(read_annotated(folder))
    left_out = f"{folder}: left out 2 (MTL029: 1, MTL030: 1)"
    shown = run("stats", folder, "--out", out)
    assert "1 documents, 2 mentions" in shown and shown.count(left_out) == shown.count("left out") == 1
    assert set(json.loads(out.read_text(encoding="utf-8"))["labels"]) == {"Disease", "Species"}
    assert run("render", folder, tmp_path / "page.html").count(left_out) == 1
    (folder / "1.ann").write_text("T1\tSpecies 26 30", encoding="utf-8")
    assert "MTL034" in run("stats", folder, code=1)


def test_letters_that_the_terminal_lacks(tmp_path):
    path = tmp_path / "in.jsonl"
    path.write_bytes(jsonl.part([Annotated("1", "TGF-β", [Entity(0, 5, "TGF-β", "Gene")])]))
    done = CliRunner(charset="cp1252").invoke(app, ["stats", str(path), "--out", str(tmp_path / "counts.json")])
    assert done.exit_code == 0 and "TGF-?" in done.output
    assert "TGF-β" in (tmp_path / "counts.json").read_text(encoding="utf-8")
    done = CliRunner().invoke(app, ["stats", str(path), "--out", str(path / "counts.json")])
    assert done.exit_code == 1 and "MTL182" in done.output


def test_revising_components_by_option(pipeline, model):
    text = "patients with breast cancer (BC) improved. BC improved"
    with pytest.raises(MTLError, match="MTL369.*abbreviations"):
        Annotator(str(model), component="nope", abbreviations=True)
    annotator = Annotator(str(model), corpora=["disease"], abbreviations=True, brackets=True, merge="longest")
    names = annotator.nlp.pipe_names
    assert names[names.index("mtl_ner") + 1 :][:2] == ["mtl_brackets", "mtl_abbreviations"]
    assert annotator.nlp.get_pipe("mtl_abbreviations").merge == annotator.nlp.get_pipe("mtl_ner").merge
    with_them = [entity.text for entity in annotator(text).entities]
    without = [entity.text for entity in Annotator(annotator.nlp, abbreviations=False)(text).entities]
    assert with_them.count("BC") == 2
    assert "mtl_abbreviations" not in annotator.nlp.pipe_names and "breast cancer" in without
    assert Annotator(annotator.nlp, abbreviations=True, consistency=True).nlp.pipe_names[-3:] == [
        "mtl_brackets",
        "mtl_abbreviations",
        "mtl_consistency",
    ]
