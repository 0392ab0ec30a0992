"""Reports: what they say, and that the page is one safe file."""

import csv
import io
import json
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from spacy_mtl_bioner.experiments import plots
from spacy_mtl_bioner.experiments.page import write_page
from spacy_mtl_bioner.experiments.published import find, published
from spacy_mtl_bioner.experiments.report import Figure, Report, Table, write_report
from spacy_mtl_bioner.experiments.statistics import Difference
from spacy_mtl_bioner.experiments.tables import cost_table, differences_table, results_table

EVIL = "<script>alert('x')</script>&\""


def record(corpus, system, seed, f1, partners=()):
    figures = {"precision": f1 - 1, "recall": f1 + 1, "f1": f1, "devel_f1": f1 + 2}
    size = {"parameters": 3_680_000, "parameters_without_words": 860_000, "steps": 10, "best_pass": 2.0, "minutes": 1.5}
    return {"corpus": corpus, "system": system, "seed": seed, "partners": list(partners), **figures, **size}


def test_results_are_means_with_spread_beside_the_published():
    records = [record("NCBI-disease", "STM", 0, 85.0), record("NCBI-disease", "STM", 1, 87.0)]
    records.append(record("NCBI-disease", "mine", 0, 80.0, ["BC5CDR"]))
    first, second = results_table(records).rows
    assert first[:4] == ["NCBI-disease", "STM", "-", "0, 1"]
    assert first[4:11] == [85.0, 87.0, 86.0, 1.41, 85.0, 87.0, 88.0]
    assert first[11] == "86.05 (Wang Xi et al. 2019; epoch on devel)"
    assert second[2:4] == ["BC5CDR", "0"] and second[7] is None and second[11] is None


def test_size_and_cost():
    assert cost_table([record("a", "STM", 0, 1.0)]).rows == [["a", "STM", "-", 3.68, 0.86, 10, 2.0, 1.5]]


def test_parts_of_corpora_are_rows_of_their_own():
    records = [record("a", "MTM", seed, 1.0 + seed, ["b"]) for seed in (0, 1)]
    disease, half = {"labels": ["Disease"], "share": 1.0, "seed": 0}, {"labels": None, "share": 0.5}
    records.append({**record("a", "MTM", 0, 5.0, ["b"]), "parts": {"a": disease, "b": disease}})
    records += [{**record("a", "MTM", seed, 7.0, ["b"]), "parts": {"a": {**half, "seed": seed}}} for seed in (0, 1)]
    assert [(row[0], row[2], row[3], row[6]) for row in results_table(records).rows] == [
        ("a", "b", "0, 1", 1.5),
        ("a (Disease)", "b (Disease)", "0", 5.0),
        ("a (50%)", "b", "0, 1", 7.0),
    ]
    assert len(cost_table(records).rows) == 3


def test_differences_say_of_which_units():
    found = [Difference("a", "STM", "CS", 3, 1.0, 0.5, 1.5, 0.001, "document", 100, 0.01, None, 0.02)]
    table = differences_table(found)
    assert table.rows == [["a", "STM", "CS", 3, 1.0, 0.5, 1.5, "0.0010", "0.0200", "0.0100", None]]
    assert "100 documents of a" in table.note and found[0].significant


def test_published_figures():
    assert len(published()) > 400 and all(p.source and p.protocol for p in published())
    assert [p.value for p in find("cs_mtm", "linnaeus", ["CRAFT"])] == [82.4]
    assert [p.value for p in find("MO-MTM", "NCBI-disease", ["Ex-PTM"])] == [80.74]
    assert [p.value for p in find("STM", "Ex-PTM", share="25")] == [55.51]
    assert [p.value for p in find("CS-MTM", "Ex-PTM", ["BioNLP13PC"])] == [70.87], "that partner's own"
    assert "the best partner" in str(find("CS-MTM", "Ex-PTM", ["BioNLP09"], share="50")[0])


