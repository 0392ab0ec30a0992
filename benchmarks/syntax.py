"""Score a tagger with parser and a chunker on the test splits of the treebanks, on gold words and sentences.

    python benchmarks/syntax.py --corpora corpus --tagger-parser training/tagger_parser/model-best \\
        --chunker training/chunker/model-best --save

``--corpora`` is the folder that ``mtl-bioner treebank`` wrote. Tag accuracy counts all tokens of our tokenizer; UAS and
LAS leave punctuation out, as spaCy's scorer does, and are given where the treebank has a parse; chunks are scored as
conlleval does (exact span and type, micro), by seqeval. Each result is printed and, with ``--save``, replaces the one
of the same system and treebank in ``docs/results/syntax.json``.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any, Dict, List

from spacy_mtl_bioner.experiments.circumstances import circumstances

RESULTS = Path(__file__).resolve().parents[1] / "docs" / "results" / "syntax.json"


def main() -> None:
    """Score what is given on each treebank's test split."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpora", type=Path, required=True, help="folder that mtl-bioner treebank wrote")
    parser.add_argument("--tagger-parser", type=Path, help="pipeline of configs/syntax/tagger_parser.cfg, or another")
    parser.add_argument("--chunker", type=Path, help="pipeline of configs/syntax/chunker.cfg")
    parser.add_argument("--results", type=Path, default=RESULTS, help="file that --save writes (default: %(default)s)")
    parser.add_argument("--save", action="store_true", help="write the results")
    options = parser.parse_args()
    records: List[Dict[str, Any]] = []
    for system, model, score in (
        ("tagger_parser", options.tagger_parser, score_tags_and_parse),
        ("chunker", options.chunker, score_chunks),
    ):
        for path in sorted((options.corpora / "syntax" / "test").glob("*.spacy")) if model else []:
            records.append(record(system, model, path, score))
            print(json.dumps(records[-1]))
    if options.save:
        save(records, options.results)


def record(system: str, model: Path, path: Path, score: Any) -> Dict[str, Any]:
    """The scores of a pipeline on a treebank, with how it was trained and where it was scored."""
    import spacy

    nlp = spacy.load(model)
    training = nlp.config.interpolate()["training"]
    how = {"seed": training["seed"], "max_steps": training["max_steps"], "chosen": "model-best: highest on devel"}
    train = f"spacy train configs/syntax/{system}.cfg"
    command = "benchmarks/syntax.py " + " ".join(word for word in sys.argv[1:] if word.startswith("--"))
    figures = score(nlp, path)
    return {
        "system": system,
        "corpus": path.stem,
        "split": "test",
        **figures,
        **how,
        "train": train,
        "command": command,
        **circumstances(),
    }


def examples_of(nlp: Any, path: Path) -> List[Any]:
    """The treebank's sentences, on which the pipeline has run."""
    from spacy.training import Example
    from tqdm import tqdm

    from spacy_mtl_bioner.training.reader import MultiCorpus

    read = list(MultiCorpus({path.stem: path}, own_corpus=False)(nlp))
    predicted = nlp.pipe(tqdm([example.predicted for example in read], desc=path.stem, disable=None))
    return [Example(doc, example.reference) for doc, example in zip(predicted, read)]


def score_tags_and_parse(nlp: Any, path: Path) -> Dict[str, Any]:
    """Percent of right tags, heads (UAS) and heads with relations (LAS)."""
    from spacy.scorer import Scorer

    examples = examples_of(nlp, path)
    scores = Scorer.score_token_attr(examples, "tag")
    if any(example.reference.has_annotation("DEP") for example in examples):
        scores.update(Scorer.score_deps(examples, "dep", ignore_labels=("p", "punct")))
    figures = {name: scores.get(name) for name in ("tag_acc", "dep_uas", "dep_las")}
    return {**sizes(examples), **{name: round(100 * value, 2) for name, value in figures.items() if value is not None}}


def score_chunks(nlp: Any, path: Path) -> Dict[str, Any]:
    """Percent of precision, recall and F1 of chunks, as conlleval counts."""
    from seqeval.metrics import f1_score, precision_score, recall_score

    examples = examples_of(nlp, path)
    gold = [[token._.chunk for token in example.reference] for example in examples]
    found = [[token._.chunk for token in example.predicted] for example in examples]
    measures = {"precision": precision_score, "recall": recall_score, "f1": f1_score}
    figures = {f"chunk_{name}": round(100 * measure(gold, found), 2) for name, measure in measures.items()}
    return {**sizes(examples), **figures}


def sizes(examples: List[Any]) -> Dict[str, int]:
    """How much was scored."""
    return {"sentences": len(examples), "tokens": sum(len(example.reference) for example in examples)}


def save(records: List[Dict[str, Any]], path: Path) -> None:
    """Replace the records of the same systems and treebanks."""
    old = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    new = {(record["system"], record["corpus"]) for record in records}
    kept = [record for record in old if (record["system"], record["corpus"]) not in new]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([*kept, *records], indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
