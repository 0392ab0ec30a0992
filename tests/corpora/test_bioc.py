import json
import sys
import time
from xml.sax.saxutils import escape

import pytest
from hypothesis import given, settings

from spacy_mtl_bioner.corpora import bioc_format
from spacy_mtl_bioner.corpora.bioc_format import read_bioc_json, read_bioc_xml
from spacy_mtl_bioner.corpora.bioc_write import write_bioc_json, write_bioc_xml
from spacy_mtl_bioner.corpora.pubtator import read_pubtator
from spacy_mtl_bioner.errors import MTLError
from spacy_mtl_bioner.types import Document, Mention, Passage

from .standoff import documents, read, spans, there_and_back

WAYS = {"xml": (write_bioc_xml, read_bioc_xml), "json": (write_bioc_json, read_bioc_json)}
NOTE = (
    '<annotation id="A1"><infon key="type">Gene</infon><location offset="{}" length="{}"/>'
    "<text>{}</text></annotation>"
)


def passage(offset, text, notes="", **infons):
    keys = "".join(f'<infon key="{key}">{value}</infon>' for key, value in infons.items())
    return f"<passage>{keys}<offset>{offset}</offset><text>{escape(text)}</text>{notes}</passage>"


def collection(*bodies, head="<?xml version='1.0' encoding='UTF-8'?>\n<!DOCTYPE collection SYSTEM 'BioC.dtd'>\n"):
    made = "".join(f"<document><id>{number}</id>{body}</document>\n" for number, body in enumerate(bodies, 1))
    return f"{head}<collection><source/><date/><key/>\n{made}</collection>"


def write(tmp_path, content, name="in.xml"):
    path = tmp_path / name
    path.write_bytes(content.encode("utf-8"))
    return path


GOOD = passage(0, "IL-2 binds", NOTE.format(0, 4, "IL-2"), type="title")


@pytest.mark.parametrize("kind", WAYS)
@settings(deadline=None)
@given(made=documents())
def test_round_trip(kind, made):
    found, problems = there_and_back(*WAYS[kind], made, f"x.{kind}")
    assert [(d.id, d.text, d.mentions, d.passages) for d in found] == [
        (d.id, d.text, d.mentions, d.passages) for d in made
    ]
    assert not problems.summary()


@pytest.mark.parametrize("kind", WAYS)
def test_real_documents_come_back(corpora_dir, kind):
    made, _ = read(read_pubtator, corpora_dir / "pubtator" / "NCBIdisease_Test.PubTator")
    found, problems = there_and_back(*WAYS[kind], made, f"x.{kind}")
    assert [(d.id, d.text, d.mentions) for d in found] == [(d.id, d.text, d.mentions) for d in made]
    assert not problems.summary()


@pytest.mark.parametrize("kind", WAYS)
def test_passages_that_do_not_hold_the_mentions_become_one(kind):
    made = [Document("1", "a\x00b c", [Mention(0, 5, "X")], [Passage(0, 3, "title"), Passage(4, 5)], {"year": "2020"})]
    (found,), _ = there_and_back(*WAYS[kind], made, f"x.{kind}")
    assert (found.text, found.passages, found.meta) == ("a b c", [Passage(0, 5)], {"year": "2020"})


@pytest.mark.parametrize("kind", WAYS)
@pytest.mark.parametrize("gap", ["", " ", "\n", "\r\n\t"])
def test_passages_with_white_space_between_are_kept(kind, gap):
    start = len("title") + len(gap)
    passages = [Passage(0, 5, "title"), Passage(start, start), Passage(start, start + 4, "abstract")]
    mentions = [Mention(start, start + 4, "X", "IL-2"), Mention(0, 5, "Y", "title")]
    (found,), _ = there_and_back(*WAYS[kind], [Document("1", f"title{gap}IL-2", mentions, passages)], f"x.{kind}")
    assert [p for p in found.passages if p.start < p.end] == [passages[0], passages[2]]
    assert [(m.start, m.label) for m in found.mentions] == [(0, "Y"), (start, "X")]


