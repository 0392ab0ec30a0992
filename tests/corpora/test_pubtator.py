import gzip
import time
from pathlib import Path

import pytest
from hypothesis import given, settings

from spacy_mtl_bioner.corpora.offsets import contradicts
from spacy_mtl_bioner.corpora.pubtator import read_pubtator, write_pubtator
from spacy_mtl_bioner.errors import MTLError
from spacy_mtl_bioner.types import Mention

from .standoff import documents, flat, read, spans, there_and_back

GOOD = "1|t|IL-2 binds\n1|a|CD25 on T cells.\n1\t0\t4\tIL-2\tGene\t3558\n1\t11\t15\tCD25\tGene\tA|B\n"
OTHER = "2|t|Asthma\n2|a|A disease.\n2\t0\t6\tAsthma\tDisease\tD001249\n"


def write(tmp_path: Path, content: str) -> Path:
    path = tmp_path / "in.PubTator"
    path.write_bytes(content.encode("utf-8", "surrogateescape"))
    return path


@settings(deadline=None)
@given(documents())
def test_round_trip(made):
    found, problems = there_and_back(write_pubtator, read_pubtator, made, "x.PubTator")
    assert [document.text for document in found] == [flat(document.text) for document in made]
    assert [spans(document) for document in found] == [spans(document) for document in made]
    assert not problems.summary()


def test_reads_passages_lines_and_composite_identifiers(tmp_path):
    (first, second), problems = read(read_pubtator, write(tmp_path, f"{GOOD}\n{OTHER}"))
    assert first.text == "IL-2 binds CD25 on T cells."
    assert [(first.text[p.start : p.end], p.section) for p in first.passages] == [
        ("IL-2 binds", "title"),
        ("CD25 on T cells.", "abstract"),
    ]
    assert spans(first) == [(0, 4, "Gene", "3558"), (11, 15, "Gene", "A|B")]
    assert (first.line, second.line) == (1, 6)
    assert not problems.summary()


def test_blank_line_is_optional_and_crlf_bom_and_gzip_are_fine(tmp_path):
    plain, _ = read(read_pubtator, write(tmp_path, f"{GOOD}\n{OTHER}"))
    content = ("\ufeff" + GOOD + OTHER).replace("\n", "\r\n").encode()
    packed = tmp_path / "in.pubtator.gz"
    packed.write_bytes(gzip.compress(content))
    found, _ = read(read_pubtator, packed)
    assert [(d.id, d.text, d.mentions) for d in found] == [(d.id, d.text, d.mentions) for d in plain]


@pytest.mark.parametrize(
    "line, warned",
    [
        ("1\tCID\tD1\tD2", {"relation": 1}),
        ("1\t16\t18\ton\tGene\tX\n1\t19\t20\tx\tGene\tX\n1\t21\t26\tx\tGene\tX", {"mention text": 2}),
        ("1\tPositive_Correlation\tD1\t3558\tNovel", {"relation": 1}),
        ("1\t16\t18\ton\tGene\tX\tpart", {"seventh column": 1}),
        ("1\t16\t18\tin\tGene\tX", {"mention text": 1}),
        ("1\t0\t4\tIL-2\tGene\t3558", {"identical mention": 1}),
    ],
)
def test_counted_warnings(tmp_path, line, warned):
    (document,), problems = read(read_pubtator, write(tmp_path, GOOD + line + "\n"))
    assert dict(problems.warned) == warned
    assert spans(document)[:2] == [(0, 4, "Gene", "3558"), (11, 15, "Gene", "A|B")]


@pytest.mark.parametrize(
    "line, code",
    [
        ("1\t0\t4\tIL-2\tGene", "MTL031"),
        ("1\t0\t4", "MTL031"),
        ("1\t0\t4\tIL-2", "MTL031"),
        ("no columns", "MTL034"),
        ("1", "MTL031"),
        ("1\t20\t28\tx\tGene\t-", "MTL027"),
        ("1\t99999999999\t999999999999\tx\tGene\t-", "MTL027"),
        ("1\t5\t5\t\tGene\t-", "MTL027"),
        ("1\t8\t5\tx\tGene\t-", "MTL027"),
        ("1\t-1\t5\tx\tGene\t-", "MTL034"),
        ("1\t１\t5\tx\tGene\t-", "MTL034"),
        ("1\tx\ty\tx\tGene\t-", "MTL034"),
        ("1\t16\t18\ton\t\t-", "MTL034"),
        ("7\t16\t18\ton\tGene\t-", "MTL034"),
        ("1\t16\t18\to\udcff\tGene\t-", "MTL002"),
    ],
)
def test_bad_line_costs_its_document(tmp_path, line, code):
    path = write(tmp_path, f"{GOOD}{line}\n\n{OTHER}")
    with pytest.raises(MTLError) as error:
        read(read_pubtator, path)
    assert str(error.value).startswith(f"[{code}] {path}:5:")
    found, problems = read(read_pubtator, path, "skip")
    assert [document.id for document in found] == ["2"]
    assert problems.skipped == {code: 1}


