"""Every format in with every format out: the same entities at the same characters of the same texts."""

import csv
import gzip
import io
import json
import time
from pathlib import Path

import pytest
import spacy
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.tokens import DocBin

from spacy_mtl_bioner.annotate.annotated import read_annotated
from spacy_mtl_bioner.annotate.annotator import Annotator
from spacy_mtl_bioner.annotate.chunks import document_of_record
from spacy_mtl_bioner.annotate.formats import READERS, WRITERS, get_reader, get_writer, output_format, tables
from spacy_mtl_bioner.annotate.formats.base import Columns, Place
from spacy_mtl_bioner.annotate.inputs import Inputs
from spacy_mtl_bioner.annotate.records import Annotated, Entity, Failure
from spacy_mtl_bioner.annotate.sinks import publish
from spacy_mtl_bioner.corpora.bioc_format import read_bioc_json, read_bioc_xml
from spacy_mtl_bioner.corpora.bioc_write import write_bioc_json, write_bioc_xml
from spacy_mtl_bioner.corpora.brat import read_brat, write_brat
from spacy_mtl_bioner.corpora.conll import read_conll
from spacy_mtl_bioner.corpora.jsonl import read_jsonl
from spacy_mtl_bioner.corpora.problems import Problems
from spacy_mtl_bioner.corpora.pubtator import read_pubtator, write_pubtator
from spacy_mtl_bioner.corpora.schemes import tags_to_spans
from spacy_mtl_bioner.errors import MTLError
from spacy_mtl_bioner.types import Document, Mention, Passage

pa = pytest.importorskip("pyarrow")
pd = pytest.importorskip("pandas")
pytest.importorskip("pyarrow.parquet")
pytest.importorskip("bioc")

TITLES = ["BRCA1 mutations cause breast cancer and asthma.", "😀 asthma é is common in mice."]
ABSTRACTS = ["The p53 protein binds MDM2. Asthma 'a|b' <c> & asthma.", "Nothing\u2028at all; breast cancer."]
DOCUMENTS = [
    Document(
        str(10 + i),
        f"{title} {abstract}",
        [Mention(0, 3, "Old", f"{title} {abstract}"[:3])],
        [Passage(0, len(title), "title"), Passage(len(title) + 1, len(title) + 1 + len(abstract), "abstract")],
    )
    for i, (title, abstract) in enumerate(zip(TITLES, ABSTRACTS))
]


