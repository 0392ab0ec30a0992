"""Raw text as in training: how our tokenizer and sentence splitter reproduce the corpora, beside spaCy's stock ones.

Run ``python benchmarks/raw_text.py CORPORA`` (a folder with ``data`` and ``pubtator``); the last line is one JSON
object, which ``--save`` also writes to ``docs/results/raw_text.json``. Token starts and entity boundaries are compared
with the stock ``en`` tokenizer, sentence starts with the stock ``sentencizer`` on our tokens. Speeds: one thread.
"""

import argparse
import json
import logging
import platform
import time
from pathlib import Path
from typing import Any, Callable, Dict, List, NamedTuple, Set, Tuple

import spacy
from spacy.pipeline import Sentencizer
from spacy.tokens import Doc

from spacy_mtl_bioner.corpora.align import align_sentences
from spacy_mtl_bioner.corpora.conll import read_conll
from spacy_mtl_bioner.corpora.problems import Problems
from spacy_mtl_bioner.corpora.pubtator import read_pubtator
from spacy_mtl_bioner.corpora.schemes import tags_to_spans
from spacy_mtl_bioner.pipeline.sentences import SentenceSplitter
from spacy_mtl_bioner.pipeline.tokenizer import BioTokenizer

SPLITS = (
    ("NCBI-disease-IOB", "train", "NCBIdisease_TrainDev"),
    ("NCBI-disease-IOB", "devel", "NCBIdisease_TrainDev"),
    ("NCBI-disease-IOB", "test", "NCBIdisease_Test"),
    ("BC5CDR-IOB", "test", "BC5CDR_Test"),
)
HOSTILE, SIZE = "a:", 4_000  # characters; the stock tokenizer takes seconds beyond four times as much
LONG = 250_000  # where growth is measured for ours, whose time on less is mostly overhead
RESULT = Path(__file__).resolve().parents[1] / "docs" / "results" / "raw_text.json"
Places = Set[Tuple[str, int]]  # document and character offset


class Gold(NamedTuple):
    """A split of a corpus, placed in its documents."""

    texts: Dict[str, str]
    tokens: Places
    sentences: Places
    first: Places  # of entities
    last: Places


def read_gold(root: Path, folder: str, split: str, texts: str) -> Gold:
    """Read and align a split; only documents that the split has are kept."""
    problems = Problems("raise")
    documents = list(read_pubtator(root / f"pubtator/{texts}.PubTator", problems))
    text = {document.id: document.text for document in documents}
    sentences = list(read_conll(root / f"data/{folder}/{split}.tsv", "IOB2", problems))
    gold = Gold({}, set(), set(), set(), set())
    for sentence in align_sentences(sentences, documents, f"{folder}/{split}.tsv"):
        name, offsets = str(sentence.document), sentence.offsets()
        gold.texts[name] = text[name]
        gold.sentences.add((name, sentence.start))
        gold.tokens.update((name, offset) for offset in offsets)
        for start, end, _ in tags_to_spans(sentence.tags, "IOB2"):
            gold.first.add((name, offsets[start]))
            gold.last.add((name, offsets[end - 1] + len(sentence.words[end - 1])))
    return gold


def compare(label: str, gold: Gold, ours: BioTokenizer, peer: Callable[[str], Doc]) -> List[Dict[str, Any]]:
    """One row a figure."""
    mine = {name: ours(text) for name, text in gold.texts.items()}
    theirs = {name: peer(text) for name, text in gold.texts.items()}
    rows = []
    pair = starts(mine, token=True), starts(theirs, token=True)
    rows += [percent(f"{label} token starts {k}", *(f(gold.tokens, x) for x in pair)) for k, f in MEASURES]
    share = [boundaries(gold, docs) for docs in (mine, theirs)]
    rows.append(percent(f"{label} entity boundaries at token boundaries", *share))
    split, stock = SentenceSplitter(), Sentencizer()
    theirs = {name: stock(ours(text)) for name, text in gold.texts.items()}
    pair = starts({name: split(doc) for name, doc in mine.items()}), starts(theirs)
    rows += [percent(f"{label} sentence starts {k}", *(f(gold.sentences, x) for x in pair)) for k, f in MEASURES]
    return rows


def starts(docs: Dict[str, Doc], token: bool = False) -> Places:
    """Where tokens, or sentences, start; white space is neither."""
    return {(n, t.idx) for n, doc in docs.items() for t in doc if (token or t.is_sent_start) and not t.text.isspace()}


def boundaries(gold: Gold, docs: Dict[str, Doc]) -> float:
    """The share of entity starts that are token starts and of entity ends that are token ends, in percent."""
    ends = {(name, token.idx + len(token)) for name, doc in docs.items() for token in doc}
    met = len(gold.first & starts(docs, token=True)) + len(gold.last & ends)
    return 100 * met / (len(gold.first) + len(gold.last))


