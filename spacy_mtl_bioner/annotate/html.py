"""A page to look at entities: one HTML file that needs nothing else, and lets nothing in.

Merged entities are colored boxes; under the text runs a line for each corpus that found something, so that what
overlaps is seen as well. Tooltips tell corpora, labels and scores; boxes in the legend hide a label or a corpus.
Documents are written one after the other, so that a page of thousands takes no memory here.

Everything that comes from documents or models is escaped, and a content security policy allows the page no more than
its own style and script, which are the same in every page and named by their hashes.
"""

import base64
import colorsys
import hashlib
import re
import zlib
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Dict, Iterable, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from ..durable import replacing, writing
from ..pipeline.groups import to_plain
from ..pipeline.label_map import ANY, unified_label
from .records import Annotated, Entity

COLORS = 16
_ROWS = 8
"""Lines under the text that stand apart; further ones take these places again."""

_FIXED = ("Disease", "Gene", "Chemical", "Species", "CellType", "DNA", "Anatomy", "RNA", "CellLine", "Complex",
          "CellularComponent", "Sequence")  # fmt: skip
_ORDER = (0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15)  # hues far apart first
_UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


class Mark(NamedTuple):
    """A stretch of text, what it is called, and what its tooltip says."""

    start: int
    end: int
    label: str
    title: str


class Row(NamedTuple):
    """A line under the text: its name and marks that do not overlap, in order."""

    name: str
    marks: List[Mark]


@lru_cache(maxsize=4096)
def color_of(label: str) -> int:
    """Return which of the ``COLORS`` a label has, the same on every page: that of its unified label, so that what one
    corpus calls ``GENE`` and another ``Protein`` looks alike."""
    label = unified_label(ANY, label, {}) or label
    known = _FIXED.index(label) if label in _FIXED else zlib.crc32(label.encode("utf-8", "replace"))
    return _ORDER[known % COLORS]


def shades(color: int) -> Tuple[str, str]:
    """Return the light shade of a color, for boxes behind black text, and the dark one, for lines on white."""
    hue = color / COLORS
    return _hex(colorsys.hls_to_rgb(hue, 0.87, 0.75)), _hex(colorsys.hls_to_rgb(hue, 0.36, 0.65))


def _hex(rgb: Tuple[float, float, float]) -> str:
    return "#" + "".join(f"{round(255 * part):02x}" for part in rgb)