def write_table(path, documents, separator):
    with open(path, "w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, delimiter=separator)
        rows.writerow(["id", "text", "year"])
        rows.writerows([document.id, document.text, "2001"] for document in documents)


def write_parquet(path, documents):
    table = {"id": [d.id for d in documents], "text": [d.text for d in documents], "year": [2001] * len(documents)}
    pa.parquet.write_table(pa.table(table), path)


def write_docbin(path, documents):
    nlp = spacy.blank("en")
    docs = [nlp(document.text) for document in documents]
    for doc, document in zip(docs, documents):
        doc._.document = document.id
    DocBin(docs=docs, store_user_data=True).to_disk(path)


def write_texts(path, documents):
    path.mkdir()
    for document in documents:
        (path / f"{document.id}.txt").write_bytes(document.text.encode("utf-8"))


def write_jsonl(path, documents):
    path.write_text("".join(json.dumps({"id": d.id, "text": d.text}) + "\n" for d in documents), encoding="utf-8")


IN = {
    "jsonl": ("in.jsonl", write_jsonl),
    "text": ("texts", write_texts),
    "csv": ("in.csv", lambda path, documents: write_table(path, documents, ",")),
    "tsv": ("in.tsv", lambda path, documents: write_table(path, documents, "\t")),
    "parquet": ("in.parquet", write_parquet),
    "pubtator": ("in.pubtator", write_pubtator),
    "bioc-xml": ("in.xml", write_bioc_xml),
    "bioc-json": ("in.json", write_bioc_json),
    "brat": ("brat", write_brat),
    "docbin": ("in.spacy", write_docbin),
}
WITH_PASSAGES = {"pubtator", "bioc-xml", "bioc-json"}
PACKABLE = ["jsonl", "csv", "tsv", "pubtator", "bioc-xml", "bioc-json", "conll"]


def stand_off(read, path):
    problems = Problems()
    found = [(d.id, d.text, [(m.start, m.end, m.label) for m in d.mentions]) for d in read(path, problems)]
    assert not problems.warned
    return found


def from_conll(path):
    """The spans, from the offsets beside the words; a CoNLL file has no text."""
    assert sum(1 for _ in read_conll(path, "IOB2", Problems())) >= len(DOCUMENTS)
    found, rows = [], []
    for line in [*path.read_text("utf-8").split("\n"), ""]:
        cells = line.split("\t")
        if cells[0] == "-DOCSTART-":
            found.append((cells[1], []))
        elif len(cells) == 4:
            rows.append(cells)
        elif rows:
            for start, end, label in tags_to_spans([row[3] for row in rows], "IOB2"):
                found[-1][1].append((int(rows[start][1]), int(rows[end - 1][2]), label))
            rows = []
    texts = {document.id: document.text for document in DOCUMENTS}
    return [(name, texts[name], spans) for name, spans in found]


def from_docbin(path):
    vocab, found = spacy.blank("en").vocab, []
    for file in sorted(path.glob("*")) if path.is_dir() else [path]:
        for doc in DocBin(store_user_data=True).from_disk(file).get_docs(vocab):
            spans = [(e.start_char, e.end_char, e.label_) for e in doc.ents]
            assert [tuple(entry[:3]) for entry in doc._.mtl] == spans
            found.append((doc._.document, doc.text, spans))
    return found


def from_parquet(path):
    rows = pa.parquet.read_table(path).to_pylist()
    return [(r["id"], r["text"], [(e["start"], e["end"], e["label"]) for e in r["entities"]]) for r in rows]


def from_table(path):
    """The spans of a flat table, which has no text, and no row for a document without entities."""
    found = {document.id: [] for document in DOCUMENTS}
    table = pd.read_csv(path, sep="\t" if path.suffix == ".tsv" else ",", dtype={"document": str})
    for row in table.itertuples():
        found[row.document].append((row.start, row.end, row.label))
    return [(document.id, document.text, found[document.id]) for document in DOCUMENTS]


OUT = {
    "jsonl": ("out.jsonl", lambda path: stand_off(read_jsonl, path)),
    "pubtator": ("out.pubtator", lambda path: stand_off(read_pubtator, path)),
    "bioc-xml": ("out.xml", lambda path: stand_off(read_bioc_xml, path)),
    "bioc-json": ("out.json", lambda path: stand_off(read_bioc_json, path)),
    "brat": ("out", lambda path: stand_off(read_brat, path)),
    "conll": ("out.conll", from_conll),
    "csv": ("out.csv", from_table),
    "tsv": ("out.tsv", from_table),
    "docbin": ("out", from_docbin),
    "parquet": ("out", from_parquet),
}


def read(path, format=None, **columns):
    inputs = Inputs(str(path), format, Columns(**columns))
    return [document_of_record(record, inputs.columns) for record in inputs]


def write(format, path, documents, parts=2):
    """Write as a job does, in some parts."""
    writer = get_writer(output_format(path, format))
    folder = path.with_name(path.name + ".job")
    folder.mkdir()
    sink = writer.sink(folder, path)
    sink.restore(None)
    size = -(-len(documents) // parts) or 1
    for index, first in enumerate(range(0, len(documents), size)):
        part = folder / f"{index}.part"
        part.write_bytes(writer.part(documents[first : first + size]))
        sink.append(part)
    publish(sink.build(), path)
    sink.close()
    return path


@pytest.fixture(scope="module")
def annotator(pipeline):
    return Annotator(pipeline, keep_docs=True)


@pytest.fixture(scope="module")
def expected(annotator):
    """Of texts alone, and of texts with passages."""
    found = {}
    for passages in (True, False):
        documents = [d if passages else Document(d.id, d.text) for d in DOCUMENTS]
        results = annotator.annotate(documents)
        found[passages] = [(r.id, r.text, [(e.start, e.end, e.label) for e in r.entities]) for r in results]
        assert all(entities for _, _, entities in found[passages])
    return found


def test_every_format_is_tested():
    assert set(IN) == set(READERS)
    assert set(OUT) == set(WRITERS) - {"html"}


@pytest.mark.parametrize("to", OUT)
@pytest.mark.parametrize("source", IN)
def test_every_reader_with_every_writer(annotator, expected, tmp_path, source, to):
    name, put = IN[source]
    put(tmp_path / name, DOCUMENTS)
    documents = read(tmp_path / name, source)
    assert [(d.id, d.text) for d in documents] == [(d.id, d.text) for d in DOCUMENTS]
    name, get = OUT[to]
    made = write(to, tmp_path / name, annotator.annotate(documents))
    flat = str.maketrans("\n\t", "  ")
    assert [(i, t.translate(flat), s) for i, t, s in get(made)] == expected[source in WITH_PASSAGES]


@pytest.mark.parametrize("source", sorted(WITH_PASSAGES))
@pytest.mark.parametrize("to", sorted(WITH_PASSAGES | {"jsonl", "parquet", "docbin"}))
def test_passages_survive(annotator, tmp_path, source, to):
    name, put = IN[source]
    put(tmp_path / name, DOCUMENTS)
    made = write(to, tmp_path / OUT[to][0], annotator.annotate(read(tmp_path / name)))
    assert [document.passages for document in read(made, to)] == [document.passages for document in DOCUMENTS]


@pytest.mark.parametrize("source", [name for name in IN if name not in ("text", "brat")])
def test_packed_files_are_read(tmp_path, source):
    name, put = IN[source]
    put(tmp_path / name, DOCUMENTS)
    packed = tmp_path / f"{name}.gz"
    packed.write_bytes(gzip.compress((tmp_path / name).read_bytes()))
    assert [d.text for d in read(packed)] == [d.text for d in DOCUMENTS]


@pytest.mark.parametrize("to", PACKABLE)
def test_packed_files_are_written(annotator, tmp_path, to):
    results = annotator.annotate(DOCUMENTS)
    plain, packed = write(to, tmp_path / "plain", results), write(to, tmp_path / "out.gz", results)
    assert gzip.decompress(packed.read_bytes()) == plain.read_bytes()


@pytest.mark.parametrize("to", ["parquet", "docbin"])
def test_a_single_file_or_a_folder(annotator, expected, tmp_path, to):
    path = write(to, tmp_path / f"out{WRITERS[to].suffixes[0]}", annotator.annotate(DOCUMENTS))
    assert path.is_file()
    assert OUT[to][1](path) == expected[True]


def test_scores_provenance_and_unified_labels_are_written(tmp_path):
    sources = (("a", "Protein", 0.75), ("b", "GGP", None))
    documents = [Annotated("1", "p53 x", [Entity(0, 3, "p53", "Protein", "Gene", 0.75, sources)], meta={"k": [1]})]
    entity = json.loads(write("jsonl", tmp_path / "a.jsonl", documents).read_text())["entities"][0]
    assert (entity["label"], entity["unified"], entity["score"]) == ("Protein", "Gene", 0.75)
    assert entity["sources"][1] == {"corpus": "b", "label": "GGP", "score": None}
    (row,) = pa.parquet.read_table(write("parquet", tmp_path / "a.parquet", documents)).to_pylist()
    assert row["entities"][0] == entity and json.loads(row["meta"]) == {"k": [1]}
    for line in (
        write("pubtator", tmp_path / "a.pubtator", documents).read_text().splitlines()[2],
        (write("brat", tmp_path / "brat", documents) / "1.ann").read_text(),
    ):
        assert "Gene" in line.split("\t")[4 if line.startswith("1\t") else 1]
    assert "corpora=a,b:GGP label=Protein" in (tmp_path / "brat" / "1.ann").read_text()
    xml = write("bioc-xml", tmp_path / "a.xml", documents).read_text()
    for key, value in (("type", "Gene"), ("label", "Protein"), ("score", "0.75"), ("corpora", "a,b:GGP")):
        assert f'<infon key="{key}">{value}</infon>' in xml


def test_pubtator_has_six_columns_and_keeps_offsets_over_line_ends(tmp_path):
    text = "A title\nwith\ttabs p53"
    path = write("pubtator", tmp_path / "a.pubtator", [Annotated("1|2", text, [Entity(18, 21, "p53", "Gene")])])
    assert path.read_text("utf-8") == "1_2|t|A title with tabs p53\n1_2|a|\n1_2\t18\t21\tp53\tGene\t-\n\n"


def test_brat_names_are_safe_and_distinct(tmp_path):
    names = ["a/../b", ".hidden", "same", "same", "SAME", ""]
    folder = write("brat", tmp_path / "brat", [Annotated(name, f"text {i}") for i, name in enumerate(names)])
    texts = sorted(path.read_text() for path in folder.glob("*.txt"))
    assert texts == sorted(f"text {i}" for i in range(len(names)))
    assert all(path.parent == folder for path in folder.rglob("*.txt"))
    assert len({path.name.casefold() for path in folder.glob("*.txt")}) == len(names)


def test_brat_loses_no_document_to_names(tmp_path):
    names = ["a", "a", "a~2", "x" * 270, "x" * 269 + "y"]
    folder = write("brat", tmp_path / "brat", [Annotated(name, f"text {i}") for i, name in enumerate(names)])
    assert len(list(folder.glob("*.txt"))) == len(list(folder.glob("*.ann"))) == len(names)


BAD_PASSAGES = [[0, 1e30, ""], [-1, 2, ""], [0, 7, ""], [2, 1, ""], [0, float("inf"), ""]]


@pytest.mark.parametrize("passages", [*([bad] for bad in BAD_PASSAGES), [[0, 3, ""], [2, 4, ""]]])
def test_passages_that_are_none_cost_their_document(tmp_path, passages):
    fields = {"id": "1", "text": "asthma", "passages": [dict(zip(("start", "end", "section"), p)) for p in passages]}
    (tmp_path / "a.jsonl").write_text(json.dumps(fields) + "\n")
    assert failures(read(tmp_path / "a.jsonl")) == [("1", "MTL362")]
    doc = spacy.blank("en")("asthma")
    doc.user_data["passages"] = passages
    DocBin(docs=[doc], store_user_data=True).to_disk(tmp_path / "a.spacy")
    assert failures(read(tmp_path / "a.spacy")) == [("a:1", "MTL362")]
    with pytest.raises(MTLError, match="MTL362.*passages"):
        list(read_annotated(tmp_path / "a.spacy"))


def test_an_unknown_encoding_is_coded(tmp_path):
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(MTLError, match="MTL359.*--encoding"):
        read(tmp_path / "a.txt", encoding="utf-9")


def test_halves_of_pairs_anywhere_are_replaced(annotator, tmp_path):
    passages = [Passage(0, 3, "\ud800"), Passage(3, 6, "")]
    documents = annotator.annotate([Document("a\ud800", "asth\udc00ma", passages=passages, meta={"k": ["\udc00"]})])
    (document,) = documents
    assert (document.id, document.text, document.meta) == ("a\ufffd", "asth\ufffdma", {"k": ["\ufffd"]})
    assert document.problems == {"surrogate": 3}
    for to in set(WRITERS) - {"html"}:
        assert write(to, tmp_path / f"out-{to}", documents, parts=1).exists(), to


def test_the_format_is_told_by_suffix_or_name(tmp_path):
    assert get_reader(Path("a.jsonl.gz")) is READERS["jsonl"]
    assert get_reader(Path("a.nxml"), "bioc-xml") is READERS["bioc-xml"]
    assert output_format(Path("a.JSON")) == "bioc-json"
    assert output_format(Path("a.gz"), "jsonl") == "jsonl.gz"
    for wrong in (lambda: get_reader(Path("a.doc")), lambda: output_format(Path("a")), lambda: get_writer("brat.gz")):
        with pytest.raises(MTLError, match="MTL358"):
            wrong()


def failures(records):
    return [(record.id, record.code) if isinstance(record, Failure) else record.id for record in records]


def test_a_folder_mixes_formats_and_names_documents_by_file(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "b.txt").write_text("b")
    (tmp_path / "a.jsonl").write_text('{"text": "a"}\n\n{"text": "c", "id": 3}\n')
    (tmp_path / ".hidden.txt").write_text("no")
    (tmp_path / "readme.md").write_text("no")
    assert [(d.id, d.text) for d in read(tmp_path)] == [("a:1", "a"), ("3", "c"), ("sub/b", "b")]
    assert [d.id for d in read(tmp_path, "text")] == ["sub/b"]
    assert Inputs(str(tmp_path)).passed_over == {".md": 1}
    assert Inputs(str(tmp_path), "text").passed_over == {".jsonl": 1, ".md": 1}
    assert Inputs(str(tmp_path / "a.jsonl")).passed_over == {}
    with pytest.raises(MTLError, match="MTL371") as error:
        read(tmp_path, "parquet")
    assert "no file of the format parquet; looked for names in .parquet, plain or packed (.gz). " in str(error.value)
    assert "Other files there: 1 of .jsonl, 1 of .md, 1 of .txt." in str(error.value)
    (tmp_path / "empty").mkdir()
    with pytest.raises(MTLError, match=r"MTL371.*no file of a format that can be read; .*\.tsv, .* there: none at all"):
        read(tmp_path / "empty")
    with pytest.raises(MTLError, match="MTL361"):
        read(tmp_path / "nope.txt")


def test_standard_input_plain_and_packed(monkeypatch):
    data = b'{"text": "a"}\n{"text": "b"}\n'
    for sent in (data, gzip.compress(data)):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(sent))))
        assert [(d.id, d.text) for d in read("-")] == [("stdin:1", "a"), ("stdin:2", "b")]


