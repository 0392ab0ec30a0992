import json

import pytest
import spacy
from hypothesis import given, settings

from spacy_mtl_bioner.corpora.jsonl import read_jsonl, write_jsonl
from spacy_mtl_bioner.errors import MTLError

from .standoff import documents, read, spans, there_and_back

GOOD = '{"id": "1", "text": "IL-2 binds CD25", "entities": [{"start": 0, "end": 4, "label": "Gene"}]}'
TEXT = '"id": "2", "text": "IL-2 binds"'


def write(tmp_path, content):
    path = tmp_path / "in.jsonl"
    path.write_bytes(content.encode("utf-8", "surrogateescape"))
    return path


@settings(deadline=None)
@given(documents())
def test_round_trip_keeps_everything(made):
    found, problems = there_and_back(write_jsonl, read_jsonl, made, "x.jsonl")
    assert [(d.id, d.text, d.mentions, d.passages, d.meta) for d in found] == [
        (d.id, d.text, d.mentions, d.passages, d.meta) for d in made
    ]
    assert not problems.summary()


@pytest.mark.parametrize(
    "entities",
    [
        '"entities": [{"start": 0, "end": 4, "label": "Gene"}]',
        '"spans": [{"start": 0, "end": 4, "label": "Gene", "token_start": 0, "token_end": 0}]',
        '"ents": [{"start": 0, "end": 4, "label": "Gene"}], "spans": {}',
        '"label": [[0, 4, "Gene"]]',
        '"labels": [[0, 4, "Gene"]]',
        '"entities": [[0, 4, "Gene"]]',
        '"entities": [], "spans": [{"start": 0, "end": 4, "label": "Gene"}]',
        '"spans": [[0, 4, "Gene"]], "label": [], "labels": ["class"]',
        '"entities": [], "label": ["class of the text"], "labels": [[0, 4, "Gene"]]',
        '"entities": [{"id": 7, "start_offset": 0, "end_offset": 4, "label": "Gene"}]',
    ],
)
def test_accepted_forms(tmp_path, entities):
    (document,), problems = read(read_jsonl, write(tmp_path, f'\n{{"id": 5, "text": "IL-2 binds", {entities}}}\n'))
    assert (document.id, document.line, spans(document)) == ("5", 2, [(0, 4, "Gene", "")])
    assert document.mentions[0].text == "IL-2" and not problems.summary()


def test_a_class_of_the_text_is_no_entity(tmp_path):
    (document,), problems = read(read_jsonl, write(tmp_path, f'{{{TEXT}, "spans": [], "label": ["class"]}}'))
    assert document.mentions == [] and not problems.summary()


def test_what_spacy_writes(tmp_path):
    nlp = spacy.blank("en")
    doc = nlp("IL-2 binds CD25")
    doc.ents = [doc.char_span(0, 4, "Gene"), doc.char_span(11, 15, "Gene")]
    (document,), _ = read(read_jsonl, write(tmp_path, json.dumps(doc.to_json())))
    assert [(e.start_char, e.end_char, e.label_, "") for e in doc.ents] == spans(document)
    assert document.id == "1"


def test_relations_and_differing_texts_are_counted(tmp_path):
    line = f'{{{TEXT}, "entities": [{{"start": 0, "end": 4, "label": "G", "text": "x"}}], "relations": [1, 2]}}'
    assert read(read_jsonl, write(tmp_path, line))[1].warned == {"relation": 2, "mention text": 1}


def test_meta_that_is_no_text_is_kept_as_json(tmp_path):
    line = f'{{{TEXT}, "entities": [], "meta": {{"a": "é", "b": null, "c": [1, "é"], "d": true, "e": 2.5}}}}'
    (document,), _ = read(read_jsonl, write(tmp_path, line))
    assert document.meta == {"a": "é", "b": "", "c": '[1, "é"]', "d": "true", "e": "2.5"}


def test_lines_that_no_annotator_accepted_are_counted(tmp_path):
    answers = "accept", "reject", "ignore", "answer"
    lines = [f'{{"id": "{answer}", "text": "x", "spans": [], "answer": "{answer}"}}' for answer in answers]
    found, problems = read(read_jsonl, write(tmp_path, "\n".join(lines)))
    assert [document.id for document in found] == ["accept", "answer"] and problems.warned == {"not accepted": 2}