def page_start(title: str = "Entities") -> str:
    """Return the page up to the first document."""
    policy = f"default-src 'none'; style-src {_hash(STYLE)}; script-src {_hash(SCRIPT)}; base-uri 'none'"
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{_text(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        f'<header><h1>{_text(title)}</h1><div id="labels"></div><div id="corpora"></div></header>\n<main>\n'
    )


def page_end() -> str:
    """Return what follows the last document: the script that makes the legend."""
    return f"</main>\n<script>{SCRIPT}</script>\n</body>\n</html>\n"


def article(document: Annotated) -> str:
    """Return a document: its id, and its text with entities."""
    boxes, rows = layers(document)
    sections = {passage.start: passage.section for passage in document.passages if passage.section}
    borders = {at for marks in (boxes, *(row.marks for row in rows)) for mark in marks for at in mark[:2]}
    cuts = sorted({0, len(document.text), *borders, *(at for at in sections if at < len(document.text))})
    body = "".join(_body(document.text, boxes, rows, sections, cuts))
    number = len(document.entities)
    facts = [f"{number:,} {'entity' if number == 1 else 'entities'}"]
    facts += [f"{name}: {count:,}" for name, count in document.problems.items()]
    facts += [f"lines from above: {', '.join(dict.fromkeys(row.name for row in rows))}"] if rows else []
    return (
        f'<article class="n{min(len(rows), _ROWS)}">\n<h2><bdi>{_text(document.id)}</bdi> '
        f"<small>{_text('; '.join(facts))}</small></h2>\n<p dir=\"auto\">{body}</p>\n</article>\n"
    )


def write_page(path: Path, documents: Iterable[Annotated], title: str = "Entities") -> int:
    """Write a page, which appears at once; returns the number of documents. Raises MTL402 where it cannot."""
    number = 0
    with (
        writing(path),
        replacing(path) as part,
        open(part, "w", encoding="utf-8", errors="replace", newline="\n") as file,
    ):
        file.write(page_start(title))
        for number, document in enumerate(documents, 1):
            file.write(article(document))
        file.write(page_end())
    return number


def layers(document: Annotated) -> Tuple[List[Mark], List[Row]]:
    """Return what is boxed and what is underlined: entities that overlap no other, and a row or more a corpus.

    A document of one corpus, whose entities are all boxed, has no rows. Nothing is left out: boxes cannot overlap, so
    entities that do, as some formats have them, get rows of their own.
    """
    boxes, *others = lanes(_box(entity) for entity in document.entities)
    found = _found(document)
    boxed = {mark[:3] for mark in boxes}
    if len(found) == 1 and all({mark[:3] for mark in marks} <= boxed for marks in found.values()):
        found = {}
    rows = [Row(corpus, marks) for corpus, all_marks in found.items() for marks in lanes(all_marks) if marks]
    return boxes, rows + [Row("overlapping", marks) for marks in others]


def lanes(marks: Iterable[Mark]) -> List[List[Mark]]:
    """Return the marks in as few lists as it takes so that none overlaps another in its list, each in order; the first
    list may be empty. Empty stretches, which cannot be seen, are left out."""
    made: List[List[Mark]] = [[]]
    for mark in sorted(marks, key=lambda mark: (mark.start, -mark.end, mark.label)):
        if mark.start < mark.end:
            free = next((lane for lane in made if not lane or lane[-1].end <= mark.start), None)
            if free is None:
                made.append(free := [])
            free.append(mark)
    return made


def _box(entity: Entity) -> Mark:
    lines = [entity.shown if entity.score is None else f"{entity.shown} {entity.score:.2f}"]
    lines += [_line(*source) for source in entity.sources]
    return Mark(entity.start, entity.end, entity.shown, "\n".join(lines))


def _found(document: Annotated) -> Dict[str, List[Mark]]:
    """What each corpus found: all of it where the document has its Doc, else what became of it."""
    found: Dict[str, List[Mark]] = {}
    if document.doc is not None:
        for corpus, entities in to_plain(document.doc).items():
            found[corpus] = [Mark(a, b, label, _line(corpus, label, score)) for a, b, label, score in entities]
    else:
        for entity in document.entities:
            for corpus, label, score in entity.sources:
                mark = Mark(entity.start, entity.end, label, _line(corpus, label, score))
                found.setdefault(corpus, []).append(mark)
    return {corpus: marks for corpus, marks in found.items() if marks}


def _line(corpus: str, label: str, score: object) -> str:
    return f"{corpus}: {label}" if score is None else f"{corpus}: {label} {score:.2f}"


def _body(
    text: str, boxes: Sequence[Mark], rows: Sequence[Row], sections: Dict[int, str], cuts: Sequence[int]
) -> Iterator[str]:
    """The text in pieces, at whose borders boxes and lines start and end."""
    box = _Cursor(boxes)
    cursors = [_Cursor(row.marks) for row in rows]
    for start, end in zip(cuts, cuts[1:]):
        if start in sections:
            yield f'<small class="section" data-s="{escape(sections[start])}"></small>'
        inside = box.at(start)
        if inside is not None and inside.start == start:
            kind, label, title = color_of(inside.label), _value(inside.label), _value(inside.title)
            yield f'<mark class="k{kind}" data-l="{label}" title="{title}">'
        lines = [(i, row.name, cursor.at(start)) for i, (row, cursor) in enumerate(zip(rows, cursors))]
        drawn = [(i, name, mark) for i, name, mark in lines if mark is not None]
        for i, name, mark in drawn:
            place, color = i % _ROWS, color_of(mark.label)
            yield f'<u class="r{place} k{color}" data-c="{_value(name)}" title="{_value(mark.title)}">'
        yield _text(text[start:end])
        yield "</u>" * len(drawn)
        if inside is not None and inside.end == end:
            yield "</mark>"


class _Cursor:
    """The mark at a place, for places that only grow."""

    def __init__(self, marks: Sequence[Mark]) -> None:
        self.marks, self.next = marks, 0

    def at(self, place: int) -> Optional[Mark]:
        """The mark there, if any."""
        while self.next < len(self.marks) and self.marks[self.next].end <= place:
            self.next += 1
        found = self.marks[self.next] if self.next < len(self.marks) else None
        return found if found is not None and found.start <= place else None


def _text(value: str) -> str:
    """Text for HTML; characters that HTML cannot have are U+FFFD, one for one."""
    return escape(_UNSEEN.sub("\ufffd", value), quote=False)


def _value(value: str) -> str:
    """Text for an attribute."""
    return escape(_UNSEEN.sub("\ufffd", value)).replace("\n", "&#10;")


def _hash(source: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(source.encode('utf-8')).digest()).decode()}'"