def test_what_is_wrong_with_a_document_costs_that_document(tmp_path):
    table = tmp_path / "a.csv"
    table.write_text('id,text\n1,ok\n2\n3,a,b\n,"no\nid"\n')
    assert failures(read(table)) == ["1", ("2", "MTL362"), ("3", "MTL362"), "a:6"]
    (tmp_path / "a.txt").write_bytes(b"\xff\xfe")
    assert failures(read(tmp_path / "a.txt")) == [("a", "MTL362")]
    assert read(tmp_path / "a.txt", encoding="latin-1")[0].text == "ÿþ"
    broken = tmp_path / "a.pubtator"
    broken.write_bytes(b"1|t|ok\n1|a|ok\n1\tbad row\n\n2|t|no abstract\n\n3|t|\xff\n3|a|x\n\n4|t|ok\n4|a|\n")
    assert failures(read(broken)) == ["1", ("2", "MTL032"), ("3", "MTL002"), "4"]
    write_bioc_xml(tmp_path / "a.xml", DOCUMENTS)
    cut = (tmp_path / "a.xml").read_bytes()[:-60]
    (tmp_path / "a.xml").write_bytes(cut)
    assert failures(read(tmp_path / "a.xml")) == ["10", ("a:2", "MTL033")]
    pa.parquet.write_table(pa.table({"id": [1, 2], "text": ["ok", None]}), tmp_path / "a.parquet")
    assert failures(read(tmp_path / "a.parquet")) == ["1", ("2", "MTL362")]


