"""A corpus of the catalogue to DocBins, one a split, and what is in them."""

import json
from collections import Counter
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Callable, Collection, Dict, Iterable, List, Mapping, Optional, Sequence, Tuple

from spacy.language import Language
from spacy.tokens import Doc

from ..durable import make_folder, write_text
from ..errors import E011, E015, E017, E019, E021, E022, MTLError
from ..types import Document, Sentence
from .align import align_sentences
from .catalogue import CONLL, SPLITS, CorpusEntry
from .conll import read_conll
from .documents import sentences_to_docs, write_docbin
from .formats import read_documents, read_texts
from .mentions import SCHEME, documents_to_sentences
from .problems import Problems
from .retokenize import retokenize
from .schemes import get_scheme
from .select import keep_labels, map_labels, sample, split_off

DEVEL_SHARE = 0.1
"""Of the training documents, for a corpus without a devel split."""
ALL = "all"

Splits = Dict[str, List[Sentence]]


@dataclass(frozen=True)
class Options:
    """How to convert. ``scheme``: of the files, instead of the catalogue's. ``labels``: those to keep; the rest becomes
    Outside. ``share``: of the training sentences, drawn with ``seed``. ``merge_devel``: train holds devel too, which is
    still written. ``align``: stand-off files that a token-per-line corpus gets its documents and spaces back from, by
    split (or ``"all"``). ``retokenize``: words are split as the pipeline's tokenizer does."""

    scheme: Optional[str] = None
    labels: Optional[Sequence[str]] = None
    share: float = 1.0
    seed: int = 0
    merge_devel: bool = False
    align: Mapping[str, Sequence[Path]] = field(default_factory=dict)
    retokenize: bool = False


def convert_corpus(
    entry: CorpusEntry,
    source_dir: Path,
    output_dir: Path,
    nlp: Language,
    options: Options = Options(),
    problems: Optional[Problems] = None,
    progress: Callable[[str], Any] = lambda split: None,
) -> Dict[str, Any]:
    """Write ``output_dir/<corpus>/<split>.spacy`` and ``report.json``, and return the report. Splits of an earlier
    conversion that this one does not make are removed.

    ``nlp`` gives tokens and sentences to stand-off corpora and splits words for ``retokenize``. ``progress`` is called
    with each split that is about to be read. The report has, a split, the numbers of ``count``, and what ``problems``
    counted so far. Raises MTLError for an option that the corpus cannot serve (MTL015, MTL017, MTL019), a missing file
    (MTL011), a train split too small to give a devel split (MTL021) or empty (MTL022), an output that is a file
    (MTL182) or cannot be written (MTL402), and whatever the readers find.
    """
    problems = problems or Problems()
    _check(entry, options)
    make_folder(output_dir / entry.name)
    kept = tuple(label for label in entry.labels if options.labels is None or label in options.labels)
    documents = lru_cache(lambda path: list(read_texts(path, problems)))
    splits: Splits = {}
    for split, name in entry.splits.items():
        progress(split)
        path = source_dir / entry.folder / name
        if not path.exists():
            raise MTLError(E011(path=path, corpus=entry.name, split=split))
        sentences = list(_read(entry, split, path, nlp, options, kept, problems))
        sentences = _align(sentences, path, split, options, documents, problems)
        splits[split] = _retokenize(sentences, path, entry, nlp, problems) if options.retokenize else sentences
    if len(kept) < len(entry.labels):
        splits = {split: list(keep_labels(sentences, kept, SCHEME)) for split, sentences in splits.items()}
    train = source_dir / entry.folder / entry.splits["train"]
    if "devel" not in splits and len(splits["train"]) == 1:
        raise MTLError(E021(corpus=entry.name, path=train))
    splits = _arrange(splits, options)
    if not splits["train"]:
        left_out = f" ({problems.summary()})" if problems.summary() else ""
        raise MTLError(E022(path=train, corpus=entry.name, left_out=left_out))
    counts = {}
    (output_dir / entry.name / "report.json").unlink(missing_ok=True)  # without it the splits are not all of one kind
    for split in set(SPLITS).difference(splits):
        (output_dir / entry.name / f"{split}.spacy").unlink(missing_ok=True)
    for split, sentences in splits.items():
        docs = list(sentences_to_docs(sentences, nlp.vocab, entry.name, _scheme(entry)))
        write_docbin(docs, output_dir / entry.name / f"{split}.spacy", entry.kind)
        counts[split] = count(docs, kept if entry.kind == "spans" else ())
    report = {
        "corpus": entry.name,
        "kind": entry.kind,
        "labels": {label: entry.labels[label] for label in kept},
        "options": {**asdict(options), "align": {s: [str(p) for p in files] for s, files in options.align.items()}},
        "splits": counts,
        "problems": {"left_out": dict(problems.skipped), "warnings": dict(problems.warned)},
    }
    write_text(output_dir / entry.name / "report.json", json.dumps(report, indent=1, ensure_ascii=False) + "\n")
    return report


