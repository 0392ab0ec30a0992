"""What each way of revising entities does to F1 on whole documents, off and on, and what it costs.

Run ``python benchmarks/postprocess.py MODEL CORPORA`` with a pipeline that knows NCBI-disease and BC5CDR, and a folder
with ``data/`` and ``pubtator/``; the last line is one JSON object, which ``--save`` also writes to
``docs/results/postprocess.json`` (``postprocess_devel.json``). The model tags each set once, from raw text; then each
case revises the same documents. Entities match where first character, last character and label are those of the gold.

On devel, where settings are chosen, BC5CDR has no texts at hand: its sentences stand for documents by nines, which is
their mean, as gold tokens. ``--split test`` scores the documents of both test sets.
"""

import logging
import time
from pathlib import Path
from typing import Any, Dict, Iterator, List, Sequence, Set, Tuple

import spacy
from report import Row, arguments, one_thread, publish, row
from spacy.language import Language
from spacy.tokens import Doc, DocBin

from spacy_mtl_bioner.corpora.align import align_sentences
from spacy_mtl_bioner.corpora.conll import read_conll
from spacy_mtl_bioner.corpora.problems import Problems
from spacy_mtl_bioner.corpora.pubtator import read_pubtator
from spacy_mtl_bioner.corpora.schemes import tags_to_spans
from spacy_mtl_bioner.pipeline.groups import read_groups, write_groups
from spacy_mtl_bioner.pipeline.scorer import Counts, Found, offsets

Gold = List[Tuple[Doc, Found]]  # documents to tag, and their entities
Steps = Sequence[Tuple[str, Dict[str, Any]]]  # components with their settings

SENTENCES = 9  # of a document of BC5CDR, on average
FINDER = {"@misc": "spacy_mtl_bioner.ScispacyAbbreviations.v1"}
DISEASES = {"Modifier", "SpecificDisease", "DiseaseClass", "CompositeMention"}
ANY = {"minimum_score": 0.0}
CASES: Dict[str, Steps] = {
    "brackets": [("mtl_brackets", {})],
    "brackets, only shrinking": [("mtl_brackets", {"grow": 0})],
    "abbreviations": [("mtl_abbreviations", {})],
    "abbreviations, any score": [("mtl_abbreviations", ANY)],
    "abbreviations by scispacy": [("mtl_abbreviations", {"finder": FINDER})],
    "consistency": [("mtl_consistency", {})],
    "consistency, any score": [("mtl_consistency", ANY)],
    "consistency, half of the occurrences": [("mtl_consistency", {"minimum_share": 0.5})],
    "consistency, any case": [("mtl_consistency", {"attr": "LOWER"})],
    "brackets, abbreviations, consistency": [("mtl_brackets", {}), ("mtl_abbreviations", {}), ("mtl_consistency", {})],
}
POLICIES: Dict[str, Dict[str, Any]] = {
    "score": {"@misc": "spacy_mtl_bioner.MergeByScore.v1"},
    "longest": {"@misc": "spacy_mtl_bioner.MergeLongest.v1"},
    "vote": {"@misc": "spacy_mtl_bioner.MergeByVote.v1"},
    "vote of two": {"@misc": "spacy_mtl_bioner.MergeByVote.v1", "minimum": 2},
    "priority of its own corpus": {"@misc": "spacy_mtl_bioner.MergeByPriority.v1"},
}


def from_texts(nlp: Language, path: Path, keep: Set[str]) -> Gold:
    """Documents of a PubTator file from raw text; all, or those whose ids are in ``keep``."""
    gold: Gold = []
    for document in read_pubtator(path, Problems("skip")):
        if not keep or document.id in keep:
            labels = ("Disease" if m.label in DISEASES else m.label for m in document.mentions)
            found = {(m.start, m.end, label) for m, label in zip(document.mentions, labels)}
            gold.append((nlp.make_doc(document.text), found))
    return gold


def from_sentences(nlp: Language, path: Path) -> Gold:
    """Sentences of a CoNLL file by nines."""
    sentences = list(read_conll(path, "IOB2", Problems("skip")))
    gold: Gold = []
    for i in range(0, len(sentences), SENTENCES):
        words = [word for sentence in sentences[i : i + SENTENCES] for word in sentence.words]
        starts = [k == 0 for sentence in sentences[i : i + SENTENCES] for k in range(len(sentence.words))]
        tags = [tag for sentence in sentences[i : i + SENTENCES] for tag in sentence.tags]
        doc = Doc(nlp.vocab, words=words, sent_starts=starts)
        spans = [doc[start:end] for start, end, _ in tags_to_spans(tags, "IOB2")]
        labels = [label for _, _, label in tags_to_spans(tags, "IOB2")]
        gold.append((doc, {(span.start_char, span.end_char, label) for span, label in zip(spans, labels)}))
    return gold


def devel_ids(root: Path) -> Set[str]:
    """The documents of NCBI-disease's devel set."""
    documents = list(read_pubtator(root / "pubtator/NCBIdisease_TrainDev.PubTator", Problems("skip")))
    sentences = list(read_conll(root / "data/NCBI-disease-IOB/devel.tsv", "IOB2", Problems("skip")))
    return {str(sentence.document) for sentence in align_sentences(sentences, documents)}