@pytest.mark.parametrize(
    "name, content, code",
    [
        ("a.csv", b"id,body\n1,x\n", "MTL362.*--text"),
        ("a.csv", b"id,text,\xff\n1,a,b\n", "MTL362.*a.csv:1: .*--encoding"),
        ("a.csv", b'id,text\n1,"a" b\n', "MTL362.*a.csv:2: "),
        ("a.csv", b'id,text\n1,"a\n2,b\n', "MTL362.*sound table"),
        ("a.parquet", b"no", "MTL362"),
        ("a.spacy", b"no", "MTL016"),
        ("a.jsonl.gz", b"no", "MTL025"),
    ],
)
def test_what_is_wrong_with_a_whole_file_is_raised(tmp_path, name, content, code):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(MTLError, match=code):
        read(tmp_path / name)


def test_columns_of_other_names_and_the_rest_as_meta(tmp_path):
    (tmp_path / "a.csv").write_text("pmid,body,year\n7,x,2001\n")
    (document,) = read(tmp_path / "a.csv", text="body", id="pmid")
    assert (document.id, document.text, document.meta) == ("7", "x", {"year": "2001"})


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.csv.gz", "a.xml", "a.bioc.gz", "a.json"])
def test_an_empty_file_is_a_failure_where_a_sound_one_holds_something(tmp_path, name):
    empty = gzip.compress(b"") if name.endswith(".gz") else b""
    (tmp_path / name).write_bytes(empty)
    (tmp_path / "b.txt").write_bytes(b"")
    found = read(tmp_path)
    assert failures(found) == [("a", "MTL362"), "b"] and f"{name}: an empty file; expected" in found[0].message


