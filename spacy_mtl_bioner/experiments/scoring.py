"""Scores of a trained pipeline on a split, and the counts behind them, unit by unit, for bootstraps."""

from pathlib import Path
from typing import Any, Dict, List, Tuple

from spacy.language import Language
from spacy.training import Example

from ..pipeline.scorer import found_entities, mtl_score, offsets
from ..training.reader import create_multi_corpus

Counts = List[Tuple[int, int, int]]
"""True positives, false positives and false negatives of each unit."""

LEAST_DOCUMENTS = 20
"""With fewer units a bootstrap takes noise for a difference: of 5 every fifth time at p < 0.05, of 30 every
seventeenth."""


def evaluate(nlp: Language, corpus: str, path: Path, reader: Dict[str, Any]) -> Tuple[Dict[str, float], List[Example]]:
    """Return percent precision, recall and F1 of a split (accuracy for a corpus of tags), and its tagged examples.

    reader: settings of ``MultiCorpus`` beside its paths.
    """
    examples = list(create_multi_corpus({corpus: path}, **reader)(nlp))
    for example, doc in zip(examples, nlp.pipe([example.predicted for example in examples])):
        example.predicted = doc
    scores = mtl_score(examples)
    names = {"precision": "p", "recall": "r", "f1": "f", "accuracy": "acc"}
    found = {name: scores.get(f"mtl_{corpus}_{short}") for name, short in names.items()}
    return {name: round(100 * value, 2) for name, value in found.items() if value is not None}, examples


def count_units(examples: List[Example], corpus: str) -> Tuple[str, Counts]:
    """Return ``"document"`` or ``"sentence"`` and the counts of each: documents where every example tells its own, and
    there are at least ``LEAST_DOCUMENTS``."""
    documents = [example.reference._.document for example in examples]
    known = None not in documents and len(set(documents)) >= LEAST_DOCUMENTS
    units: Dict[Any, List[int]] = {}
    for number, (example, document) in enumerate(zip(examples, documents)):
        gold, found = offsets(example.reference.ents), found_entities(example, corpus)
        counts = units.setdefault(document if known else number, [0, 0, 0])
        for i, added in enumerate((gold & found, found - gold, gold - found)):
            counts[i] += len(added)
    return "document" if known else "sentence", [(tp, fp, fn) for tp, fp, fn in units.values()]