@pytest.mark.parametrize(
    "line, code",
    [
        ('{"id": "2", "text": "cut', "MTL033"),
        ("[" * 100_000, "MTL033"),
        ("1" * 10_000, "MTL033"),
        ('["not", "an", "object"]', "MTL034"),
        ('{"id": "2", "entities": []}', "MTL034"),
        ('{"id": "2", "text": 5, "entities": []}', "MTL034"),
        ('{"id": [], "text": "x", "entities": []}', "MTL034"),
        ('{"id": "2", "text": "x", "meta": 1, "entities": []}', "MTL034"),
        (f"{{{TEXT}}}", "MTL034"),
        (f'{{{TEXT}, "entities": "Gene"}}', "MTL034"),
        (f'{{{TEXT}, "label": ["class"]}}', "MTL034"),
        (f'{{{TEXT}, "entities": [[0, 4]]}}', "MTL034"),
        (f'{{{TEXT}, "entities": [5]}}', "MTL034"),
        (f'{{{TEXT}, "entities": [[0, 4, null]]}}', "MTL034"),
        (f'{{{TEXT}, "entities": [[0.0, 4, "Gene"]]}}', "MTL034"),
        (f'{{{TEXT}, "entities": [[false, true, "Gene"]]}}', "MTL034"),
        (f'{{{TEXT}, "entities": [[-4, 4, "Gene"]]}}', "MTL027"),
        (f'{{{TEXT}, "entities": [[0, 11, "Gene"]]}}', "MTL027"),
        (f'{{{TEXT}, "entities": [[4, 4, "Gene"]]}}', "MTL027"),
        (f'{{{TEXT}, "entities": [[0, 1{"0" * 30}, "Gene"]]}}', "MTL027"),
        ('{"text": "\\ud800", "entities": []}', "MTL026"),
        (f'{{{TEXT}, "entities": [[0, 4, "\\udfff"]]}}', "MTL026"),
        ('{"text": "\udcff", "entities": []}', "MTL002"),
        ('{"id": "1", "text": "other", "entities": []}', "MTL028"),
    ],
)
def test_bad_line_costs_its_document(tmp_path, line, code):
    path = write(tmp_path, f"{GOOD}\n{line}\n")
    with pytest.raises(MTLError) as error:
        read(read_jsonl, path)
    assert str(error.value).startswith(f"[{code}] {path}:2:")
    found, problems = read(read_jsonl, path, "skip")
    assert [document.id for document in found] == ["1"] and problems.skipped == {code: 1}


def test_overlap_costs_the_shorter_mention(tmp_path):
    path = write(tmp_path, f'{{{TEXT}, "entities": [[0, 4, "Gene"], [0, 10, "Event"], [5, 10, "Verb"]]}}')
    with pytest.raises(MTLError, match="MTL029.*in.jsonl:1:"):
        read(read_jsonl, path)
    (document,), problems = read(read_jsonl, path, "skip")
    assert spans(document) == [(0, 10, "Event", "")] and problems.skipped == {"MTL029": 2}


def test_empty_file(tmp_path):
    with pytest.raises(MTLError, match="MTL003"):
        read(read_jsonl, write(tmp_path, " \n"))


def test_a_file_of_rejected_lines(tmp_path):
    with pytest.raises(MTLError, match='MTL003.*"answer", if it has one, is "accept"'):
        read(read_jsonl, write(tmp_path, '{"text": "x", "spans": [], "answer": "reject"}'))


def test_entities_under_two_names_are_not_half_read(tmp_path):
    path = write(tmp_path, f'{{{TEXT}, "entities": [[0, 4, "Gene"]], "spans": [[5, 10, "Verb"]]}}')
    with pytest.raises(MTLError, match="MTL034.*found entities under entities and spans; expected a list under one"):
        read(read_jsonl, path)


def test_span_groups_of_a_doc_are_counted(tmp_path):
    doc = spacy.blank("en")("IL-2 binds CD25")
    doc.spans["BC2GM"], doc.spans["none"] = [doc[:3]], []
    doc.set_ents([], default="outside")
    (document,), problems = read(read_jsonl, write(tmp_path, json.dumps(doc.to_json())))
    assert document.mentions == [] and problems.warned == {"span group": 1}


def test_lines_of_a_folder_without_ids(tmp_path):
    for name in ("a.jsonl", "b.jsonl", "c/a.jsonl"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f'\n{{"text": "{name}", "spans": []}}\n')
    found, _ = read(read_jsonl, tmp_path)
    assert [document.id for document in found] == ["a.jsonl:2", "b.jsonl:2", "c/a.jsonl:2"]


@pytest.mark.parametrize(
    "beside", ['"meta": {"a": "\\ud800"}', '"passages": [{"start": 0, "end": 1, "section": "\\ud800"}]']
)
def test_half_a_pair_beside_the_text(tmp_path, beside):
    with pytest.raises(MTLError, match="MTL026"):
        read(read_jsonl, write(tmp_path, f'{{{TEXT}, "spans": [], {beside}}}'))