@pytest.mark.parametrize("name", ["a.jsonl", "a.pubtator", "a.ndjson.gz"])
def test_an_empty_file_of_lines_holds_nothing(tmp_path, name):
    (tmp_path / name).write_bytes(gzip.compress(b"") if name.endswith(".gz") else b"")
    assert read(tmp_path / name) == []


ARTICLES = {
    "pmid": ["1", "2", "3"],
    "title": ["p53.", "", "Both"],
    "abstract": ["asthma", "Alone", ""],
    "year": ["1"] * 3,
}


def put_articles(path):
    if path.suffix == ".parquet":
        pa.parquet.write_table(pa.table(ARTICLES), path)
    elif path.suffix == ".jsonl":
        write_json(path, [dict(zip(ARTICLES, values)) for values in zip(*ARTICLES.values())])
    else:
        pd.DataFrame(ARTICLES).to_csv(path, sep="\t" if path.suffix == ".tsv" else ",", index=False)
    return path


def write_json(path, records):
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.parquet", "a.jsonl"])
def test_a_text_of_several_columns(tmp_path, name):
    found = read(put_articles(tmp_path / name), text="title, abstract", id="pmid")
    assert [(d.id, d.text, d.meta) for d in found] == [
        ("1", "p53. asthma", {"year": "1"}),
        ("2", "Alone", {"year": "1"}),
        ("3", "Both", {"year": "1"}),
    ]
    passages = [[(p.start, p.end, p.section) for p in document.passages] for document in found]
    assert passages == [[(0, 4, "title"), (5, 11, "abstract")], [(0, 5, "abstract")], [(0, 4, "title")]]
    assert [document.text for document in read(tmp_path / name, text="abstract,title")][0] == "asthma p53."


def test_a_column_with_a_comma_in_its_name_is_one(tmp_path):
    (tmp_path / "a.csv").write_text('id,title,"title,abstract"\n1,a,b\n')
    (document,) = read(tmp_path / "a.csv", text="title,abstract")
    assert (document.text, document.passages, document.meta) == ("b", [], {"title": "a"})


def test_columns_of_a_text_that_are_not_there_are_named(tmp_path):
    for name in ("a.csv", "a.parquet"):
        put_articles(tmp_path / name)
        with pytest.raises(MTLError, match=r"MTL362.*expected a column 'body', 'end' \(--text NAME\)"):
            read(tmp_path / name, text="title,body,end")
        with pytest.raises(MTLError, match=r"MTL362.*expected a column 'body' \(--text NAME\)"):
            read(tmp_path / name, text="body")
    records = [{"title": "a"}, {"title": None, "abstract": "b", "passages": [{"start": 0, "end": 9}]}]
    records += [{"year": 1}, {"title": 7, "abstract": "c"}]
    found = read(write_json(tmp_path / "a.jsonl", records), text="title,abstract")
    assert failures(found) == ["a:1", "a:2", ("a:3", "MTL362"), ("a:4", "MTL362")]
    assert [document.text for document in found[:2]] == ["a", "b"] and found[1].passages == [Passage(0, 1, "abstract")]
    assert "[None, None] as 'title,abstract', beside the fields ['year']" in found[2].message


def test_parquet_bytes_of_several_columns_are_utf8(tmp_path):
    rows = {"title": [b"a", b"\xe9"], "abstract": ["b".encode(), b"b"]}
    pa.parquet.write_table(pa.table(rows), tmp_path / "a.parquet")
    first, second = read(tmp_path / "a.parquet", text="title,abstract")
    assert first.text == "a b" and "bytes in 'title' that are not UTF-8" in second.message


def write_rows(path, **columns):
    pa.parquet.write_table(pa.table(columns), path)
    return read(path)


def test_parquet_texts_without_their_type_are_utf8(tmp_path):
    """Bytes that are none cost their row; those of other columns are no text that anybody reads."""
    texts, seals = ["é asthma".encode(), b"\xe9"], [b"\xff", b"x"]
    first, second = write_rows(tmp_path / "a.parquet", id=[b"a", b"b"], text=texts, journal=[b"Cell", b"x"], seal=seals)
    assert (first.id, first.text, first.meta) == ("a", "é asthma", {"journal": "Cell", "seal": "b'\\xff'"})
    assert failures([second]) == [("b", "MTL362")] and "a:2: bytes in 'text' that are not UTF-8" in second.message