@pytest.mark.parametrize(
    "passages", [[], [Passage(5, 9), Passage(0, 4)], [Passage(0, 6), Passage(5, 9)], [Passage(5, 9)], [Passage(9, 0)]]
)
def test_passages_that_do_not_cover_the_text_become_one(passages):
    made = Document("1", "IL-2 here", [Mention(5, 9, "X", "here")], passages)
    (found,), _ = there_and_back(*WAYS["json"], [made], "x.json")
    assert (found.passages, spans(found)) == ([Passage(0, 9)], [(5, 9, "X", "")])


def test_many_passages_take_no_longer_than_their_number():
    class Counted(int):
        comparisons = 0

        def __le__(self, other):
            Counted.comparisons += 1
            return int(self) <= other

    number = 2000
    passages = [Passage(Counted(3 * i), 3 * i + 2) for i in range(number)]
    mentions = [Mention(3 * i, 3 * i + 1, "X") for i in range(number)]
    there_and_back(*WAYS["json"], [Document("1", "ab " * number, mentions, passages)], "x.json")
    assert Counted.comparisons < 10 * number


def test_levels_sections_and_identifiers(tmp_path):
    typed = '<infon key="type">Gene</infon><infon key="MESH">D1</infon>'
    sentence = "<sentence><offset>{}</offset><text>{}</text>{}</sentence>"
    body = passage(0, "IL-2 binds", type="title") + (
        '<passage><infon key="section_type">METHODS</infon><infon key="type">paragraph</infon><offset>11</offset>'
        + sentence.format(11, "CD25 here.", NOTE.format(11, 4, "CD25"))
        + sentence.format(23, "Or CD4.", "")
        + "</passage>"
        + f'<annotation id="D"><infon key="x">y</infon>{typed}<location offset="26" length="3"/></annotation>'
        + '<relation id="R"><infon key="type">Binds</infon><node refid="D" role="a"/></relation>'
    )
    (document,), problems = read(read_bioc_xml, write(tmp_path, collection(body)))
    assert document.text == "IL-2 binds CD25 here.  Or CD4."
    assert [p.section for p in document.passages] == ["title", "METHODS"]
    assert spans(document) == [(11, 15, "Gene", ""), (26, 29, "Gene", "D1")]
    assert problems.warned == {"relation": 1} and document.line == 4


@pytest.mark.parametrize("encoding, width", [("utf-8", 1), ("utf-16-le", 2)])
def test_offsets_in_other_units(tmp_path, encoding, width):
    title, text = "TNF-α and 😀", "Of 😀-catenin and TNF-α."

    def count(value):
        return len(value.encode(encoding)) // width

    start = count(title) + 1 + count("Of 😀-catenin and ")
    notes = NOTE.format(start, count("TNF-α"), "TNF-α")
    body = passage(0, title, NOTE.format(0, count("TNF-α"), "TNF-α")) + passage(count(title) + 1, text, notes)
    (document,), problems = read(read_bioc_xml, write(tmp_path, collection(body)))
    assert [document.text[m.start : m.end] for m in document.mentions] == ["TNF-α", "TNF-α"]
    assert problems.warned["offset unit"] == 1


@pytest.mark.parametrize("offset", [3, 10**12])
def test_passages_that_overlap_or_leave_a_hole_follow_after_a_space(tmp_path, offset):
    body = passage(0, "IL-2 binds") + passage(offset, "CD25", NOTE.format(offset, 4, "CD25"))
    (document,), problems = read(read_bioc_xml, write(tmp_path, collection(body)))
    assert document.text == "IL-2 binds CD25" and spans(document) == [(11, 15, "Gene", "")]
    assert problems.warned == {"passage offset": 1}


@pytest.mark.parametrize(
    "doctype",
    [
        '<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">',
        '<!ENTITY c SYSTEM "file://{secret}">',
        '<!ENTITY c SYSTEM "http://127.0.0.1:9/secret">',
        '<!ENTITY % c SYSTEM "file://{secret}"> %c;',
    ],
)
@pytest.mark.parametrize("on_error", ["raise", "skip"])
def test_xml_with_entities_is_refused(tmp_path, doctype, on_error):
    secret = write(tmp_path, "<!ENTITY d 'the secret'>", "secret.dtd")
    head = f"<!DOCTYPE collection [{doctype.format(secret=secret)}]>"
    path = write(tmp_path, collection(passage(0, "XY").replace("XY", "&c;"), head=head))
    with pytest.raises(MTLError, match="MTL035.*in.xml.*entity 'c'|MTL035.*in.xml.*entity 'a'"):
        read(read_bioc_xml, path, on_error)