def read_gold(nlp: Language, root: Path, split: str) -> Dict[str, Gold]:
    """Each corpus' documents."""
    texts = root / "pubtator"
    if split == "test":
        files = {"NCBI-disease": "NCBIdisease_Test.PubTator", "BC5CDR": "BC5CDR_Test.PubTator"}
        return {corpus: from_texts(nlp, texts / file, set()) for corpus, file in files.items()}
    ncbi = from_texts(nlp, texts / "NCBIdisease_TrainDev.PubTator", devel_ids(root))
    return {"NCBI-disease": ncbi, "BC5CDR": from_sentences(nlp, root / "data/BC5CDR-IOB/devel.tsv")}


def score(golds: Sequence[Found], founds: Sequence[Found]) -> Dict[str, float]:
    """Precision, recall and F1 in percent, with counts."""
    counts = Counts()
    for gold, found in zip(golds, founds):
        counts.add(found, gold)
    total = counts.all
    measures = {"precision": total.precision, "recall": total.recall, "f1": total.fscore}
    shares = {name: 100 * value for name, value in measures.items()}
    return {**shares, "found": total.tp + total.fp, "right": total.tp}


def copies(nlp: Language, data: bytes) -> Iterator[Doc]:
    """The tagged documents afresh."""
    return DocBin().from_bytes(data).get_docs(nlp.vocab)


def revised(nlp: Language, steps: Steps, docs: List[Doc]) -> Tuple[List[Doc], float]:
    """Documents after the components, and the microseconds that they took a token (the merging anew included)."""
    chain = spacy.blank("en", vocab=nlp.vocab)
    pipes = [chain.add_pipe(factory, config=settings) for factory, settings in steps]
    began = time.process_time()
    for pipe in pipes:
        docs = list(pipe.pipe(docs))
    return docs, 1e6 * (time.process_time() - began) / max(1, sum(map(len, docs)))


def compare(nlp: Language, corpus: str, gold: Gold) -> Iterator[Row]:
    """A row a case: F1 with it beside F1 without. All corpora tag; those of ``corpus`` count."""
    tagged = list(nlp.pipe([doc for doc, _ in gold]))
    data = DocBin(store_user_data=True, docs=tagged).to_bytes()
    wanted = [found for _, found in gold]
    plain = [offsets(doc.spans[corpus]) for doc in tagged]
    before = score(wanted, plain)
    for case, steps in CASES.items():
        docs, cost = revised(nlp, steps, list(copies(nlp, data)))
        found = [offsets(doc.spans[corpus]) for doc in docs]
        more = {"us_per_token": round(cost, 2), **changes(wanted, plain, found)}
        yield figures(f"{corpus}, {case}", score(wanted, found), before, **more)
    yield from policies(corpus, tagged, wanted)


def changes(wanted: Sequence[Found], before: Sequence[Found], after: Sequence[Found]) -> Dict[str, int]:
    """How many entities came and went, and how many of these rightly."""
    sets = list(zip(wanted, before, after))
    came, went = sum(len(b - a) for _, a, b in sets), sum(len(a - b) for _, a, b in sets)
    right, wrong = sum(len((b - a) & w) for w, a, b in sets), sum(len((a - b) - w) for w, a, b in sets)
    return {"added": came, "of_these_right": right, "removed": went, "of_these_wrong": wrong}


def policies(corpus: str, docs: Sequence[Doc], wanted: Sequence[Found]) -> Iterator[Row]:
    """Diseases of all corpora merged by each policy, beside those of the corpus alone."""
    wanted = [diseases(found) for found in wanted]
    before = score(wanted, [diseases(offsets(doc.spans[corpus])) for doc in docs])
    for name, setting in POLICIES.items():
        mine = {"priority": [corpus]} if "Priority" in setting["@misc"] else {}
        merge = spacy.registry.resolve({"merge": {**setting, **mine}})["merge"]
        for doc in docs:
            write_groups(doc, read_groups(doc), merge)
        merged = [diseases(offsets(doc.ents)) for doc in docs]
        yield figures(f"{corpus}, diseases of all corpora by {name}", score(wanted, merged), before)


def diseases(found: Found) -> Found:
    """Those that are diseases."""
    return {entity for entity in found if entity[2] == "Disease"}


def figures(case: str, after: Dict[str, float], before: Dict[str, float], **more: Any) -> Row:
    """One row."""
    pair = {"precision": round(after["precision"], 2), "recall": round(after["recall"], 2)}
    return row(case, after["f1"], before["f1"], "F1", digits=2, more_is_better=True, peer_name="off", **pair, **more)


def main() -> None:
    """Measure, print a table, print the JSON line."""
    one_thread()
    parser = arguments(__doc__, rounds=1)
    parser.add_argument("model", help="trained pipeline")
    parser.add_argument("corpora", type=Path, help="folder with data/ and pubtator/")
    parser.add_argument("--split", choices=("devel", "test"), default="devel", help="default: %(default)s")
    options = parser.parse_args()
    nlp = spacy.load(options.model)
    results: List[Row] = []
    logging.getLogger("spacy_mtl_bioner").setLevel(logging.ERROR)  # the texts' known oddities
    for corpus, gold in read_gold(nlp, options.corpora, options.split).items():
        results += compare(nlp, corpus, gold)
    name = "postprocess" if options.split == "test" else "postprocess_devel"
    publish(name, results, ("spacy", "torch"), options.save, split=options.split)


if __name__ == "__main__":
    main()