def test_ids_are_kept_whatever_their_type(tmp_path):
    found = write_rows(tmp_path / "a.parquet", id=pa.array([38113.0, None, 7.5]), text=["x"] * 3)
    assert [document.id for document in found] == ["38113", "a:2", "7.5"]
    ids = [7, 7.0, True, None, "", {"$oid": "1"}, float("nan")]
    (tmp_path / "b.jsonl").write_text("".join(json.dumps({"id": id, "text": "x"}) + "\n" for id in ids))
    names = [document.id for document in read(tmp_path / "b.jsonl")]
    assert names == ["7", "7", "b:3", "b:4", "b:5", "{'$oid': '1'}", "b:7"]


def test_fields_that_only_share_a_name_with_annotation_are_kept(tmp_path):
    mine = {"label": "onco", "labels": ["a"], "spans": 3, "problems": "p", "meta": "m", "passages": []}
    (tmp_path / "a.jsonl").write_text(json.dumps({"id": "1", "text": "x", **mine}) + "\n")
    (document,) = read(tmp_path / "a.jsonl")
    assert document.meta == {"label": "onco", "labels": ["a"], "spans": 3, "problems": "p", "meta": "m"}
    (tmp_path / "a.csv").write_text("id,text,label\n1,x,onco\n")
    assert read(tmp_path / "a.csv")[0].meta == {"label": "onco"}
    (again,) = read(write("jsonl", tmp_path / "again.jsonl", [Annotated("1", "x", meta=document.meta)]))
    assert again.meta == document.meta


@pytest.mark.parametrize("name", ["entities", "spans", "ents", "label", "labels"])
@pytest.mark.parametrize("value", [[], [{"start": 0, "end": 1, "label": "X"}], [[0, 1, "X"]], None])
def test_annotation_is_left_for_tagging(tmp_path, name, value):
    fields = {"id": "1", "text": "x", name: value, "problems": {"cut": 1}, "meta": None, "year": 1}
    (tmp_path / "a.jsonl").write_text(json.dumps(fields) + "\n")
    assert read(tmp_path / "a.jsonl")[0].meta == {"year": 1}


def test_problems_of_our_own_parquet_are_no_meta(tmp_path):
    (again,) = read(write("parquet", tmp_path / "a.parquet", [Annotated("1", "x", problems={"cut": 1})]))
    assert again.meta == {}


def test_numbers_that_are_no_json_become_null(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"id": "1", "text": "x", "a": NaN, "b": [1e999, -Infinity, 1.5]}\n')
    assert read(tmp_path / "a.jsonl")[0].meta == {"a": None, "b": [None, None, 1.5]}
    (document,) = write_rows(tmp_path / "a.parquet", text=["x"], a=[float("nan")], b=[[float("inf"), 1.5]])
    assert document.meta == {"a": None, "b": [None, 1.5]}


STRAY = [
    ('"Omics" of cancer', '"Omics" of cancer'),
    ('"We show cancer', '"We show cancer'),
    ('so-called "', 'so-called "'),
    ('5" pipe', '5" pipe'),
    ('"', '"'),
    ('"a""', '"a""'),
    ('"a ""b"" c"', 'a "b" c'),
    ('"a\nb"', "a\nb"),
    ('"a\r\n\r\n""b"', 'a\r\n\r\n"b'),
    ('"a\tb"', "a\tb"),
    ('""', ""),
    ("'a", "'a"),
]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("cell, text", STRAY)
@pytest.mark.parametrize("other", [cell for cell, _ in STRAY])
def test_a_stray_quote_of_a_tsv_takes_in_no_other_row(tmp_path, cell, text, other, end):
    """Nor does it change a text, wherever the next quote stands."""
    rows = ["year\ttext\tid", f"1\t{cell}\tA", "2\tplain\tB", f"3\t{other}\tC", f'"4"\t{cell}\tD']
    (tmp_path / "a.tsv").write_bytes(end.join([*rows, ""]).encode())
    found = read(tmp_path / "a.tsv")
    assert [document.id for document in found] == ["A", "B", "C", "D"]
    assert [found[i].text for i in (0, 1, 3)] == [text, "plain", text]
    is_stray = cell == text and cell.startswith('"')
    assert found[3].meta == {"year": '"4"' if is_stray else "4"}


def test_a_stray_quote_at_the_end_or_in_a_single_column(tmp_path):
    for rows, expected in (
        ('text\tid\n"a\t1\nb"\t2\n', ['"a', 'b"']),
        ('id\ttext\n1\ta\n2\t"b\n', ["a", '"b']),
        ('id\ttext\n1\t"a\n2\t"b', ['"a', '"b']),
        ('text\n"a\nb\n"c"\n', ['"a', "b", "c"]),
        ('id\ttext\n1\t"a\n\n2\tb\n', ['"a', "b"]),
    ):
        (tmp_path / "a.tsv").write_text(rows)
        assert [document.text for document in read(tmp_path / "a.tsv")] == expected


def looking_ahead_from_each(lines):
    """What ``_mended`` gives, found in quadratic time."""
    while lines:
        row, state = [lines[0]], tables._FIRST.fullmatch("\t" + lines[0])
        while state is not None and tables._is_open(state):
            row.append(lines[len(row)] if len(row) < len(lines) else "")
            state = tables._NEXT.fullmatch(row[-1]) if row[-1] else None
        yield from [tables._quoted(lines[0])] if state is None else row
        lines = lines[1 if state is None else len(row) :]


