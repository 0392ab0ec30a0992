"""How a trained pipeline does on the splits of its corpora: on gold tokens, and on raw text as a user has it."""

from pathlib import Path
from typing import Any, Dict, Iterable, List, Sequence, Tuple

from spacy.language import Language
from spacy.scorer import PRFScore
from spacy.tokens import Doc

from ..corpora.documents import bare_copy, read_docbin
from ..errors import E174, MTLError
from ..pipeline.scorer import Counts, Found, offsets

SPLIT = "a split that 'mtl-bioner convert' wrote (--corpora names the corpora to score)"
SENTENCES = {"doc.sents", "token.is_sent_start"}


def evaluate_corpus(nlp: Language, gold: Sequence[Doc], corpus: str, component: str) -> Tuple[Dict[str, Any], str]:
    """Tag the documents of a corpus by its own head and return its scores, and seqeval's report on gold tokens."""
    on_tokens = predict(nlp, [bare_copy(doc) for doc in gold], corpus, component, gold_sentences=True)
    on_text = predict(nlp, [doc.text for doc in gold], corpus, component, gold_sentences=False)
    wanted = [offsets(doc.ents) for doc in gold]
    scores = {
        "documents": len(gold),
        "gold_tokens": score(wanted, [offsets(doc.spans[corpus]) for doc in on_tokens]),
        "raw_text": score(wanted, [offsets(doc.spans[corpus]) for doc in on_text]),
    }
    return scores, strict_report(gold, on_tokens, corpus)


def check_split(path: Path) -> None:
    """Raise MTL174 where a split is not there, before any time is spent on others."""
    if not path.exists():
        raise MTLError(E174(path=path, reason="no such file", expected=SPLIT))


def read_split(path: Path, nlp: Language) -> List[Doc]:
    """Return the gold documents of a converted split. Raises MTL174 where there is none, and as ``read_docbin``."""
    docs = read_docbin(path, nlp.vocab)
    if not docs:
        raise MTLError(E174(path=path, reason="no document", expected=SPLIT))
    return docs


def predict(
    nlp: Language, texts: Sequence[Any], corpus: str, component: str, *, gold_sentences: bool
) -> List[Doc]:
    """Tag texts or documents with one corpus' head; ``gold_sentences`` leaves out components that set sentences and
    nothing that the head may need (a parser keeps to boundaries that are there)."""
    assigned = {name: set(nlp.get_pipe_meta(name).assigns) for name in nlp.pipe_names if name != component}
    splitters = [name for name, found in assigned.items() if found & SENTENCES and "token.dep" not in found]
    settings = {component: {"corpora": [corpus]}}
    disable = splitters if gold_sentences else []
    return list(nlp.pipe(texts, disable=disable, component_cfg=settings))


def score(gold: Iterable[Found], found: Iterable[Found]) -> Dict[str, Any]:
    """Return precision, recall, F1 (percent) and counts: micro over all labels, and under ``labels`` each label."""
    counts = Counts()
    for wanted, got in zip(gold, found):
        counts.add(got, wanted)
    return {**figures(counts.all), "labels": {label: figures(one) for label, one in sorted(counts.labels.items())}}


def figures(counted: PRFScore) -> Dict[str, float]:
    """Return precision, recall and F1 in percent (0 where undefined) beside the counts they are from."""
    measures = {"precision": counted.precision, "recall": counted.recall, "f1": counted.fscore}
    counts = {"gold": counted.tp + counted.fn, "found": counted.tp + counted.fp, "right": counted.tp}
    return {**{name: round(100 * value, 2) for name, value in measures.items()}, **counts}


def strict_report(gold: Sequence[Doc], found: Sequence[Doc], corpus: str) -> str:
    """Return seqeval's classification report in strict IOB2 mode, or a line that says that there is no entity at all,
    which seqeval cannot report. The documents must share their tokens."""
    from seqeval.metrics import classification_report
    from seqeval.scheme import IOB2

    wanted = [iob2(doc, doc.ents) for doc in gold]
    got = [iob2(doc, doc.spans[corpus]) for doc in found]
    if not any(doc.ents for doc in gold) and not any(doc.spans[corpus] for doc in found):
        return "no entity in the gold, and none found\n"
    return classification_report(wanted, got, mode="strict", scheme=IOB2, digits=4, zero_division=0)


def iob2(doc: Doc, spans: Iterable) -> List[str]:
    """Return one IOB2 tag a token for spans that do not overlap."""
    tags = ["O"] * len(doc)
    for span in spans:
        tags[span.start : span.end] = [f"B-{span.label_}"] + [f"I-{span.label_}"] * (len(span) - 1)
    return tags
