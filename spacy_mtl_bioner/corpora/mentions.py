"""Documents with stand-off mentions to sentences, by the tokens and sentences that a given pipeline finds."""

from bisect import bisect_left
from pathlib import Path
from typing import Collection, Dict, Iterable, Iterator, List, Mapping, Optional

from spacy.language import Language
from spacy.tokens import Doc

from ..errors import E012, E013, E018, E020, E043, MTLError
from ..types import Document, Mention, Sentence, TokenSpan
from .documents import cut
from .problems import Problems
from .schemes import SchemeLike
from .standoff import said_of, shortened

SCHEME = "IOB2"
"""The scheme between reading and writing; a DocBin itself holds spans, in no scheme."""


def documents_to_sentences(
    documents: Iterable[Document],
    nlp: Language,
    path: Path,
    problems: Problems,
    labels: Optional[Mapping[str, str]] = None,
    scheme: SchemeLike = SCHEME,
    kept: Optional[Collection[str]] = None,
) -> Iterator[Sentence]:
    """Yield the sentences of documents, with document ids and exact white space, tagged in ``scheme``.

    ``labels`` maps the labels that may occur to those to use; ``None`` takes them as they are. Of those only ``kept``
    (``None``: all) are tagged, and only mentions of these are known to be apart. To ``problems`` go a mention of white
    space alone, or that no run of words covers (MTL012), or whose label is unknown (MTL018), each of which costs
    itself, and a document without words (MTL013) or too long for ``nlp`` (MTL020). A sentence end inside a mention, of
    whatever known label, which the splitter got wrong, is taken back and counted; a passage always starts a sentence.
    Raises MTL043 for a pipeline that finds no sentences.
    """
    for document in documents:
        if len(document.text) > nlp.max_length:
            where = {"path": path, "document": document.id}
            problems.error(E020(**where, length=len(document.text), most=nlp.max_length))
            continue
        doc = nlp(document.text)
        doc._.document = document.id
        if all(token.is_space for token in doc):
            problems.error(E013(path=path, document=document.id))
            continue
        if not doc.has_annotation("SENT_START"):
            pipes = ", ".join(nlp.pipe_names) or "empty"
            raise MTLError(E043(where=_place(path, document), document=document.id, pipes=pipes))
        spans = sorted(_spans(doc, document, path, problems, labels))
        starts = _starts(doc, document, spans, path, problems)
        yield from cut(doc, starts, [span for span in spans if kept is None or span[2] in kept], scheme)


def _spans(
    doc: Doc, document: Document, path: Path, problems: Problems, labels: Optional[Mapping[str, str]]
) -> Iterator[TokenSpan]:
    """The mentions as token spans, without the white space around them."""
    firsts = {token.idx: token.i for token in doc if not token.is_space}
    lasts = {token.idx + len(token): token.i + 1 for token in doc if not token.is_space}
    for mention in document.mentions:
        text = document.text[mention.start : mention.end]
        start = mention.start + len(text) - len(text.lstrip())
        first, last = firsts.get(start), lasts.get(mention.start + len(text.rstrip()))
        label = mention.label if labels is None else labels.get(mention.label)
        if label is None:
            known = ", ".join(sorted(labels or ()))
            problems.error(E018(**_where(path, document, mention), label=mention.label, known=known))
        elif first is None or last is None or first >= last:
            around = doc.char_span(mention.start, mention.end, alignment_mode="expand")
            words = [token.text for token in around] if around is not None else []
            problems.error(E012(**_where(path, document, mention), words=words))
        else:
            yield first, last, label


def _where(path: Path, document: Document, mention: Mention) -> Dict[str, str]:
    shown = f"{mention.start}-{mention.end} {shortened(mention.text) or said_of(mention, document.text)!r}"
    return {"where": mention.where or _place(path, document), "document": document.id, "mention": shown}


def _place(path: Path, document: Document) -> str:
    return f"{path}:{document.line}" if document.line else str(path)


def _starts(doc: Doc, document: Document, spans: List[TokenSpan], path: Path, problems: Problems) -> List[int]:
    """The tokens at which sentences and passages start, but for those inside a mention."""
    starts = {token.i for token in doc if token.is_sent_start}
    words = [token for token in doc if not token.is_space]
    offsets = [token.idx for token in words]
    for passage in document.passages:
        at = bisect_left(offsets, passage.start)
        starts.update({words[at].i} if at < len(words) else ())
    for first, last, _ in spans:
        wrong = starts.intersection(range(first + 1, last))
        if wrong:
            found = doc[first:last].text
            problems.warn(
                "sentence end in a mention", f"{path}: document {document.id!r}: took back a sentence end in {found!r}."
            )
            starts -= wrong
    return sorted(starts)