def test_entities_in_the_attributes_of_the_root(tmp_path):
    """Where entities are met before the declarations can be looked at, the parser's own limit holds."""
    lines = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 20}">' for n in range(1, 12))
    head = f'<!DOCTYPE collection [<!ENTITY e0 "aaaaaaaaaa">{lines}]>'
    path = write(tmp_path, collection(GOOD, head=head).replace("<collection>", '<collection a="&e11;">'))
    with pytest.raises(MTLError, match="MTL033|MTL035"):
        read(read_bioc_xml, path)


def test_an_external_dtd_is_not_read(tmp_path):
    dtd = write(tmp_path, "<!ENTITY c 'the secret'>", "BioC.dtd")
    head = f"<!DOCTYPE collection SYSTEM 'file://{dtd}'>"
    path = write(tmp_path, collection(GOOD, passage(0, "XY").replace("XY", "&c;"), head=head))
    with pytest.raises(MTLError, match="MTL03[34]"):
        read(read_bioc_xml, path)
    found, _ = read(read_bioc_xml, path, "skip")
    assert [document.text for document in found] == ["IL-2 binds"]


def test_comments_are_no_part_of_the_text(tmp_path):
    path = write(tmp_path, collection(GOOD.replace("binds", "<!-- a -->bin<![CDATA[ds]]><?p i?>")))
    assert read(read_bioc_xml, path)[0][0].text == "IL-2 binds"


@pytest.mark.parametrize(
    "bad, code",
    [
        (passage(0, "IL-2", NOTE.format(0, 9, "IL-2")), "MTL027"),
        (passage(0, "IL-2", NOTE.format(0, 0, "")), "MTL027"),
        (passage(0, "IL-2", NOTE.format("x", 4, "IL-2")), "MTL034"),
        (passage("", "IL-2"), "MTL034"),
        (passage(0, "IL-2", NOTE.format(0, 4, "IL-2").replace("type", "kind")), "MTL034"),
        ("<passage><text>no offset</text></passage>", "MTL034"),
    ],
)
def test_bad_document_is_left_out_alone(tmp_path, bad, code):
    path = write(tmp_path, collection(GOOD, bad, GOOD))
    with pytest.raises(MTLError, match=rf"\[{code}\].*in.xml:5"):
        read(read_bioc_xml, path)
    found, problems = read(read_bioc_xml, path, "skip")
    assert [document.id for document in found] == ["1", "3"] and problems.skipped == {code: 1}


def test_mention_of_several_parts_is_left_out_alone(tmp_path):
    two = '<location offset="0" length="2"/><location offset="5" length="5"/>'
    note = NOTE.format(0, 4, "IL binds").replace('<location offset="0" length="4"/>', two)
    path = write(tmp_path, collection(passage(0, "IL-2 binds", note + NOTE.format(5, 5, "binds"))))
    with pytest.raises(MTLError, match="MTL030.*in.xml:4: .* 2 separate parts"):
        read(read_bioc_xml, path)
    (document,), problems = read(read_bioc_xml, path, "skip")
    assert spans(document) == [(5, 10, "Gene", "")] and problems.skipped == {"MTL030": 1}


def test_counted_warnings(tmp_path):
    nowhere = '<annotation id="2"><infon key="type">X</infon></annotation>'
    odd = passage(0, "IL-2 binds", NOTE.format(0, 4, "IL-4") + nowhere)
    path = write(tmp_path, collection(odd, GOOD).replace("<id>2", "<id>1").replace("IL-4", "IL4", 1))
    assert read(read_bioc_xml, path)[1].warned == {
        "mention text": 1,
        "annotation without location": 1,
        "identical document": 1,
    }