def test_a_published_figure_is_of_the_same_kind():
    """Alone, with a partner or all together; and of the paper whose config it is: another one has an STM, too."""
    assert find("CS-MTM", "Ex-PTM") == find("CS-MTM", "BC2GM", ["Ex-PTM", "JNLPBA"], joint=True) == []
    assert [p.value for p in find("MO-MTM", "Ex-PTM", ["BC2GM", "JNLPBA"], joint=True)] == [74.9]
    assert [p.value for p in find("MO-MTM", "Ex-PTM", ["BioNLP11EPI"])] == [73.58]
    assert [p.value for p in find("MTM-CW", "BC2GM", ["JNLPBA", "BC5CDR"], joint=True)] == [80.74]
    assert find("STM", "Ex-PTM", config="crichton_2017/stm.cfg") == []
    for config in ("wang_xi_2019/stm.cfg", "configs/single_task.cfg", "mine.cfg", ""):
        assert [p.value for p in find("STM", "Ex-PTM", config=config)] == [67.31]


def test_nothing_is_published_of_a_misspelled_name():
    assert find("STM", "nowhere") == find("", "NCBI-disease") == []


@pytest.fixture
def report():
    table = Table("one", "Title " + EVIL, ["name", "value"], [[EVIL, 1.234], ["b,c", None]], note=EVIL)
    drawn = Figure("curve", "Figure " + EVIL, lambda canvas: plots.lines(canvas, {"a": [(0, 1), (1, 2)]}, "x", "y"))
    return Report("study", "Study " + EVIL, [{"corpus": "a"}], [table], [drawn])


def test_a_report_is_written_in_every_form(report, tmp_path):
    folder = write_report(report, tmp_path)
    assert sorted(path.name for path in folder.iterdir()) == [
        "curve.png", "one.csv", "records.json", "report.json", "report.txt",
    ]  # fmt: skip
    rows = list(csv.reader(io.StringIO((folder / "one.csv").read_text())))
    assert rows == [["name", "value"], [EVIL, "1.234"], ["b,c", ""]]
    assert json.loads((folder / "records.json").read_text()) == [{"corpus": "a"}]
    assert "1.23" in (folder / "report.txt").read_text()
    assert (folder / "curve.png").read_bytes().startswith(b"\x89PNG")


def test_without_figures(report, tmp_path):
    folder = write_report(report, tmp_path, plots=False)
    assert not list(folder.glob("*.png")) and json.loads((folder / "report.json").read_text())["figures"] == []


def test_what_an_earlier_report_left_goes(report, tmp_path):
    """But not what is no report's."""
    folder = write_report(report, tmp_path)
    (folder / "mine.csv").write_text("kept")
    report.tables[0] = replace(report.tables[0], name="two")
    write_report(report, tmp_path, plots=False)
    assert sorted(path.name for path in folder.iterdir()) == [
        "mine.csv", "records.json", "report.json", "report.txt", "two.csv",
    ]  # fmt: skip


def test_the_page_without_a_picture_that_is_gone(report, tmp_path):
    (write_report(report, tmp_path) / "curve.png").unlink()
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "report.json").write_text('{"corpus": "of another command"}')
    text = write_page(tmp_path).read_text(encoding="utf8")
    assert "<img" not in text and "1.23" in text


class Seen(HTMLParser):
    """Tags, text and sources of a page."""

    def __init__(self):
        super().__init__()
        self.tags, self.text, self.sources = [], "", []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.sources += [value for name, value in attrs if name in ("src", "href")]

    def handle_data(self, data):
        self.text += data


def test_the_page_holds_all_and_escapes_all(report, tmp_path):
    write_report(report, tmp_path)
    seen = Seen()
    seen.feed(write_page(tmp_path).read_text(encoding="utf8"))
    assert "script" not in seen.tags and seen.text.count(EVIL) == 5
    assert len(seen.sources) == 1 and seen.sources[0].startswith("data:image/png;base64,")


@pytest.mark.parametrize(
    "draw",
    [
        lambda canvas: plots.f1_by_system(canvas, {"a": {"x": [1.0, 2.0], "y": [3.0]}, "b": {"x": [1.0]}}),
        lambda canvas: plots.heat_map(canvas, ["a", "b"], ["c"], [[1.5], [None]], [["*"], [""]], "F1"),
        lambda canvas: plots.lines(canvas, {}, "x", "y"),
    ],
)
def test_figures_are_drawn(draw, tmp_path):
    from matplotlib.figure import Figure as Canvas

    canvas = Canvas()
    draw(canvas)
    canvas.savefig(tmp_path / "figure.png")
    assert canvas.axes and (tmp_path / "figure.png").stat().st_size > 1000
