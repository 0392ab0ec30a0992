"""``mtl-bioner evaluate``: exact-match scores of each corpus, on gold tokens and on raw text."""

import importlib.util
import json
from collections import Counter
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Dict, Iterable, List, Optional, Sequence, Set, Tuple

import typer
from wasabi import msg

from ..errors import E174, E181, MTLError
from .values import names_or_none

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Doc


class SplitName(str, Enum):
    """The splits that ``mtl-bioner convert`` writes."""

    train = "train"
    devel = "devel"
    test = "test"


SPLIT = "a split that 'mtl-bioner convert' wrote (--corpora names the corpora to score)"
SENTENCES = {"doc.sents", "token.is_sent_start"}

CharSpan = Tuple[int, int, str]
"""Character offsets of an entity in its document's text, and its label."""


def evaluate(
    model: str = typer.Argument(..., help="Trained pipeline: a folder or the name of an installed package"),
    corpora_dir: Path = typer.Argument(..., help="Folder of converted corpora", exists=True, file_okay=False),
    out: Path = typer.Argument(..., help="Folder for scores.json, report.txt and scores.png"),
    corpora: Optional[str] = typer.Option(None, help="Corpora to score, separated by commas; default: the model's"),
    split: SplitName = typer.Option(SplitName.test, help="Split to score"),
    component: str = typer.Option("mtl_ner", help="Name of the component"),
    gpu_id: int = typer.Option(-1, help="GPU to use, -1 for the CPU"),
    plot: bool = typer.Option(True, help="Draw scores.png (needs matplotlib)"),
) -> None:
    """Score a pipeline on one split of each corpus: a table, JSON, seqeval's strict report and a plot."""
    from spacy.cli._util import setup_gpu
    from tqdm import tqdm

    from ..durable import make_folder, write_text, writing
    from ..pipeline.loading import load, recognizer_of
    from ..pipeline.selection import resolve

    if plot and importlib.util.find_spec("matplotlib") is None:
        raise MTLError(E181())
    setup_gpu(gpu_id)
    nlp = load(model)
    heads = recognizer_of(nlp, component, model, "--component").heads
    known = [name for name, spec in heads.items() if spec.kind == "spans"]
    names = resolve(names_or_none(corpora), known, "--corpora")
    if not names:
        raise MTLError(E174(path=model, reason="no head finds entities", expected="one (spacy evaluate scores tags)"))
    paths = {name: corpora_dir / name / f"{split.value}.spacy" for name in names}
    for path in paths.values():
        check_split(path)
    make_folder(out)
    results, reports = {}, []
    for name, path in tqdm(paths.items(), unit="corpus", disable=None):
        gold = read_split(path, nlp)
        on_tokens = predict(nlp, [blind_copy(doc) for doc in gold], name, component, gold_sentences=True)
        on_text = predict(nlp, [doc.text for doc in gold], name, component, gold_sentences=False)
        results[name] = {
            "documents": len(gold),
            "gold_tokens": score(map(gold_spans, gold), [spans_of(doc, name) for doc in on_tokens]),
            "raw_text": score(map(gold_spans, gold), [spans_of(doc, name) for doc in on_text]),
        }
        reports.append(f"{name}, {split.value}, gold tokens\n{strict_report(gold, on_tokens, name)}")
    summary = {"model": str(model), "split": split.value, "unit": "percent, exact match", "corpora": results}
    write_text(out / "scores.json", json.dumps(summary, indent=2) + "\n")
    write_text(out / "report.txt", "\n".join(reports))
    if plot:
        with writing(out / "scores.png"):
            draw(results, split.value, out / "scores.png")
    print_table(results)
    print("\n".join(reports))
    msg.good(f"Scores written to {out}")


def read_split(path: Path, nlp: "Language") -> List["Doc"]:
    """Return the gold documents of a converted split. Raises MTL174 where there is none, and as ``read_docbin``."""
    from ..corpora.documents import read_docbin

    docs = read_docbin(path, nlp.vocab)
    if not docs:
        raise MTLError(E174(path=path, reason="no document", expected=SPLIT))
    return docs


def check_split(path: Path) -> None:
    """Raise MTL174 where a split is not there, before any time is spent on others."""
    if not path.exists():
        raise MTLError(E174(path=path, reason="no such file", expected=SPLIT))


def blind_copy(doc: "Doc") -> "Doc":
    """Return the document's words, spacing and sentences, without its annotation."""
    from spacy.tokens import Doc

    starts = [bool(token.is_sent_start) for token in doc] if doc.has_annotation("SENT_START") else None
    return Doc(doc.vocab, [t.text for t in doc], [bool(t.whitespace_) for t in doc], sent_starts=starts)