def _rules() -> str:
    rules = []
    for color in range(COLORS):
        light, dark = shades(color)
        rules.append(f"mark.k{color}{{background:{light};border-color:{dark}}}u.k{color}{{border-color:{dark}}}")
        rules.append(f"i.k{color}{{background:{light};border-color:{dark}}}")
    for row in range(_ROWS):
        rules.append(f"u.r{row}{{padding-bottom:{5 + 5 * row}px}}")
        rules.append(f"article.n{row + 1} p{{line-height:calc(2em + {5 * (row + 1)}px)}}")
    return "\n".join(rules)


STYLE = (
    """
:root{color-scheme:light}
*{box-sizing:border-box}
body{margin:0;background:#f4f4f2;color:#1a1a1a;font:16px/1.5 system-ui,sans-serif}
header{position:sticky;top:0;z-index:1;background:#fff;border-bottom:1px solid #ccc;padding:.5rem 1rem}
h1{font-size:1.1rem;margin:0 0 .3rem}
header div{display:flex;flex-wrap:wrap;gap:.2rem 1rem;font-size:.85rem;max-height:6rem;overflow:auto}
header div:empty{display:none}
header label{display:flex;align-items:center;gap:.3rem;cursor:pointer}
header i{width:1.1em;height:1.1em;border:1px solid;border-radius:3px}
main{max-width:60rem;margin:0 auto;padding:1rem}
article{background:#fff;border:1px solid #ddd;border-radius:6px;padding:.7rem 1.2rem;margin:0 0 1rem;
content-visibility:auto;contain-intrinsic-size:auto 20rem}
h2{font-size:1rem;margin:0;overflow-wrap:anywhere}
h2 small{color:#595959;font-weight:normal;margin-left:.5rem}
p{margin:.4rem 0 .6rem;white-space:pre-wrap;overflow-wrap:anywhere;line-height:2em}
.section::before{content:attr(data-s);display:block;color:#595959;line-height:1.6;font-size:.75rem;
text-transform:uppercase;letter-spacing:.05em}
mark{color:inherit;border:1px solid;border-radius:4px;padding:1px 2px;box-decoration-break:clone;
-webkit-box-decoration-break:clone}
mark::after{content:attr(data-l);font-size:.65em;font-weight:600;margin-left:.35em;vertical-align:.1em}
u{text-decoration:none;border-bottom:3px solid}
mark.off{background:none;border-color:transparent}
mark.off::after{content:none}
u.off{border-bottom-color:transparent}
textarea{width:100%;padding:.5rem;font:inherit}
form p{white-space:normal}
form label{margin-right:1rem;white-space:nowrap}
@media print{header{position:static}article{break-inside:avoid}}
"""
    + _rules()
    + "\n"
)

SCRIPT = """
"use strict";
function legend(id, selector, key) {
  const found = new Map();
  for (const element of document.querySelectorAll(selector)) {
    const name = element.dataset[key];
    if (!found.has(name)) found.set(name, []);
    found.get(name).push(element);
  }
  for (const [name, elements] of [...found].sort((a, b) => b[1].length - a[1].length)) {
    const label = document.createElement("label"), box = document.createElement("input");
    box.type = "checkbox";
    box.checked = true;
    box.addEventListener("change", () => elements.forEach(e => e.classList.toggle("off", !box.checked)));
    label.append(box);
    if (key === "l") {
      const color = document.createElement("i");
      color.className = elements[0].className;
      label.append(color);
    }
    const text = document.createElement("bdi");
    text.textContent = key === "l" ? name + " " + elements.length : name;
    label.append(text);
    document.getElementById(id).append(label);
  }
}
legend("labels", "mark", "l");
legend("corpora", "u", "c");
"""
