"""What ``spacy train`` shows and records at each evaluation: one row for all, one a corpus, and a line of JSON."""

import math
import os
import sys
from pathlib import Path
from timeit import default_timer
from typing import IO, Any, Callable, Dict, List, Optional, Tuple

import srsly
from spacy.language import Language
from spacy.util import registry
from tqdm import tqdm
from wasabi import row

from ..errors import E151, MTLError
from ..pipeline.scorer import POOLED

Info = Dict[str, Any]
LogStep = Callable[[Optional[Info]], None]
Logger = Callable[[Language, IO, IO], Tuple[LogStep, Callable[[], None]]]
Row = Dict[str, str]

COLUMNS = {"E": 3, "#": 6, "CORPUS": 16, "LOSS": 9, "P": 6, "R": 6, "F": 6, "MACRO": 6, "SCORE": 6, "W/S": 7, "TIME": 8}
"""Heading and width of each column; P, R, F and MACRO are percent, F of a corpus of tags is its accuracy."""


@registry.loggers("spacy_mtl_bioner.CorpusLogger.v1")
def corpus_logger(path: Optional[Path] = None, progress_bar: bool = False, component: str = "mtl_ner") -> Logger:
    """Show a table on the console and, with ``path``, write the same figures as JSON lines, replacing the file.

    component: the name of the multi-task component in the pipeline, whose losses are shown a corpus.
    progress_bar: show the steps to the next evaluation, where the output is a terminal.

    A line of the file: ``epoch``, ``step``, ``seconds`` (since the start), ``words`` (trained on so far),
    ``words_per_second`` (since the line before; evaluation and saving count), ``score`` (weighted), ``losses``
    (sums since the line before, by component, ``component/corpus`` and ``component:auxiliary loss``) and ``scores``
    (every plain number, 0 to 1).
    Raises MTL151 where the file cannot be written.
    """

    return CorpusLogger(None if path is None else Path(path), progress_bar, component)


class CorpusLogger:
    """What ``corpus_logger`` makes: called once by the training loop. A resumed training goes on in the same file."""

    def __init__(self, path: Optional[Path], progress_bar: bool, component: str) -> None:
        self.path, self.progress_bar, self.component = path, progress_bar, component
        self.clock = _Clock()
        self.stream: Optional[IO[str]] = None
        self.size: Optional[int] = None

    def state(self) -> Dict[str, Any]:
        """What ``resume`` takes: how long the file is, and the words of its last line."""
        return {"bytes": 0 if self.stream is None else self.stream.tell(), "words": self.clock.words}

    def resume(self, state: Dict[str, Any]) -> None:
        """Keep of the file what it held in this ``state``, and write behind it."""
        self.size, self.clock.words = state["bytes"], state["words"]

    def __call__(
        self, nlp: Language, stdout: IO = sys.stdout, stderr: IO = sys.stderr
    ) -> Tuple[LogStep, Callable[[], None]]:
        self.clock.time = default_timer()
        self.stream = None if self.path is None else _open(self.path, self.size)
        steps = tqdm(total=_frequency(nlp), disable=None if self.progress_bar else True, leave=False, file=stderr)
        _write(stdout, dict(zip(COLUMNS, COLUMNS)))
        _write(stdout, {name: "-" * width for name, width in COLUMNS.items()})

        def log_step(info: Optional[Info]) -> None:
            if info is None:
                steps.update(1)
                return
            steps.clear()
            record = make_record(info, self.clock)
            for cells in table_rows(record, self.component):
                _write(stdout, cells)
            if self.stream is not None:
                self.stream.write(srsly.json_dumps(_finite(record)) + "\n")
                self.stream.flush()
            steps.reset()

        def finalize() -> None:
            steps.close()
            if self.stream is not None:
                self.stream.close()

        return log_step, finalize


class _Clock:
    """Words a second between two records."""

    def __init__(self) -> None:
        self.time, self.words = default_timer(), 0

    def rate(self, words: int) -> float:
        now = default_timer()
        rate = (words - self.words) / max(now - self.time, 1e-9)
        self.time, self.words = now, words
        return rate


