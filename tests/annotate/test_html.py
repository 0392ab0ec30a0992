"""The HTML page: nothing gets in, everything is shown, and what is shown is the text."""

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spacy_mtl_bioner.annotate.annotator import Annotator
from spacy_mtl_bioner.annotate.formats import WRITERS, output_format
from spacy_mtl_bioner.annotate.html import (
    COLORS,
    SCRIPT,
    STYLE,
    Mark,
    article,
    color_of,
    lanes,
    layers,
    page_end,
    page_start,
    shades,
    write_page,
)
from spacy_mtl_bioner.annotate.records import Annotated, Entity
from spacy_mtl_bioner.errors import MTLError
from spacy_mtl_bioner.pipeline.groups import read_groups, write_groups
from spacy_mtl_bioner.pipeline.merging import MergeByScore
from spacy_mtl_bioner.types import Passage

from ..pipeline.tagged import tagged

EVIL = """<script>alert(1)</script>"'&<b onclick=x>\x00\u202e"""


class Page(HTMLParser):
    """What a browser sees: tags with attributes, the text of paragraphs, and which elements each character is in."""

    def __init__(self, source):
        super().__init__(convert_charrefs=True)
        self.tags, self.open, self.text, self.inside = [], [], "", []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.tags.append((tag, attrs))
        if tag not in ("meta", "input"):
            self.open.append((tag, attrs))

    def handle_endtag(self, tag):
        assert self.open.pop()[0] == tag

    def handle_data(self, data):
        if any(tag == "p" for tag, _ in self.open):
            self.text += data
            inside = [(tag, attrs) for tag, attrs in self.open if tag in ("mark", "u")]
            self.inside += [inside] * len(data)

    def covered(self, tag, **wanted):
        """Characters within such an element."""
        return {
            i for i, inside in enumerate(self.inside) for t, attrs in inside
            if t == tag and all(attrs.get("data-" + key) == value for key, value in wanted.items())
        }  # fmt: skip


def shown(document):
    page = Page(article(document))
    assert not page.open
    return page


texts = st.text(st.sampled_from("ab <&\"'\n\t\x00\x0b\u202e\u05d0😀"), max_size=20)
spans = st.tuples(st.integers(0, 20), st.integers(0, 20)).map(sorted)
entities = st.builds(
    lambda span, label, sources: (span, label, sources),
    spans, st.sampled_from(["Disease", EVIL]), st.lists(st.sampled_from(["A", EVIL]), max_size=2, unique=True),
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(text=texts, found=st.lists(entities, max_size=6), name=st.text(max_size=5))
def test_the_text_is_there_and_so_is_every_entity(text, found, name):
    size = len(text)
    made = [
        Entity(min(a, size), min(b, size), "", label, None, 0.5, tuple((corpus, label, None) for corpus in corpora))
        for (a, b), label, corpora in found
    ]
    document = Annotated(name, text, made, [Passage(0, size, EVIL)] if size else [])
    page = shown(document)
    visible = re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f]", "\ufffd", text)
    assert page.text == visible
    allowed = {"article", "h2", "bdi", "small", "p", "mark", "u"}
    assert {tag for tag, _ in page.tags} <= allowed
    keys = {key for _, attrs in page.tags for key in attrs}
    assert keys <= {"class", "dir", "title", "data-l", "data-c", "data-s"}
    wanted = {i for entity in made for i in range(entity.start, entity.end)}
    assert page.covered("mark") | page.covered("u", c="overlapping") == wanted
    corpora = {source[0] for entity in made for source in entity.sources}
    for corpus, value in (("A", "A"), (EVIL, EVIL.replace("\x00", "\ufffd"))):
        of = {i for e in made for i in range(e.start, e.end) if corpus in [s[0] for s in e.sources]}
        drawn = page.covered("u", c=value)
        assert drawn == of or not drawn and len(corpora) == 1 and of <= page.covered("mark")  # all are boxed


@given(st.lists(st.builds(Mark, st.integers(0, 9), st.integers(0, 9), st.just("x"), st.just("")), max_size=12))
def test_lanes_keep_all_and_are_as_few_as_can_be(marks):
    made = lanes(marks)
    assert sorted(m for lane in made for m in lane) == sorted(m for m in marks if m.start < m.end)
    assert all(one.end <= other.start for lane in made for one, other in zip(lane, lane[1:]))
    deepest = max((sum(m.start <= i < m.end for m in marks) for i in range(10)), default=0)
    assert len(made) == max(1, deepest)


