"""Raw text as in training: how our tokenizer and sentence splitter reproduce the corpora, beside spaCy's stock ones.

Run ``python benchmarks/raw_text.py CORPORA`` (a folder with ``data`` and ``pubtator``); the last line is one JSON
object, which ``--save`` also writes to ``docs/results/raw_text.json``. Token starts and entity boundaries are compared
with the stock ``en`` tokenizer, sentence starts with the stock ``sentencizer`` on our tokens. Speeds: one thread.
"""

import logging
from pathlib import Path
from typing import Callable, Dict, List, NamedTuple, Set, Tuple

import spacy
from report import Row, arguments, least, one_thread, publish, rates, row
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


def compare(label: str, gold: Gold, ours: BioTokenizer, peer: Callable[[str], Doc]) -> List[Row]:
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


def percent(case: str, ours: float, peer: float) -> Row:
    """One row; more is better."""
    return row(case, ours, peer, "%", digits=4, more_is_better=True)


def speeds(texts: List[str], ours: BioTokenizer, peer: Callable[[str], Doc], rounds: int) -> List[Row]:
    """Tokens a second on abstracts, each side's own; the stock tokenizer, which remembers words, knows them."""
    sizes = [sum(len(tokenizer(text)) for text in texts) for tokenizer in (ours, peer)]
    times = least(rounds, *(lambda t=tokenizer: [t(text) for text in texts] for tokenizer in (ours, peer)))
    docs = [ours(text) for text in texts]
    split, stock = SentenceSplitter(overwrite=True), Sentencizer(overwrite=True)
    paces = least(rounds, *(lambda s=splitter: [s(doc) for doc in docs] for splitter in (split, stock)))
    per_second = [size / spent for size, spent in zip(sizes, times)]
    name, unit, better = "tokenizer, abstracts", "tokens/s", {"digits": 0, "more_is_better": True}
    return [row(name, *per_second, unit, **better), rates("sentences, abstracts", sizes[0], *paces)]


def hostile(ours: BioTokenizer, peer: Callable[[str], Doc], rounds: int) -> List[Row]:
    """Times on ``a:a:a: ...`` of growing length, and how the time grows when the text grows fourfold (linear: 4)."""
    times: Dict[int, List[float]] = {}
    rows = []
    for size in (SIZE, 2 * SIZE, 4 * SIZE):
        text = HOSTILE * (size // len(HOSTILE))
        (mine,) = least(rounds, lambda text=text: ours(text))
        (theirs,) = least(1, lambda text=text: peer(text))  # seconds; once is enough
        times[size] = [1e3 * mine, 1e3 * theirs]
        case = f"tokenizer, {size:,} characters {HOSTILE * 3}..."
        rows.append(row(case, *times[size], "ms", digits=3, more_is_better=False))
    long = [HOSTILE * (size // len(HOSTILE)) for size in (LONG, 4 * LONG)]
    short_time, long_time = least(rounds, *(lambda text=text: ours(text) for text in long))
    grown = long_time / short_time, times[4 * SIZE][1] / times[SIZE][1]
    return rows + [row(f"growth of time, 4 times {HOSTILE * 3}...", *grown, "times", digits=2, more_is_better=False)]


def main() -> None:
    """Measure, print a table, print the JSON line."""
    one_thread()
    parser = arguments(__doc__, rounds=5)
    parser.add_argument("corpora", type=Path, help="folder with data/ and pubtator/")
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
    publish("raw_text", results, ("spacy",), options.save)


if __name__ == "__main__":
    main()