@settings(deadline=None)
@given(st.lists(st.text(st.sampled_from('a""\t'), max_size=5).map(lambda line: line + "\n"), max_size=7))
def test_stray_quotes_are_told_as_by_looking_ahead_from_each(lines):
    assert list(tables._mended(iter(lines))) == list(looking_ahead_from_each(lines))


def test_stray_quotes_take_linear_time_and_bounded_memory(monkeypatch):
    """A cell that is closed and another that is opened in each line: 40,000 take hours, if all is looked through."""
    lines = ['x"\t"y\n'] * 40_000
    start = time.process_time()
    assert list(tables._mended(iter(lines))) == ['"x"""\t"""y"\n'] * 40_000
    assert time.process_time() - start < 8  # a quarter of a second on an idle core
    monkeypatch.setattr(tables, "_LONGEST", 100)
    source = iter(['"a\n', *["b\n"] * 1_000])
    assert next(tables._mended(source)) == '"""a"\n' and len(list(source)) > 900


@settings(deadline=None)
@given(st.lists(st.lists(st.text(st.sampled_from('ab "\n\t'), max_size=6), min_size=2, max_size=2), max_size=5))
def test_what_a_spreadsheet_writes_as_tsv_is_read(rows):
    rows = [[cell.replace("\n", "\t") if "\t" in cell else cell for cell in row] for row in rows]
    text = io.StringIO()
    csv.writer(text, delimiter="\t", lineterminator="\n").writerows([["year", "text"], *rows])
    place = Place(Path("a.tsv"), "a")
    found = list(READERS["tsv"].read(io.BytesIO(text.getvalue().encode()), place, Columns()))
    assert [[document.meta["year"], document.text] for document in found] == rows


@pytest.mark.parametrize("separator, name", [(",", "a.csv"), ("\t", "a.tsv")])
def test_a_byte_that_is_no_text_costs_its_row(tmp_path, separator, name):
    rows = [b"id,text", *(b"%d,ok" % i for i in range(1, 501)), b"501,caf\xe9", b"\xe9,x", b"503,x,\xe9", b"504,x", b""]
    (tmp_path / name).write_bytes(b"\n".join(rows).replace(b",", separator.encode()))
    found = read(tmp_path / name)
    assert failures(found)[500:] == [("501", "MTL362"), ("a:503", "MTL362"), ("503", "MTL362"), "504"]
    assert "a:502: bytes that are not utf-8 in 'text'; expected --encoding" in found[500].message
    assert read(tmp_path / name, encoding="latin-1")[500].text == "café"


def test_links_to_folders_are_followed_and_lead_in_no_circle(tmp_path):
    (tmp_path / "in" / "sub").mkdir(parents=True)
    (tmp_path / "far").mkdir()
    (tmp_path / "in" / "sub" / "a.txt").write_text("a")
    (tmp_path / "far" / "b.txt").write_text("b")
    (tmp_path / "in" / "far").symlink_to(tmp_path / "far")
    (tmp_path / "in" / "sub" / "up").symlink_to(tmp_path / "in")
    (tmp_path / "far" / "here").symlink_to(".")
    inputs = Inputs(str(tmp_path / "in"))
    assert inputs.names == ["far/b", "sub/a"]
    with pytest.raises(MTLError, match="MTL359.*OUTPUT"):
        inputs.keep_from(tmp_path / "far" / "out.jsonl")
    inputs.keep_from(tmp_path / "out.jsonl")


def test_a_folder_that_cannot_be_read_is_told(tmp_path, monkeypatch):
    (tmp_path / "locked").mkdir()
    (tmp_path / ".git").mkdir()
    (tmp_path / "a.txt").write_text("a")
    inside = Path.iterdir

    def iterdir(path):
        if path.name in ("locked", ".git"):  # root may read whatever its bits say
            raise PermissionError(13, "Permission denied")
        return inside(path)

    monkeypatch.setattr(Path, "iterdir", iterdir)
    with pytest.raises(MTLError, match="MTL001.*locked: .*Permission denied"):
        Inputs(str(tmp_path))


@pytest.mark.parametrize("to", PACKABLE)
def test_nothing_is_packed_as_a_file_that_can_be_unpacked(tmp_path, to):
    packed, plain = write(to, tmp_path / "out.gz", []), write(to, tmp_path / "plain", [])
    assert packed.read_bytes()[:2] == b"\x1f\x8b" and gzip.decompress(packed.read_bytes()) == plain.read_bytes()


def test_brat_has_no_line_end_within_a_span(tmp_path):
    text = "Infection by Staphylococcus\naureus was seen."
    entity = Entity(13, 34, text[13:34], "Species", score=0.5)
    folder = write("brat", tmp_path / "brat", [Annotated("1", text, [entity])])
    rows = (folder / "1.ann").read_text().splitlines()
    assert rows[0] == "T1\tSpecies 13 27;28 34\tStaphylococcus aureus" and len(rows) == 2
    assert stand_off(read_brat, folder) == [("1", text, [(13, 34, "Species")])]