def count(docs: Iterable[Doc], labels: Sequence[str]) -> Dict[str, Any]:
    """Return the numbers of documents (``None`` where the source does not tell them), sentences and tokens (white space
    is none), and of entities a label: all of ``labels``, in their order."""
    documents, sentences, tokens = 0, 0, 0
    entities = Counter({label: 0 for label in labels})
    for doc in docs:
        documents += doc._.document is not None
        sentences += sum(bool(token.is_sent_start) for token in doc)
        tokens += len(doc) if doc.has_unknown_spaces else sum(not token.is_space for token in doc)
        entities.update(ent.label_ for ent in doc.ents)
    return {"documents": documents or None, "sentences": sentences, "tokens": tokens, "entities": dict(entities)}


def _scheme(entry: CorpusEntry) -> Optional[str]:
    return SCHEME if entry.kind == "spans" else None


def _check(entry: CorpusEntry, options: Options) -> None:
    """Raise MTLError for an option that makes no sense, or none for this corpus."""
    if not 0 < options.share <= 1:
        raise MTLError(E017(option="--share", found=options.share, expected="a number above 0, up to 1"))
    for split in options.align:
        if split not in (ALL, *entry.splits):
            expected = ", ".join(f"{name}=FILE" for name in entry.splits)
            raise MTLError(E017(option="--align", found=f"{split}=...", expected=f"FILE, or one of {expected}"))
    if options.scheme is not None:
        get_scheme(options.scheme)
    for label in options.labels or ():
        if label not in entry.labels:
            raise MTLError(E015(corpus=entry.name, label=label, known=", ".join(entry.labels)))
    token_per_line = entry.format == CONLL, f"of format {entry.format}", "a token-per-line corpus"
    of_spans = entry.kind == "spans", f"of kind {entry.kind}", "one of kind spans"
    needs = {
        "--align": (bool(options.align), token_per_line),
        "--scheme": (options.scheme is not None, token_per_line),
        "--labels": (options.labels is not None, of_spans),
    }
    for option, (used, (served, found, expected)) in needs.items():
        if used and not served:
            raise MTLError(E019(corpus=entry.name, found=found, option=option, expected=expected))


def _read(
    entry: CorpusEntry,
    split: str,
    path: Path,
    nlp: Language,
    options: Options,
    kept: Collection[str],
    problems: Problems,
) -> Iterable[Sentence]:
    """The sentences of a split's file, spans tagged in ``SCHEME`` with the catalogue's labels, of stand-off formats
    those that are ``kept``, which lose nothing to others that overlap them."""
    labels = entry.known_labels()
    if entry.format != CONLL:
        asked = [label for label, used in labels.items() if used in kept]
        documents = read_documents(path, problems, entry.format, asked)
        return documents_to_sentences(documents, nlp, path, problems, labels, SCHEME, kept)
    if entry.kind == "tags":
        sentences = read_conll(path, None, problems, labels)
        return (replace(sentence, tags=[labels[tag] for tag in sentence.tags]) for sentence in sentences)
    scheme = options.scheme or entry.scheme
    alike = len({Path(name).stem for name in entry.splits.values()}) < len(entry.splits)
    sentences = read_conll(path, scheme, problems, labels, split if alike else None)
    return map_labels(sentences, labels, scheme, SCHEME)


def _align(
    sentences: List[Sentence],
    path: Path,
    split: str,
    options: Options,
    documents: Callable[[Path], List[Document]],
    problems: Problems,
) -> List[Sentence]:
    """Documents and spaces back, where there are files for the split; where that fails and errors are skipped, the
    sentences as they were, which is counted as ``split without documents``: nothing is left out."""
    files = [*options.align.get(ALL, ()), *options.align.get(split, ())]
    if not files:
        return sentences
    try:
        return list(align_sentences(sentences, [found for file in files for found in documents(file)], str(path)))
    except MTLError as error:
        if problems.on_error == "raise":
            raise
        why = "it does not fit --align" + (", maybe without what was left out" if problems.skipped else "")
        message = f"{path}: the split {split!r} keeps no documents and no spaces, for {why}: {error}"
        problems.warn("split without documents", message)
    return sentences


def _retokenize(
    sentences: Iterable[Sentence], path: Path, entry: CorpusEntry, nlp: Language, problems: Problems
) -> List[Sentence]:
    """Words split as the pipeline's tokenizer does, each distinct word once."""

    @lru_cache(maxsize=None)
    def split(word: str) -> Tuple[str, ...]:
        return tuple(token.text for token in nlp.tokenizer(word))

    made = []
    for sentence in sentences:
        try:
            made.append(retokenize(sentence, lambda word: list(split(word)), _scheme(entry), path))
        except MTLError as error:
            problems.error(str(error))
    return made


def _arrange(splits: Splits, options: Options) -> Splits:
    """Make a devel split where there is none, merge it into train and draw the share of train, where asked for."""
    train, devel = splits["train"], splits.get("devel")
    if devel is None:
        train, devel = split_off(train, DEVEL_SHARE, options.seed)
    if options.merge_devel:
        train = train + devel
    if options.share < 1:
        train = sample(train, options.share, options.seed)
    made = {**splits, "train": train, "devel": devel}
    return {split: made[split] for split in SPLITS if split in made}