@pytest.mark.parametrize("other", ["IL-2 binds", "2 binds CD25"])
def test_of_overlapping_mentions_the_longer_stays(tmp_path, other):
    start = "IL-2 binds CD25".index(other)
    path = write(tmp_path, f"{GOOD}1\t{start}\t{start + len(other)}\t{other}\tX\t-\n")
    with pytest.raises(MTLError, match=r"MTL029.*PubTator:[34]"):
        read(read_pubtator, path)
    (document,), problems = read(read_pubtator, path, "skip")
    assert document.mentions[0].text == other
    assert problems.skipped["MTL029"] == 3 - len(document.mentions)


@pytest.mark.parametrize(
    "rows, code",
    [
        ("1\t1\t5\tIL-2\tGene\t-\n1\t12\t16\tCD25\tGene\t-\n", "MTL039"),
        ("1\t0\t4\tIL-2\tGene\t-\n1\t12\t16\tCD25\tGene\t-\n", None),
        ("1\t0\t4\til-2\tGene\t-\n1\t11\t15\tcd 25\tGene\t-\n", None),  # another spelling is no wrong offset
        ("1\t1\t5\t\tGene\t-\n1\t12\t16\t\tGene\t-\n1\t18\t19\tx\tGene\t-\n", None),
    ],
)
def test_offsets_that_most_mentions_contradict(tmp_path, rows, code):
    head = GOOD[: GOOD.index("1\t")]
    path = write(tmp_path, f"{head}{rows}\n{OTHER}")
    found, problems = read(read_pubtator, path, "skip")
    assert [document.id for document in found] == (["2"] if code else ["1", "2"])
    assert problems.skipped == ({code: 1} if code else {})
    if code:
        told = r"PubTator:3: document '1': 2 of 2 mentions .* 1-5 Gene 'IL-2' where the text has 'L-2 '"
        with pytest.raises(MTLError, match=told):
            read(read_pubtator, path)


@pytest.mark.parametrize("on_error", ["raise", "skip"])
def test_a_file_whose_mentions_mostly_contradict_it_is_refused(tmp_path, on_error):
    """One mention a document is too little to tell; all of them are not."""
    wrong = [OTHER.replace("2", str(i), 2).replace("2\t0\t6", f"{i}\t1\t7") for i in (3, 4)]
    with pytest.raises(MTLError, match=r"MTL040\] .*PubTator: 2 of 3 .*PubTator:7\) 1-7 Disease 'Asthma'.*'sthma '"):
        read(read_pubtator, write(tmp_path, "\n".join([OTHER, *wrong])), on_error)
    found, problems = read(read_pubtator, write(tmp_path, "\n".join([OTHER, GOOD, wrong[0]])), on_error)
    assert len(found) == 3 and problems.warned == {"mention text": 1}


def test_mentions_know_where_they_stand(tmp_path):
    path = write(tmp_path, GOOD)
    (document,), _ = read(read_pubtator, path)
    assert [mention.where for mention in document.mentions] == [f"{path}:3", f"{path}:4"]


@pytest.mark.parametrize(
    "content, missing",
    [
        ("1|t|Title\n", "abstract"),
        ("1|t|Title\n1\t0\t5\tTitle\tGene\t-\n", "abstract"),
        ("1|t|Title\n2|a|Of another\n", "abstract"),
        ("1|a|Abstract\n", "title"),
        ("Only text\n", "title"),
    ],
)
def test_missing_title_or_abstract(tmp_path, content, missing):
    path = write(tmp_path, content + "\n" + OTHER)
    with pytest.raises(MTLError, match=rf"MTL032.*PubTator:[12]: no {missing} line"):
        read(read_pubtator, path)
    found, problems = read(read_pubtator, path, "skip")
    assert [document.id for document in found] == ["2"]
    assert problems.skipped == {"MTL032": 1}