def test_our_own_output_is_read_again(annotator, tmp_path):
    """Of formats with fields, meta and passages come back; entities are left for the next tagging."""
    document = Document("1", "asthma x", passages=[Passage(0, 6, "t"), Passage(7, 8, "u")], meta={"a": [1], "b": "c"})
    for to in ("jsonl", "parquet", "docbin"):
        made = write(to, tmp_path / f"out-{to}{WRITERS[to].suffixes[0]}", annotator.annotate([document]))
        (again,) = read(made)
        assert (again.id, again.text, list(again.passages), again.meta) == (
            document.id,
            document.text,
            document.passages,
            document.meta,
        )


def test_the_position_ends_at_the_total(tmp_path):
    for source, (name, put) in IN.items():
        put(tmp_path / name, DOCUMENTS)
        inputs = Inputs(str(tmp_path / name), source)
        assert len(list(inputs)) == len(DOCUMENTS)
        assert inputs.position == inputs.total > 0


def test_place_is_what_readers_are_told():
    (record,) = READERS["text"].read(io.BytesIO(b"\xef\xbb\xbfx"), Place(Path("p"), "n"), Columns())
    assert record == Document("n", "x")


@pytest.mark.parametrize("root", ["PubmedArticleSet", "article"])
def test_other_xml_is_no_collection_without_documents(tmp_path, root):
    """It fails, and its neighbor is read."""
    (tmp_path / "a.xml").write_text(f"<{root}><PubmedArticle><PMID>1</PMID></PubmedArticle></{root}>")
    write("bioc-xml", tmp_path / "b.xml", [Annotated("1", "p53 x")])
    first, second = Inputs(str(tmp_path))
    assert "MTL034" in first.message and f"<{root}>" in first.message and "BioC" in first.message
    assert second.text == "p53 x"


@pytest.mark.parametrize("line", ["Second line with Cisplatin.", "2|a|again", "1|a|More text.", "text with\ta tab"])
def test_text_of_a_pubtator_file_is_never_passed_over(tmp_path, line):
    (tmp_path / "a.pubtator").write_text(f"1|t|Title\n1|a|First line.\n{line}\n1\t0\t5\tTitle\tX\n\n9|t|ok\n9|a|\n")
    found = failures(read(tmp_path / "a.pubtator"))
    assert found == [("1", "MTL362"), "9"]


def test_a_value_that_python_lacks_costs_no_other_row(tmp_path):
    pa = pytest.importorskip("pyarrow")
    texts = pa.array([b"fine", b"\xff\xfe bad", b"also"], pa.binary()).view(pa.string())
    dates = pa.array([0, 2**45, 1], pa.int64()).view(pa.timestamp("s"))
    table = pa.table({"id": pa.array(["a", "b", "c"]), "text": texts, "seen": dates})
    pa.parquet.write_table(table, tmp_path / "a.parquet")
    found = read(tmp_path / "a.parquet")
    assert failures(found) == ["a", ("b", "MTL362"), "c"]
    assert found[0].meta == {"seen": "1970-01-01 00:00:00"} and found[2].text == "also"
    pa.parquet.write_table(table.set_column(1, "text", pa.array(["x", "y", "z"])), tmp_path / "b.parquet")
    assert [document.meta["seen"].partition(" ")[0] for document in read(tmp_path / "b.parquet")][1] == "unreadable"


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.parquet"])
def test_a_column_that_stands_twice_is_refused(tmp_path, name):
    if name == "a.parquet":
        pa = pytest.importorskip("pyarrow")
        cells = [pa.array([cell]) for cell in ("x", "first", "second")]
        table = pa.Table.from_arrays(cells, ["id", "text", "text"])
        pa.parquet.write_table(table, tmp_path / name)
    else:
        rows = [["id", "text", "text"], ["x", "first", "second"]]
        (tmp_path / name).write_text("\n".join(("," if name == "a.csv" else "\t").join(row) for row in rows))
    with pytest.raises(MTLError, match="MTL362.*two columns 'text'"):
        read(tmp_path / name)


def test_columns_without_a_name_may_stand_twice(tmp_path):
    (tmp_path / "a.csv").write_text("id,text,,\n1,x,,\n")
    assert [document.text for document in read(tmp_path / "a.csv")] == ["x"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf_8", "U8", "UTF8"])
def test_a_byte_order_mark_is_no_part_of_the_first_name(tmp_path, encoding):
    (tmp_path / "a.csv").write_text("\ufeffid,text\n7,x\n", encoding="utf-8")
    assert [document.id for document in read(tmp_path / "a.csv", encoding=encoding)] == ["7"]


def test_numbers_as_ids_of_a_docbin(tmp_path):
    doc = spacy.blank("en")("BRCA1 here")
    doc._.document = 7157
    doc.set_ents([spacy.tokens.Span(doc, 0, 1, "Gene")])
    DocBin(docs=[doc], store_user_data=True).to_disk(tmp_path / "a.spacy")
    assert [document.id for document in read(tmp_path / "a.spacy")] == ["7157"]
    assert [document.id for document in read_annotated(tmp_path / "a.spacy")] == ["7157"]
