"""The same on Spark: a function for ``DataFrame.mapInPandas``, which loads the pipeline once a Python worker.

    from spacy_mtl_bioner.annotate.spark import SCHEMA, annotate_frames

    articles = spark.read.parquet("articles")                       # columns id and text
    tagged = articles.mapInPandas(annotate_frames("my-model", corpora=["BC5CDR"]), SCHEMA)
    tagged.where("error is null").write.parquet("entities")

Neither Spark nor a session is imported here: the function takes and gives pandas frames, wherever they are from. The
model is a folder that every worker can read, or a package that is installed there.
"""

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Callable, Dict, Iterator

from ..errors import E362, MTLError
from ..types import Document
from .formats.fields import entity_fields, name_of
from .options import Options
from .records import Annotated, Failure

if TYPE_CHECKING:
    import pandas

    from .annotator import Annotator

_ENTITY = (
    "start: bigint, end: bigint, text: string, label: string, unified: string, score: double, "
    "sources: array<struct<corpus: string, label: string, score: double>>"
)
SCHEMA = f"id string, text string, entities array<struct<{_ENTITY}>>, error string"
"""What the frames that come back hold; ``error`` is a coded message, or null. No row is ever lost."""

BATCH = 128
"""Documents that are tagged together."""

Frames = Iterator["pandas.DataFrame"]


def annotate_frames(model: str, *, text: str = "text", id: str = "id", **options: Any) -> Callable[[Frames], Frames]:
    """Make the function.

    model (str): A folder or an installed package.
    text, id (str): The columns; without an id, a row has the number in its frame.
    options: Those of ``Options``, JSON values: corpora, labels, merge, threshold, label_map ...
    RETURNS (Callable): From an iterator of frames to an iterator of frames of ``SCHEMA``. It raises MTL362 for a frame
        without the column of texts.
    RAISES (MTLError): MTL359 and MTL372 for options that are none.
    """
    Options.of(options)  # here, where one reads the message, not in a worker

    def tag(frames: Frames) -> Frames:
        annotator = _annotator(model, _frozen(options))
        for frame in frames:
            if text not in frame.columns:
                found = f"the columns {', '.join(map(str, frame.columns))}"
                raise MTLError(E362(where="a frame", found=found, expected=f"a column {text!r} (text=...)"))
            for first in range(0, len(frame), BATCH):
                yield _tagged(annotator, frame.iloc[first : first + BATCH], text, id)

    return tag


def _frozen(options: Dict[str, Any]) -> Any:
    """Options as something that a cache can compare."""
    lists = {key: tuple(value) if isinstance(value, list) else value for key, value in options.items()}
    return tuple(sorted((key, tuple(v.items()) if isinstance(v, dict) else v) for key, v in lists.items()))


@lru_cache(maxsize=1)
def _annotator(model: str, frozen: Any) -> "Annotator":
    """One pipeline a Python worker, which Spark keeps from task to task."""
    import torch

    from .annotator import Annotator

    torch.set_num_threads(1)
    options = dict(frozen)
    options["thresholds"] = dict(options.get("thresholds", ()))
    return Annotator(model, **options)


def _tagged(annotator: "Annotator", frame: "pandas.DataFrame", text: str, id: str) -> "pandas.DataFrame":
    """The frame's rows with entities, or with an error."""
    import pandas

    given = frame[id] if id in frame.columns else frame.index
    names = [name_of(row if pandas.isna(value) else value, str(row)) for row, value in zip(frame.index, given)]
    found = [
        Document(name, said) if isinstance(said, str) else _no_text(name, text, said)
        for name, said in zip(names, frame[text])
    ]
    with annotator.nlp.memory_zone():
        tagged = iter(annotator.annotate([item for item in found if isinstance(item, Document)]))
        results = [item if isinstance(item, Failure) else next(tagged) for item in found]
        rows = [_row(result, said) for result, said in zip(results, frame[text])]
    return pandas.DataFrame(rows, columns=["id", "text", "entities", "error"])


def _no_text(name: str, column: str, found: Any) -> Failure:
    return Failure(name, E362(where=f"row {name}", found=f"{found!r:.40} as {column!r}", expected="a string"))


def _row(result: Any, text: Any) -> Dict[str, Any]:
    if not isinstance(result, Annotated):
        kept = text if isinstance(text, str) else None
        return {"id": result.id, "text": kept, "entities": [], "error": result.message}
    entities = [{"unified": None, **entity_fields(entity)} for entity in result.entities]
    return {"id": result.id, "text": result.text, "entities": entities, "error": None}