def test_duplicate_documents(tmp_path):
    found, problems = read(read_pubtator, write(tmp_path, f"{GOOD}\n{OTHER}\n{GOOD}"))
    assert [document.id for document in found] == ["1", "2"]
    assert problems.warned == {"identical document": 1}
    for changed, what in ((GOOD.replace("cells", "lines"), "text"), (GOOD.replace("\tGene\t3", "\tX\t3"), "mentions")):
        path = write(tmp_path, f"{GOOD}\n{changed}")
        with pytest.raises(MTLError, match=rf"MTL028.*PubTator:6: .*line 1.*other {what}"):
            read(read_pubtator, path)
        found, problems = read(read_pubtator, path, "skip")
        assert len(found) == 1 and problems.skipped == {"MTL028": 1}


@pytest.mark.parametrize("content", ["", "\n\n", " \n\t\n"])
def test_empty_file(tmp_path, content):
    with pytest.raises(MTLError, match="MTL003.*in.PubTator"):
        read(read_pubtator, write(tmp_path, content))
    assert read(read_pubtator, write(tmp_path, content), "skip")[1].skipped == {"MTL003": 1}


def test_unreadable_files_end_the_work(tmp_path):
    for on_error in ("raise", "skip"):
        with pytest.raises(MTLError, match="MTL001"):
            read(read_pubtator, tmp_path / "absent.PubTator", on_error)
        packed = tmp_path / "cut.PubTator.gz"
        packed.write_bytes(gzip.compress(GOOD.encode() * 100)[:-20])
        with pytest.raises(MTLError, match="MTL025"):
            read(read_pubtator, packed, on_error)


def test_gzip_bomb(tmp_path, monkeypatch):
    monkeypatch.setattr("spacy_mtl_bioner.corpora.sources.FREE_BYTES", 1 << 16)
    packed = tmp_path / "bomb.PubTator.gz"
    packed.write_bytes(gzip.compress(b"1|t|" + b"a" * (1 << 22)))
    with pytest.raises(MTLError, match="MTL025.*unpacks to more"):
        read(read_pubtator, packed)


@pytest.mark.parametrize("encoding, width, unit", [("utf-8", 1, "UTF-8"), ("utf-16-le", 2, "UTF-16")])
def test_other_units_of_offsets(tmp_path, caplog, encoding, width, unit):
    text = "α-syn 😀 and TNF-α in ß cells"

    def count(index):
        return len(text[:index].encode(encoding)) // width

    rows = [(text.index(said), said) for said in ("α-syn", "TNF-α", "ß cells")]
    lines = [f"1\t{count(at)}\t{count(at + len(said))}\t{said}\tGene\t-\n" for at, said in rows]
    (document,), problems = read(read_pubtator, write(tmp_path, f"1|t|{text}\n1|a|\n" + "".join(lines)))
    assert [document.text[m.start : m.end] for m in document.mentions] == [said for _, said in rows]
    assert problems.warned == {"offset unit": 1} and unit in caplog.text


def test_tabs_in_text_and_mention(tmp_path):
    (document,), problems = read(read_pubtator, write(tmp_path, "1|t|a\tb c\n1|a|\n1\t0\t3\ta\tb\tGene\t-\n"))
    assert spans(document) == [(0, 3, "Gene", "")] and not problems.summary()


@pytest.mark.parametrize("text", ["x" * 50_000, "w " * 100_000, "\x00\x00", "שלום e\u0301 😀\u2028end", " "])
def test_odd_texts(tmp_path, text):
    (document,), _ = read(read_pubtator, write(tmp_path, f"1|t|{text}\n1|a|{text}\n1\t0\t1\t{text[0]}\tX\t-\n"))
    assert document.text == f"{text} {text}"