def test_what_corpora_found_beside_the_merge():
    doc = tagged(
        "methamphetamine psychosis in mice",
        ("methamphetamine", "Chemical", "A", 0.9), ("psychosis", "Disease", "A", 0.8),
        ("methamphetamine psychosis", "Disease", "B", 0.95),
    )  # fmt: skip
    document = Annotated("1", doc.text, [Entity(0, 25, "", "Disease", None, 0.95, (("B", "Disease", 0.95),))], doc=doc)
    page = shown(document)
    assert page.covered("mark", l="Disease") == set(range(25))
    assert page.covered("u", c="A") == set(range(15)) | set(range(16, 25))
    assert page.covered("u", c="B") == set(range(25))
    titles = [attrs["title"] for _, attrs in page.tags if "title" in attrs]
    assert titles[0] == "Disease 0.95\nB: Disease 0.95" and "A: Chemical 0.90" in titles
    _, rows = layers(document)
    assert [row.name for row in rows] == ["A", "B"]


def test_one_corpus_needs_no_lines_unless_the_merge_left_some_out():
    doc = tagged("breast cancer", ("breast cancer", "Disease", "A", 0.9))
    whole = Entity(0, 13, "", "Disease", None, 0.9, (("A", "Disease", 0.9),))
    assert layers(Annotated("1", doc.text, [whole], doc=doc))[1] == []
    assert len(layers(Annotated("1", doc.text, [], doc=doc))[1]) == 1


def luminance(color):
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("color", range(COLORS))
def test_contrast(color):
    """WCAG 2: 7 for text (AAA), 3 for graphics."""
    light, dark = shades(color)
    assert contrast(light, "#1a1a1a") >= 7
    assert contrast(dark, "#ffffff") >= 3


def test_unified_labels_have_colors_of_their_own():
    names = ["Gene", "Chemical", "Disease", "Species", "CellType", "CellLine", "Anatomy", "DNA", "RNA", "Complex"]
    assert len({color_of(name) for name in names}) == len(names)
    assert color_of("GENE") == color_of("Protein") == color_of("Gene")
    assert color_of("anything") == color_of("anything") in range(COLORS)


def test_the_page_lets_nothing_in():
    page = page_start(EVIL) + page_end()
    assert EVIL not in page and "unsafe" not in page and "http:" not in page and "https:" not in page
    assert page.count("<script>") == 1 and "innerHTML" not in SCRIPT and "url(" not in STYLE
    policy = dict(Page(page).tags[3][1])["content"]
    assert policy.startswith("default-src 'none'") and policy.count("'sha256-") == 2


def test_a_page_appears_at_once_or_not_at_all(tmp_path):
    path = tmp_path / "page.html"

    def failing():
        yield Annotated("1", "a")
        raise RuntimeError("no more")

    with pytest.raises(RuntimeError):
        write_page(path, failing())
    assert list(tmp_path.iterdir()) == []
    assert write_page(path, (Annotated(str(i), "\ud800") for i in range(3))) == 3
    assert path.read_text(encoding="utf-8").count("<article") == 3
    assert write_page(tmp_path / "new" / "page.html", []) == 0
    with pytest.raises(MTLError, match="MTL402.*inside"):
        write_page(path / "inside.html", [])


def test_annotate_writes_it(pipeline, tmp_path):
    assert output_format(tmp_path / "page.html") == "html"
    writer = WRITERS["html"]
    found = list(Annotator(pipeline, keep_docs=True).pipe(["BRCA1 mutations cause breast cancer and asthma"]))
    page = (writer.head + writer.part(found) + writer.foot).decode()
    assert page.startswith("<!DOCTYPE html>") and 'data-l="Disease"' in page and "breast cancer" in page


def test_long_texts_keep_their_lines(pipeline):
    """A text that is cut and stitched still knows which groups are of corpora."""
    before, pipeline.max_length = pipeline.max_length, 60
    try:
        text = "\n\n".join(["BRCA1 mutations cause breast cancer and asthma"] * 3)
        (found,) = Annotator(pipeline, keep_docs=True).pipe([text])
    finally:
        pipeline.max_length = before
    assert found.problems["cut"] == 2 and len(read_groups(found.doc)["disease"]) == 6
    again = [ent.text for ent in found.doc.ents]
    write_groups(found.doc, read_groups(found.doc), MergeByScore())
    assert [ent.text for ent in found.doc.ents] == again
