"""The flat table: a row an entity, which pandas reads back as it was, whatever the text."""

import csv
import gzip
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_mtl_bioner.annotate.formats import get_writer, output_format
from spacy_mtl_bioner.annotate.formats.flat import COLUMNS
from spacy_mtl_bioner.annotate.records import Annotated, Entity

from .test_formats import write

pd = pytest.importorskip("pandas")

SOURCES = (("a", "Protein", 0.75), ("b", "GGP", None), ("a", "Gene", 0.5))
SEPARATORS = {"csv": ",", "tsv": "\t"}
FLAT = str.maketrans("\t\n\r", "   ")


def table(data, separator):
    """As the head of ``formats/flat.py`` says."""
    how = {"keep_default_na": False, "na_values": {"score": ""}, "dtype": {"document": str, "corpora": str}}
    return pd.read_csv(io.BytesIO(data), sep=separator, **how)


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.tab", "a.csv.gz", "a.tsv.gz"])
def test_a_row_an_entity_under_one_header(tmp_path, name):
    entity = Entity(0, 3, "p53", "Protein", "Gene", 0.75, SOURCES)
    documents = [
        Annotated("007", "p53 x", [entity, Entity(4, 5, "x", "Protein")]),
        Annotated("none", "p53"),
        Annotated("NA", "p53", [entity._replace(unified=None, score=None, sources=())]),
    ]
    path = write(output_format(tmp_path / name), tmp_path / name, documents, parts=3)
    data = gzip.decompress(path.read_bytes()) if name.endswith(".gz") else path.read_bytes()
    cells = [line.split("," if "csv" in name else "\t") for line in data.decode().splitlines()]
    assert cells == [
        list(COLUMNS),
        ["007", "0", "3", "p53", "Protein", "Gene", "0.75", "a|b"],
        ["007", "4", "5", "x", "Protein", "", "", ""],
        ["NA", "0", "3", "p53", "Protein", "", "", ""],
    ]


@pytest.mark.parametrize("format", SEPARATORS)
def test_a_job_without_entities_is_a_header(tmp_path, format):
    path = write(format, tmp_path / "out", [Annotated("1", "x"), Annotated("2", "x")])
    assert path.read_text() == SEPARATORS[format].join(COLUMNS) + "\n"


texts = st.text(st.sampled_from("ab \"',;|\t\n\r\u2028\x85é#"), min_size=1, max_size=6)


@pytest.mark.parametrize("format", SEPARATORS)
@given(rows=st.lists(st.tuples(texts, texts, texts), max_size=6))
def test_pandas_reads_what_was_written(format, rows):
    """In TSV with spaces for tabs and line ends."""
    writer = get_writer(format)
    documents = [Annotated(name, text, [Entity(0, len(text), text, label)]) for name, text, label in rows]
    data = writer.head + writer.part(documents)
    found = table(data, SEPARATORS[format])
    assert list(found.columns) == list(COLUMNS)
    kept = [[cell.translate(FLAT) if format == "tsv" else cell for cell in row] for row in rows]
    assert found[["document", "text", "label"]].values.tolist() == kept
    assert found["end"].tolist() == [len(text) for _, text, _ in rows]
    again = list(csv.reader(io.StringIO(data.decode(), newline=""), delimiter=SEPARATORS[format]))
    assert [[row[0], row[3], row[4]] for row in again[1:]] == kept
    if format == "tsv":
        assert data.count(b"\n") == len(rows) + 1 and all(line.count(b"\t") == 7 for line in data.split(b"\n")[:-1])


def test_a_gene_called_na_is_kept_as_the_docstring_says():
    writer = get_writer("csv")
    data = writer.part([Annotated("01", "NA", [Entity(0, 2, "NA", "Gene", None, 0.5), Entity(0, 2, "NA", "Gene")])])
    found = table(writer.head + data, ",")
    assert found["document"].tolist() == ["01", "01"] and found["text"].tolist() == ["NA", "NA"]
    assert found["score"].dtype == float and found["score"].tolist()[0] == 0.5 and found["score"].isna().tolist()[1]