@pytest.mark.parametrize("cut", [20, 60])
def test_malformed_xml_keeps_what_came_before(tmp_path, cut):
    path = write(tmp_path, collection(GOOD, GOOD)[:-cut])
    with pytest.raises(MTLError, match=r"MTL033.*in.xml:\d+: not well-formed XML"):
        read(read_bioc_xml, path)
    found, problems = read(read_bioc_xml, path, "skip")
    assert found[0].id == "1" and problems.skipped == {"MTL033": 1}


@pytest.mark.parametrize("content, code", [("", "MTL003"), ("<collection/>", "MTL003"), ("plain", "MTL033")])
def test_files_without_documents(tmp_path, content, code):
    with pytest.raises(MTLError, match=code):
        read(read_bioc_xml, write(tmp_path, content))


@pytest.mark.parametrize(
    "content, code",
    [
        ("", "MTL003"),
        ('{"documents": []}', "MTL003"),
        ('{"documents": 5}', "MTL034"),
        ('{"documents": [5]}', "MTL034"),
        ('{"documents": [{"id": "1"}]}', "MTL034"),
        ('\n{"documents": [', "MTL033"),
        ("[" * 100_000, "MTL033"),
    ],
)
def test_bad_json(tmp_path, content, code):
    path = write(tmp_path, content, "in.json")
    with pytest.raises(MTLError, match=rf"\[{code}\].*in.json"):
        read(read_bioc_json, path)
    assert read(read_bioc_json, path, "skip")[1].skipped == {code: 1}


@pytest.mark.parametrize(
    "field, value", [("offset", "0"), ("offset", True), ("text", 5), ("annotations", [{}]), ("infons", 3)]
)
def test_json_of_wrong_types(tmp_path, field, value):
    path = tmp_path / "in.json"
    write_bioc_json(path, [Document("1", "IL-2", [Mention(0, 4, "Gene")], [Passage(0, 4, "title")])])
    content = json.loads(path.read_text("utf-8"))
    content["documents"][0]["passages"][0][field] = value
    path.write_text(json.dumps(content), "utf-8")
    with pytest.raises(MTLError, match=r"MTL034.*in.json \(document"):
        read(read_bioc_json, path)


@pytest.mark.parametrize("wrap", [lambda docs: docs, lambda docs: {"PubTator3": docs}, lambda docs: docs[0]])
def test_forms_of_json(tmp_path, wrap):
    path = tmp_path / "in.json"
    write_bioc_json(path, [Document("1", "IL-2", [Mention(0, 4, "Gene")])])
    path.write_text(json.dumps(wrap(json.loads(path.read_text("utf-8"))["documents"])), "utf-8")
    (document,), _ = read(read_bioc_json, path)
    assert spans(document) == [(0, 4, "Gene", "")]


def test_a_list_of_collections_as_ncbi_gives_it(tmp_path):
    path = tmp_path / "in.json"
    write_bioc_json(path, [Document(str(number), "IL-2", [Mention(0, 4, "Gene")]) for number in range(3)])
    content = json.loads(path.read_text("utf-8"))
    head = {"bioctype": "BioCCollection", "source": "PMC", "date": "", "key": "pmc.key", "infons": {}}
    one, two, three = content["documents"]
    path.write_text(json.dumps([{**head, "documents": [one, two]}, {**head, "documents": []}, three]), "utf-8")
    found, _ = read(read_bioc_json, path)
    assert [(d.id, spans(d)) for d in found] == [(str(number), [(0, 4, "Gene", "")]) for number in range(3)]


def test_undecodable_json(tmp_path):
    path = tmp_path / "in.json"
    path.write_bytes(b'{\n"documents": ["\xff"]}')
    with pytest.raises(MTLError, match="MTL002.*in.json:2"):
        read(read_bioc_json, path)


def test_missing_library(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "bioc", None)
    with pytest.raises(MTLError, match=r"MTL038.*in.xml.*\[bioc\]"):
        bioc_format.library(write(tmp_path, ""))


@pytest.mark.parametrize("end", ["<document><id>3</id></bad>", "<document><id>3", "&nbsp;", "</collection>x"])
def test_sound_documents_before_an_error_are_kept(tmp_path, end):
    path = write(tmp_path, collection(GOOD, GOOD).replace("</collection>", end))
    found, problems = read(read_bioc_xml, path, "skip")
    assert [document.id for document in found] == ["1", "2"] and problems.skipped == {"MTL033": 1}


