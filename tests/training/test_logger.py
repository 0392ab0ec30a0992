"""CorpusLogger: the table, the JSON lines, and what is missing."""

import io
import json

import numpy
import pytest
import spacy
from spacy.util import registry

from spacy_mtl_bioner.errors import MTLError
from spacy_mtl_bioner.training.logger import COLUMNS, corpus_logger, make_record, table_rows

INFO = {
    "epoch": 1,
    "step": 200,
    "score": 0.8,
    "losses": {"tok2vec": 0.0, "senter": 7.0, "mtl_ner": numpy.float32(3.5), "mtl_ner/BC5CDR": 2.5, "mtl_ner/POS": 1.0,
               "mtl_ner:adversarial": 0.25},
    "other_scores": {
        "mtl_micro_p": 0.9, "mtl_micro_r": 0.7, "mtl_micro_f": 0.7875, "mtl_macro_f": 0.75, "mtl_BC5CDR_p": 0.91,
        "mtl_BC5CDR_r": 0.72, "mtl_BC5CDR_f": 0.8039, "mtl_only_dev_f": 0.5, "mtl_POS_acc": 0.97, "speed": 1000.0,
        "ents_per_type": {"X": {"p": 1.0}}, "token_acc": None,
    },
    "checkpoints": [(0.8, 200)],
    "seconds": 3725,
    "words": 12345,
}  # fmt: skip


def log(*infos, path=None, **settings):
    out, err = io.StringIO(), io.StringIO()
    step, finalize = corpus_logger(path, **settings)(spacy.blank("en"), out, err)
    for info in infos:
        step(info)
    finalize()
    assert err.getvalue() == ""
    return out.getvalue().splitlines()


def test_a_row_for_all_and_one_a_corpus():
    head, rule, *rows = log(None, INFO, None)
    assert head.split() == list(COLUMNS) and set(rule) <= {"-", " "}
    assert rows[0].split()[:9] == ["1", "200", "(all)", "3.50", "90.00", "70.00", "78.75", "75.00", "80.00"]
    assert rows[0].endswith("1:02:05")
    assert [row.split() for row in rows[1:]] == [
        ["BC5CDR", "2.50", "91.00", "72.00", "80.39"],
        ["POS", "1.00", "97.00"],
        ["only_dev", "50.00"],
        ["(senter)", "7.00"],
        ["(adversarial)", "0.25"],
    ]
    assert rows[1].index("80.39") == rows[0].index("78.75")


def test_an_auxiliary_loss_is_no_corpus_of_its_name():
    losses = {"mtl_ner": 3.0, "mtl_ner/adversarial": 2.0, "mtl_ner:adversarial": 1.0}
    rows = log({"losses": losses, "other_scores": {"mtl_adversarial_f": 0.5}})[-2:]
    assert [row.split() for row in rows] == [["adversarial", "2.00", "50.00"], ["(adversarial)", "1.00"]]


@pytest.mark.parametrize("key", [*INFO, None])
def test_nothing_depends_on_a_key(key):
    info = {name: value for name, value in INFO.items() if key is not None and name != key}
    rows = table_rows(make_record(info))
    assert rows and len(log(info)) == len(rows) + 2


def test_a_long_name_does_not_break_the_table():
    name = "a corpus with quite a long name"
    row = log({"losses": {f"mtl_ner/{name}": 1.0}, "other_scores": {f"mtl_{name}_f": 0.5}})[-1]
    assert "a corpus with q…" in row and row.endswith("50.00")


def test_json_lines(tmp_path):
    path = tmp_path / "logs" / "train.jsonl"
    log(INFO, path=path)
    log(INFO, None, {**INFO, "step": 400}, path=path)
    first, second = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    assert (first["step"], second["step"], first["score"]) == (200, 400, 0.8)
    assert first["losses"]["mtl_ner"] == 3.5 and first["scores"]["mtl_POS_acc"] == 0.97
    assert not {"ents_per_type", "token_acc"} & set(first["scores"])
    assert first["words_per_second"] > 0 == second["words_per_second"]


def test_a_loss_that_is_no_number_ends_no_training(tmp_path):
    broken = {**INFO, "losses": {"mtl_ner": float("inf"), "mtl_ner/BC5CDR": float("nan")}}
    rows = log(broken, path=tmp_path / "log.jsonl")
    assert "inf" in rows[2] and "nan" in rows[3]
    (line,) = (tmp_path / "log.jsonl").read_text().splitlines()
    assert json.loads(line)["losses"] == {"mtl_ner": None, "mtl_ner/BC5CDR": None}


def test_lines_are_on_disk_while_training_goes_on(tmp_path):
    path = tmp_path / "train.jsonl"
    step, finalize = corpus_logger(path)(spacy.blank("en"), io.StringIO(), io.StringIO())
    step(INFO)
    assert json.loads(path.read_text(encoding="utf-8"))["epoch"] == 1
    finalize()


def test_another_component_name():
    rows = table_rows(make_record({"losses": {"tagger2": 1.0, "tagger2/A": 1.0}}), component="tagger2")
    assert [row.get("CORPUS") for row in rows] == ["(all)", "A"]


def test_a_path_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(MTLError, match="MTL151.*train.jsonl"):
        log(INFO, path=tmp_path / "file" / "train.jsonl")


def test_from_config(tmp_path):
    block = {"@loggers": "spacy_mtl_bioner.CorpusLogger.v1", "path": str(tmp_path / "x.jsonl"), "progress_bar": True}
    setup = registry.resolve({"logger": block})["logger"]
    step, finalize = setup(spacy.blank("en"), io.StringIO(), io.StringIO())
    step(None)
    step(INFO)
    finalize()
    assert (tmp_path / "x.jsonl").read_text(encoding="utf-8").count("\n") == 1