def make_record(info: Info, clock: Optional[_Clock] = None) -> Dict[str, Any]:
    """Return what is logged of ``info``, the record of spaCy's training loop; what it lacks is left out."""
    record: Dict[str, Any] = {key: info[key] for key in ("epoch", "step", "seconds", "words") if key in info}
    if clock is not None and "words" in info:
        record["words_per_second"] = round(clock.rate(info["words"]), 1)
    if _is_number(info.get("score")):
        record["score"] = float(info["score"])
    record["losses"] = _numbers(info.get("losses"))
    record["scores"] = _numbers(info.get("other_scores"))
    return record


def table_rows(record: Dict[str, Any], component: str = "mtl_ner") -> List[Row]:
    """Return the cells of a record by column: the whole first, then each corpus, then, in parentheses, auxiliary losses
    and other components that have one."""
    losses, scores = record["losses"], record["scores"]
    total = {
        "E": str(record.get("epoch", "")),
        "#": str(record.get("step", "")),
        "CORPUS": "(all)",
        "LOSS": _number(losses.get(component)),
        **_prf(scores, "mtl_micro"),
        "MACRO": _percent(scores.get("mtl_macro_f")),
        "SCORE": _percent(record.get("score")),
        "W/S": _number(record.get("words_per_second"), digits=0),
        "TIME": _time(record.get("seconds")),
    }
    rows = [total]
    for corpus in corpora(record, component):
        loss = _number(losses.get(f"{component}/{corpus}"))
        rows.append({"CORPUS": corpus, "LOSS": loss, **_prf(scores, f"mtl_{corpus}")})
    others = [name for name in losses if name.split("/")[0] != component and losses[name]]
    rows.extend({"CORPUS": f"({name.removeprefix(f'{component}:')})", "LOSS": _number(losses[name])} for name in others)
    return rows


def corpora(record: Dict[str, Any], component: str = "mtl_ner") -> List[str]:
    """Return the corpora that a record has a loss or a score of, by name."""
    prefix = f"{component}/"
    found = {name[len(prefix) :] for name in record["losses"] if name.startswith(prefix)}
    for name in record["scores"]:
        if name.startswith("mtl_") and name.endswith(("_f", "_acc")):
            found.add(name[len("mtl_") : name.rindex("_")])
    return sorted(found.difference(POOLED))


def _prf(scores: Dict[str, float], name: str) -> Row:
    f = scores.get(f"{name}_f", scores.get(f"{name}_acc"))
    return {"P": _percent(scores.get(f"{name}_p")), "R": _percent(scores.get(f"{name}_r")), "F": _percent(f)}


def _write(stdout: IO, cells: Row) -> None:
    widths = list(COLUMNS.values())
    values = [_fit(cells.get(name, ""), width) for name, width in COLUMNS.items()]
    aligns = ["l" if name == "CORPUS" else "r" for name in COLUMNS]
    print(row(values, widths=widths, aligns=aligns, spacing=2).rstrip(), file=stdout, flush=True)


def _fit(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _numbers(found: Optional[Dict[str, Any]]) -> Dict[str, float]:
    """Keep the plain numbers of a dict; spaCy's are Python's own by then, losses may be NumPy's."""
    pairs = ((name, value.item() if hasattr(value, "item") else value) for name, value in (found or {}).items())
    return {name: value for name, value in pairs if _is_number(value)}


def _finite(found: Any) -> Any:
    """The same with null for NaN and the infinite, which JSON does not know: a training that goes wrong says so."""
    if isinstance(found, dict):
        return {name: _finite(value) for name, value in found.items()}
    return None if isinstance(found, float) and not math.isfinite(found) else found


def _number(value: Optional[float], digits: int = 2) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def _percent(value: Optional[float]) -> str:
    return _number(None if value is None else 100 * value)


def _time(seconds: Optional[float]) -> str:
    if seconds is None:
        return ""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"


def _frequency(nlp: Language) -> Optional[int]:
    return nlp.config.get("training", {}).get("eval_frequency")


def _open(path: Path, size: Optional[int]) -> IO[str]:
    """A new file, or the one that is there without what follows its first ``size`` bytes."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if size is None:
            return path.open("w", encoding="utf-8")
        stream = path.open("a", encoding="utf-8")
        stream.truncate(min(size, path.stat().st_size))
        stream.seek(0, os.SEEK_END)
        return stream
    except OSError as error:
        raise MTLError(E151(path=path, reason=error.strerror)) from error