@pytest.mark.parametrize(
    "name, documents, mentions, warned",
    [
        ("BC5CDR_Test", 500, 9796, {}),
        ("NCBIdisease_Test", 100, 960, {}),
        ("NCBIdisease_TrainDev", 692, 5921, {"identical document": 1, "mention text": 1}),
        ("SPECIES_Test", 160, 739, {}),
        ("SPECIES_Train", 639, 3053, {}),
    ],
)
def test_real_files_come_back_byte_for_byte(corpora_dir, tmp_path, name, documents, mentions, warned):
    path = corpora_dir / "pubtator" / f"{name}.PubTator"
    found, problems = read(read_pubtator, path)
    assert (len(found), sum(len(document.mentions) for document in found)) == (documents, mentions)
    assert problems.warned == warned
    if not warned:
        write_pubtator(tmp_path / "out", found)
        assert (tmp_path / "out").read_bytes() == path.read_bytes()


@pytest.mark.parametrize("at", [1, 2, 3, 4])
def test_a_blank_line_within_a_document_costs_nothing(tmp_path, at):
    """A text with missing mentions would teach that they are none."""
    lines = GOOD.splitlines(keepends=True)
    content = "".join([*lines[:at], "\n", " \n", *lines[at:], "\n", OTHER])
    found, problems = read(read_pubtator, write(tmp_path, content))
    whole, _ = read(read_pubtator, write(tmp_path, f"{GOOD}\n{OTHER}"))
    assert [(d.id, d.text, d.mentions) for d in found] == [(d.id, d.text, d.mentions) for d in whole]
    assert not problems.summary()


def test_a_document_without_a_title_is_no_part_of_the_one_before(tmp_path):
    path = write(tmp_path, f"{OTHER}\n3|a|No title.\n3\t0\t2\tNo\tX\t-\n\n{GOOD}")
    found, problems = read(read_pubtator, path, "skip")
    assert [document.id for document in found] == ["2", "1"] and problems.skipped == {"MTL032": 1}


def test_what_stands_behind_a_document_is_no_part_of_it(tmp_path):
    found, problems = read(read_pubtator, write(tmp_path, f"{GOOD}\n1\tcomment\n\n{OTHER}"), "skip")
    assert [(d.id, len(d.mentions)) for d in found] == [("1", 2), ("2", 1)] and problems.skipped == {"MTL032": 1}


def test_an_offset_within_a_character_names_the_unit(tmp_path):
    rows = "1\t3\t7\tIL-2\tX\t-\n1\t13\t16\tp53\tX\t-\n1\t1\t2\tx\tX\t-\n"
    path = write(tmp_path, f"1|t|β IL-2 here p53 q\n1|a|\n{rows}")
    with pytest.raises(MTLError, match=r"MTL027.*PubTator:5: offsets 1 to 2 .*; they count bytes of UTF-8"):
        read(read_pubtator, path)


def test_identifiers_of_one_span_are_joined(tmp_path):
    rows = "1\t0\t4\tTP53\tGene\t7157\n1\t0\t4\tTP53\tGene\t22059\n1\t0\t4\tTP53\tGene\t7157\n"
    (document,), problems = read(read_pubtator, write(tmp_path, f"1|t|TP53 here\n1|a|\n{rows}"))
    assert spans(document) == [(0, 4, "Gene", "7157|22059")] and problems.warned == {"identical mention": 2}


def test_copies_that_differ_in_an_identifier_are_not_the_same(tmp_path):
    one = "1|t|TP53 here\n1|a|\n1\t0\t4\tTP53\tGene\t{}\n\n"
    with pytest.raises(MTLError, match="MTL028.*with other mentions"):
        read(read_pubtator, write(tmp_path, one.format(7157) + one.format(9999)))


def test_long_spans_cost_and_show_no_more_than_what_is_said_of_them(tmp_path):
    """Of mentions that claim the whole text nothing but the first characters is looked at."""
    text, number = "a b " * 20_000, 20_000
    rows = "".join(f"1\t{i}\t{len(text)}\tx y\tX\t-\n" for i in range(number))
    begin = time.process_time()
    with pytest.raises(MTLError, match="MTL039") as error:
        read(read_pubtator, write(tmp_path, f"1|t|{text}\n1|a|\n{rows}"))
    assert time.process_time() - begin < 5  # 0.3 s on an EPYC; 10.4 s where whole spans are compared
    assert len(str(error.value)) < 500


@pytest.mark.parametrize(
    "said, contradicted", [("STRASSE", False), ("Straß", True), ("Straße ", False), ("Straßen", True)]
)
def test_what_contradicts_a_span(said, contradicted):
    assert contradicts(Mention(3, 10, "X", said), "in Stra\tße") is contradicted
