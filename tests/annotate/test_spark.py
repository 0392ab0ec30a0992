"""The function for ``mapInPandas``, on pandas frames, as Spark calls it."""

import pytest

from spacy_mtl_bioner.annotate.annotator import Annotator
from spacy_mtl_bioner.annotate.spark import SCHEMA, annotate_frames
from spacy_mtl_bioner.errors import MTLError

from ..pipeline.recognizer import TEXTS

pandas = pytest.importorskip("pandas")


def test_frames_in_frames_out(model, pipeline):
    texts = TEXTS * 30
    frames = [
        pandas.DataFrame({"id": range(len(texts)), "text": texts}),
        pandas.DataFrame({"id": ["x"], "text": ["asthma"]}),
    ]
    tag = annotate_frames(str(model), corpora=["disease"], thresholds={"disease": 0.1})
    made = pandas.concat(list(tag(iter(frames))))
    assert list(made.columns) == ["id", "text", "entities", "error"]
    assert all(f"{column} " in SCHEMA for column in made.columns)
    assert list(made["id"]) == [*map(str, range(len(texts))), "x"]
    assert list(made["text"]) == [*texts, "asthma"] and made["error"].isna().all()
    annotator = Annotator(str(model), corpora=["disease"], thresholds={"disease": 0.1})
    for text, entities in zip(texts[: len(TEXTS)], made["entities"]):
        found = [(e["start"], e["end"], e["text"], e["label"], e["unified"]) for e in entities]
        assert found == [(e.start, e.end, e.text, e.label, None) for e in annotator(text).entities]


def test_rows_without_text_are_kept_and_say_so(model):
    frame = pandas.DataFrame({"body": ["asthma", None, "mice"]}, index=[7, 8, 9])
    (made,) = annotate_frames(str(model), text="body")(iter([frame]))
    assert list(made["id"]) == ["7", "8", "9"]
    assert list(made["error"].notna()) == [False, True, False]
    assert "MTL362" in made["error"].iloc[1]


def test_nulls_and_what_is_no_text(model):
    frame = pandas.DataFrame({"id": [5, None], "text": ["asthma", 3.5]}, index=[7, 8])
    (made,) = annotate_frames(str(model))(iter([frame]))
    assert list(made["id"]) == ["5", "8"]
    assert made["text"].iloc[0] == "asthma" and pandas.isna(made["text"].iloc[1]) and "MTL362" in made["error"].iloc[1]


def test_ids_of_any_type(model):
    ids = [5.0, 5.5, True, "", "x"]
    frame = pandas.DataFrame({"id": ids, "text": ["a"] * 5}, index=[10, 11, 12, 13, 14], dtype=object)
    (made,) = annotate_frames(str(model))(iter([frame]))
    assert list(made["id"]) == ["5", "5.5", "12", "13", "x"]


def test_the_function_travels():
    """Spark pickles it by value; it must hold plain values only."""
    cloudpickle = pytest.importorskip("cloudpickle")
    tag = cloudpickle.loads(cloudpickle.dumps(annotate_frames("m", corpora=["a"])))
    assert callable(tag)


def test_a_missing_column_and_an_unknown_option_are_told(model):
    frame = pandas.DataFrame({"body": ["asthma"], "title": ["mice"]})
    with pytest.raises(MTLError, match="MTL362.*body, title.*'text'"):
        next(annotate_frames(str(model))(iter([frame])))
    with pytest.raises(MTLError, match="MTL372.*'corpus'"):
        annotate_frames(str(model), corpus=["disease"])