MEASURES: Tuple[Tuple[str, Callable[[Places, Places], float]], ...] = (
    ("precision", lambda gold, found: 100 * len(gold & found) / len(found)),
    ("recall", lambda gold, found: 100 * len(gold & found) / len(gold)),
)


def percent(case: str, ours: float, peer: float) -> Dict[str, Any]:
    """One row; more is better."""
    return {"case": case, "ours": round(ours, 4), "peer": round(peer, 4), "unit": "%", "ratio": round(ours / peer, 3)}


def seconds(action: Callable[[], object], rounds: int) -> float:
    """Least time of some rounds."""
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        action()
        times.append(time.perf_counter() - began)
    return min(times)


def speeds(texts: List[str], ours: BioTokenizer, peer: Callable[[str], Doc], rounds: int) -> List[Dict[str, Any]]:
    """Tokens a second on abstracts; the stock tokenizer, which remembers words, has seen them all before."""
    rates = []
    for tokenizer in (ours, peer):
        size = sum(len(tokenizer(text)) for text in texts)
        rates.append(size / seconds(lambda t=tokenizer: [t(text) for text in texts], rounds))
    docs = [ours(text) for text in texts]
    n, split, stock = sum(map(len, docs)), SentenceSplitter(overwrite=True), Sentencizer(overwrite=True)
    paces = [n / seconds(lambda s=s: [s(doc) for doc in docs], rounds) for s in (split, stock)]
    cases = (("tokenizer, abstracts", rates), ("sentences, abstracts", paces))
    return [
        {"case": case, "ours": round(a), "peer": round(b), "unit": "tokens/s", "ratio": round(a / b, 2)}
        for case, (a, b) in cases
    ]


def hostile(ours: BioTokenizer, peer: Callable[[str], Doc], rounds: int) -> List[Dict[str, Any]]:
    """Times on ``a:a:a: ...`` of growing length, and how the time grows when the text grows fourfold (linear: 4)."""
    times: Dict[int, List[float]] = {}
    rows = []
    for size in (SIZE, 2 * SIZE, 4 * SIZE):
        text = HOSTILE * (size // len(HOSTILE))
        a, b = times[size] = [1e3 * seconds(lambda t=t: t(text), 1 if t is peer else rounds) for t in (ours, peer)]
        case = f"tokenizer, {size:,} characters {HOSTILE * 3}..."
        rows.append({"case": case, "ours": round(a, 3), "peer": round(b, 3), "unit": "ms", "ratio": round(b / a, 1)})
    long = [HOSTILE * (size // len(HOSTILE)) for size in (LONG, 4 * LONG)]
    short_time, long_time = (seconds(lambda text=text: ours(text), rounds) for text in long)
    a, b = long_time / short_time, times[4 * SIZE][1] / times[SIZE][1]
    case = f"growth of time, 4 times {HOSTILE * 3}..."
    return rows + [{"case": case, "ours": round(a, 2), "peer": round(b, 2), "unit": "times", "ratio": round(b / a, 2)}]


def main() -> None:
    """Measure, print a table, print the JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpora", type=Path, help="folder with data/ and pubtator/")
    parser.add_argument("--rounds", type=int, default=5, help="how often a speed is measured (default: %(default)s)")
    parser.add_argument("--save", action="store_true", help=f"write the result to docs/results/{RESULT.name}")
    options = parser.parse_args()
    logging.getLogger("spacy_mtl_bioner").setLevel(logging.ERROR)  # the texts' known oddities
    nlp = spacy.blank("en")
    ours, results, texts = BioTokenizer(nlp.vocab), [], {}
    for folder, split, file in SPLITS:
        gold = read_gold(options.corpora, folder, split, file)
        texts.update(gold.texts)
        results += compare(f"{folder.removesuffix('-IOB')} {split}", gold, ours, nlp.tokenizer)
    results += speeds(list(texts.values()), ours, nlp.tokenizer, options.rounds)
    results += hostile(ours, nlp.tokenizer, options.rounds)
    print(f"{'case':<62}{'ours':>13}{'peer':>13}  {'unit':<9}{'ratio':>8}")
    for row in results:
        print(f"{row['case']:<62}{row['ours']:>13,}{row['peer']:>13,}  {row['unit']:<9}{row['ratio']:>8}")
    versions = {"python": platform.python_version(), "spacy": spacy.__version__}
    report = json.dumps({"benchmark": "raw_text", "threads": 1, "versions": versions, "results": results})
    if options.save:
        RESULT.parent.mkdir(parents=True, exist_ok=True)
        RESULT.write_text(report + "\n", encoding="utf-8")
    print(report)


if __name__ == "__main__":
    main()
