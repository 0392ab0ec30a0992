"""The catalogue: the published corpora, and what is said about an entry that does not serve."""

import json

import pytest

from spacy_mtl_bioner.corpora.catalogue import CONLL, FORMATS, get_entry, load_catalogue
from spacy_mtl_bioner.corpora.formats import FORMATS as STANDOFF
from spacy_mtl_bioner.errors import MTLError

GOOD = {"folder": "assays", "labels": {"Assay": "Assay", "Drug": "Chemical"}, "license": "none", "citation": "none"}


@pytest.fixture
def load(tmp_path):
    def load(record, name="my-assays"):
        path = tmp_path / "mine.json"
        path.write_text(json.dumps({"categories": {"Assay": "methods"}, "corpora": {name: record}}))
        return load_catalogue(path)

    return load


def test_published_corpora():
    catalogue = load_catalogue()
    assert len(catalogue) == 17
    assert {"BC4CHEMD", "Species-800", "NCBI-disease", "linnaeus", "BioNLP13CG"} < set(catalogue)
    assert [name for name, entry in catalogue.items() if entry.kind == "tags"] == ["GENIA-pos"]
    assert (catalogue["BC5CDR"].kind, list(catalogue["BC5CDR"].labels)) == ("spans", ["Chemical", "Disease"])
    assert len(catalogue["BioNLP13CG"].labels) == 16
    assert catalogue["NCBI-disease"].known_labels()["Modifier"] == "Disease"
    assert all(entry.citation and entry.license and entry.url for entry in catalogue.values())


def test_formats_are_those_that_can_be_read():
    assert FORMATS == (CONLL, *STANDOFF)


def test_own_corpora_are_added(load):
    catalogue = load(GOOD)
    entry = get_entry(catalogue, "my-assays")
    assert "NCBI-disease" in catalogue and entry.splits["devel"] == "devel.tsv"
    assert (entry.format, entry.kind, entry.scheme) == ("conll", "spans", "IOB2")
    assert load(GOOD, "BC5CDR")["BC5CDR"].folder == "assays"


def test_tags_are_a_list(load):
    entry = load({**GOOD, "kind": "tags", "labels": ["NN", "VB"]})["my-assays"]
    assert (entry.kind, list(entry.labels)) == ("tags", ["NN", "VB"])


@pytest.mark.parametrize(
    "change, field",
    [
        ({"folder": None}, "folder"),
        ({"citation": ...}, "citation"),
        ({"colour": "red"}, "colour"),
        ({"format": "xls"}, "format"),
        ({"kind": "span"}, "kind"),
        ({"scheme": "BILOU"}, "scheme"),
        ({"labels": {}}, "labels"),
        ({"labels": ["Assay"]}, "labels"),
        ({"labels": {"Drug": "Medicine"}}, "labels"),
        ({"kind": "tags"}, "labels"),
        ({"kind": "tags", "labels": ["NN"], "format": "jsonl"}, "kind"),
        ({"renames": {"A": "B"}}, "renames"),
        ({"renames": ["A"]}, "renames"),
        ({"splits": {"test": "test.tsv"}}, "splits"),
        ({"splits": {"train": "a", "dev": "b"}}, "splits"),
        ({"splits": {"train": 1}}, "splits"),
    ],
)
def test_wrong_fields_are_named(load, change, field):
    record = {key: value for key, value in {**GOOD, **change}.items() if value is not ...}
    with pytest.raises(MTLError, match=rf"^\[MTL009\] .*mine.json: corpus 'my-assays', field '{field}': "):
        load(record)


@pytest.mark.parametrize("name", ["", "../up", "a/b", ".hidden", "a b"])
def test_names_make_folders(load, name):
    with pytest.raises(MTLError, match="MTL009"):
        load(GOOD, name)


def test_entry_that_is_no_object(load):
    with pytest.raises(MTLError, match="MTL009.*expected an object"):
        load("assays")


@pytest.mark.parametrize(
    "content",
    ["{", "[]", "{}", '{"corpora": []}', '{"corpora": {}, "categories": []}', "\x00", "[" * 100_000]
    + ['{"corpora": {"mine": {}, "mine": {}}}'],
)
def test_files_that_are_no_catalogue(tmp_path, content):
    (tmp_path / "x.json").write_text(content)
    with pytest.raises(MTLError, match=r"^\[MTL008\] .*x.json"):
        load_catalogue(tmp_path / "x.json")


def test_a_byte_order_mark_is_no_part_of_it(tmp_path):
    path = tmp_path / "x.json"
    path.write_text(json.dumps({"corpora": {"mine": {**GOOD, "labels": {"X": "Gene"}}}}), encoding="utf-8-sig")
    assert "mine" in load_catalogue(path)
    path.write_text("{}", encoding="utf-16")
    with pytest.raises(MTLError, match=r"MTL002.*x\.json:1"):
        load_catalogue(path)


def test_missing_file_and_unknown_name(tmp_path):
    with pytest.raises(MTLError, match="MTL001"):
        load_catalogue(tmp_path / "none.json")
    with pytest.raises(MTLError, match=r"^\[MTL010\] unknown corpus 'NCBI'.*NCBI-disease"):
        get_entry(load_catalogue(), "NCBI")