def predict(nlp: "Language", texts: Sequence, corpus: str, component: str, *, gold_sentences: bool) -> List["Doc"]:
    """Tag texts or documents with one corpus' head; ``gold_sentences`` leaves out components that set sentences and
    nothing that the head may need (a parser keeps to boundaries that are there)."""
    assigned = {name: set(nlp.get_pipe_meta(name).assigns) for name in nlp.pipe_names if name != component}
    splitters = [name for name, found in assigned.items() if found & SENTENCES and "token.dep" not in found]
    settings = {component: {"corpora": [corpus]}}
    disable = splitters if gold_sentences else []
    return list(nlp.pipe(texts, disable=disable, component_cfg=settings))


def gold_spans(doc: "Doc") -> Set[CharSpan]:
    """Return the gold entities of a document of kind ``spans``."""
    return {(ent.start_char, ent.end_char, ent.label_) for ent in doc.ents}


def spans_of(doc: "Doc", corpus: str) -> Set[CharSpan]:
    """Return what a corpus' head found in a document."""
    return {(span.start_char, span.end_char, span.label_) for span in doc.spans[corpus]}


def score(gold: Iterable[Set[CharSpan]], found: Iterable[Set[CharSpan]]) -> Dict:
    """Return precision, recall, F1 (percent) and counts: micro over all labels, and under ``labels`` each label."""
    right, gold_counts, found_counts = Counter(), Counter(), Counter()
    for wanted, got in zip(gold, found):
        gold_counts.update(label for _, _, label in wanted)
        found_counts.update(label for _, _, label in got)
        right.update(label for _, _, label in wanted & got)
    labels = sorted(set(gold_counts) | set(found_counts))
    total = figures(right.total(), gold_counts.total(), found_counts.total())
    return {**total, "labels": {x: figures(right[x], gold_counts[x], found_counts[x]) for x in labels}}


def figures(right: int, gold: int, found: int) -> Dict[str, float]:
    """Return precision, recall and F1 in percent (0 where undefined) beside the counts they are from."""
    precision = 100 * right / found if found else 0.0
    recall = 100 * right / gold if gold else 0.0
    f1 = 200 * right / (gold + found) if gold + found else 0.0
    rounded = {"precision": round(precision, 2), "recall": round(recall, 2), "f1": round(f1, 2)}
    return {**rounded, "gold": gold, "found": found, "right": right}


def strict_report(gold: Sequence["Doc"], found: Sequence["Doc"], corpus: str) -> str:
    """Return seqeval's classification report in strict IOB2 mode, or a line that says that there is no entity at all,
    which seqeval cannot report. The documents must share their tokens."""
    from seqeval.metrics import classification_report
    from seqeval.scheme import IOB2

    wanted = [iob2(doc, doc.ents) for doc in gold]
    got = [iob2(doc, doc.spans[corpus]) for doc in found]
    if not any(doc.ents for doc in gold) and not any(doc.spans[corpus] for doc in found):
        return "no entity in the gold, and none found\n"
    return classification_report(wanted, got, mode="strict", scheme=IOB2, digits=4, zero_division=0)


def iob2(doc: "Doc", spans: Iterable) -> List[str]:
    """Return one IOB2 tag a token for spans that do not overlap."""
    tags = ["O"] * len(doc)
    for span in spans:
        tags[span.start : span.end] = [f"B-{span.label_}"] + [f"I-{span.label_}"] * (len(span) - 1)
    return tags


def print_table(results: Dict[str, Dict]) -> None:
    """Print one row a corpus and label, gold tokens beside raw text."""
    rows = []
    for name, result in results.items():
        on_tokens, on_text = result["gold_tokens"], result["raw_text"]
        rows.append((name, "all", *cells(on_tokens), cells(on_text)[2]))
        for label, row in on_tokens["labels"].items():
            rows.append(("", label, *cells(row), cells(on_text["labels"].get(label, figures(0, 0, 0)))[2]))
    header = ("corpus", "label", "precision", "recall", "F1", "F1, raw text")
    msg.table(rows, header=header, divider=True, aligns=("l", "l", "r", "r", "r", "r"))


def cells(row: Dict) -> Tuple[str, str, str]:
    """Return precision, recall and F1 as they are printed."""
    return f"{row['precision']:.2f}", f"{row['recall']:.2f}", f"{row['f1']:.2f}"


def draw(results: Dict[str, Dict], split: str, path: Path) -> None:
    """Draw F1 of each corpus and label on gold tokens as a bar chart."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    bars = []
    for name, result in results.items():
        bars.append((name, result["gold_tokens"]["f1"], "#35618f"))
        labels = result["gold_tokens"]["labels"]
        bars += [(f"{name}: {label}", row["f1"], "#9dbbd8") for label, row in labels.items() if len(labels) > 1]
    figure = Figure(figsize=(8, 1 + 0.32 * len(bars)), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    names = [name.replace("$", r"\$") for name, _, _ in bars]  # what stands between dollar signs would be a formula
    drawn = axes.barh(names, [f1 for _, f1, _ in bars], color=[c for _, _, c in bars])
    axes.bar_label(drawn, fmt="%.1f", padding=3)
    axes.set(xlim=(0, 108), xlabel=f"F1 on {split}, exact match (percent)")
    axes.invert_yaxis()
    figure.savefig(path, dpi=150)