def test_marked_up_text_is_refused(tmp_path):
    """The library would take the text up to the first tag."""
    marked = GOOD.replace("IL-2 binds", "IL-2 <i>binds</i> it")
    path = write(tmp_path, collection(GOOD, marked, GOOD))
    with pytest.raises(MTLError, match=r"MTL034.*in.xml:5: found <i> within <text>"):
        read(read_bioc_xml, path)
    found, problems = read(read_bioc_xml, path, "skip")
    assert [document.id for document in found] == ["1", "3"] and problems.skipped == {"MTL034": 1}


@pytest.mark.parametrize("kind", WAYS)
def test_empty_infons(kind):
    (found,), _ = there_and_back(*WAYS[kind], [Document("1", "text", meta={"year": ""})], f"x.{kind}")
    assert found.meta == {"year": ""}


@pytest.mark.parametrize("encoding, width", [("utf-32-le", 4), ("utf-8", 1), ("utf-16-le", 2)])
def test_an_annotation_is_of_the_passage_that_holds_it(tmp_path, encoding, width):
    """Offsets that start anew with each passage tell nothing else."""
    texts = ["TNF-α and 😀 IL-2", "Of 😀 and TNF-α, again", "IL-2 binds TNF-α"]

    def note(text, name):
        before, size = (len(part.encode(encoding)) // width for part in (text[: text.index(name)], name))
        return NOTE.format(before, size, name)

    body = "".join(passage(0, text, note(text, "TNF-α")) for text in texts)
    (document,), problems = read(read_bioc_xml, write(tmp_path, collection(body)))
    assert [document.text[m.start : m.end] for m in document.mentions] == ["TNF-α"] * 3
    owners = [next(i for i, p in enumerate(document.passages) if p.start <= m.start < p.end) for m in document.mentions]
    assert owners == [0, 1, 2] and problems.warned["passage offset"] == 2


@pytest.mark.parametrize("holder", ["document", "first", "second"])
def test_offsets_of_the_document_hold_where_passages_overlap_a_little(tmp_path, holder):
    note = NOTE.format(17, 4, "IL-2")
    body = passage(0, "A title xx", note * (holder == "first"))
    body += passage(8, "The gene IL-2 is here", note * (holder == "second")) + note * (holder == "document")
    (document,), problems = read(read_bioc_xml, write(tmp_path, collection(body)))
    assert [document.text[m.start : m.end] for m in document.mentions] == ["IL-2"]
    assert problems.warned == {"passage offset": 1}


@pytest.mark.parametrize("holder", ["passage", "document"])
def test_many_annotations_of_many_sentences_take_no_longer_than_their_number(tmp_path, holder):
    """Each is of the sentence that holds it, among those of its passage, or of the document."""
    sentence = {"infons": {}, "text": "IL-2 binds.", "annotations": [], "relations": []}
    sentences = [{**sentence, "offset": 12 * i + 100 * (i > 10)} for i in range(10_000)]
    located = {"id": "", "infons": {"type": "Gene"}, "text": "IL-2"}
    notes = [{**located, "locations": [{"offset": part["offset"], "length": 4}]} for part in sentences]
    inside = {"infons": {}, "offset": 0, "sentences": sentences, "annotations": [], "relations": []}
    whole = {"id": "1", "infons": {}, "passages": [inside], "annotations": [], "relations": []}
    (inside if holder == "passage" else whole)["annotations"] = notes
    path, start = write(tmp_path, json.dumps(whole), "in.json"), time.process_time()
    (document,), problems = read(read_bioc_json, path)
    assert time.process_time() - start < 8  # far more, where each is compared with each
    assert [mention.start for mention in document.mentions] == [12 * i for i in range(10_000)]
    assert "mention text" not in problems.warned


def test_marked_up_text_of_an_annotation_costs_nothing(tmp_path):
    body = passage(0, "IL-2 binds", NOTE.format(0, 4, "IL-<sub>2</sub>"))
    (document,), problems = read(read_bioc_xml, write(tmp_path, collection(body)))
    assert spans(document) == [(0, 4, "Gene", "")] and problems.warned == {"mention text": 1}
