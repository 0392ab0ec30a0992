"""The core: documents in, annotated documents out, in batches, whatever the text and whatever fails."""

import json
import re
from dataclasses import replace
from itertools import islice
from typing import Any, Dict, Iterable, Iterator, List, Optional, Sequence, Tuple, Union

import numpy as np
from spacy.attrs import IDX
from spacy.language import Language
from spacy.tokens import Doc

from ..errors import E355, E362, E368, MTLError
from ..extensions import CORPORA, MTL
from ..pipeline.selection import resolve
from ..pipeline.tokenizer import HALF_PAIR
from ..types import Document
from .cut import covered, pieces
from .options import Options
from .pipeline import Unify, load_pipeline, prepare_pipeline
from .records import DIGITS, Annotated, Entity, Failure, Source
from .stitch import join_docs

_BROKEN = re.compile(r"(?:CUDA|HIP) error(?!.*(?:out of memory|ALLOC_FAILED))")
"""How errors begin after which the GPU does no more work for this process; memory that does not suffice is none."""

_RAW: Dict[str, Any] = {"ensure_ascii": False}

Input = Union[str, Document]


class Annotator:
    """Tags documents with a pipeline: ``Annotator("model", corpora=["BC5CDR"])("Text.").entities``.

    Text longer than the pipeline's ``max_length`` is cut at paragraph borders and stitched; half surrogate pairs become
    U+FFFD, one for one. Offsets are always those of the text given. A document that fails costs no other.
    """

    def __init__(self, model: Union[str, Language], *, keep_docs: bool = False, **options: Any) -> None:
        """Load and set the pipeline.

        model (Union[str, Language]): A folder, an installed package, or a pipeline, whose settings are then changed.
        keep_docs (bool): Whether results carry their spaCy Doc.
        options: Those of ``Options``: corpora, labels, merge, threshold, label_map ...
        RAISES (MTLError): MTL359 and MTL372 for options that are none; as ``load_pipeline``.
        """
        asked = Options.of(options)
        ready = prepare_pipeline(model, asked) if isinstance(model, Language) else load_pipeline(model, asked)
        self.nlp: Language = ready.nlp
        self.unify: Optional[Unify] = ready.unify
        self.recognizer: Any = dict(self.nlp.pipeline).get(asked.component)
        self.keep_docs, self.device = keep_docs, asked.device

    def __call__(self, document: Input, *, corpora: Optional[Sequence[str]] = None) -> Annotated:
        """Tag one text or document; ``corpora`` as in ``pipe``. Raises MTL355 where the pipeline fails on it, MTL362
        where it is neither, MTL100 and MTL104 as ``pipe``."""
        return next(self.pipe([document], corpora=corpora))

    def pipe(
        self,
        documents: Iterable[Input],
        *,
        batch_size: int = 128,
        corpora: Optional[Sequence[str]] = None,
        failures: Optional[List[Failure]] = None,
    ) -> Iterator[Annotated]:
        """Tag a stream, in order; texts are numbered from 1 where they are no Documents.

        corpora (Optional[Sequence[str]]): Which corpora tag in this call; None: as the options say.
        failures (Optional[List[Failure]]): Takes the documents that fail; None: the first one raises MTL355.
        RAISES (MTLError): MTL362 for what is neither text nor Document, such as one text in place of a list; MTL100 for
            an unknown corpus, MTL104 for what is no list of them.
        """
        if corpora is not None:
            corpora = resolve(corpora, self.corpora, "a call of the Annotator")
        if isinstance(documents, str):
            raise MTLError(E362(where="pipe", found=f"the text {documents[:40]!r}", expected="a list of texts"))
        stream = (_document(item, number) for number, item in enumerate(documents, 1))
        while batch := list(islice(stream, batch_size)):
            for result in self.annotate(batch, corpora):
                if not isinstance(result, Failure):
                    yield result
                elif failures is None:
                    raise MTLError(result.message)
                else:
                    failures.append(result)

    @property
    def corpora(self) -> Tuple[str, ...]:
        """The corpora that the recognizer knows; none where the pipeline has no recognizer."""
        return tuple(getattr(self.recognizer, "corpora", ()))

    def annotate(
        self, documents: Sequence[Document], corpora: Optional[Sequence[str]] = None
    ) -> List[Union[Annotated, Failure]]:
        """Tag documents as one batch: a result for each, in order. Where the batch fails, each is tried alone.

        RAISES (MTLError): MTL368 where the GPU is of no more use, for which no document is to blame.
        """
        try:
            return list(self._tag(documents, corpora))
        except Exception as error:  # whatever a component raises
            if isinstance(error, RuntimeError) and _BROKEN.match(str(error)):  # torch.AcceleratorError is one, too
                reason = f"{str(error).splitlines()[0]}; go on in a new process, a job with --resume"
                raise MTLError(E368(device=self.device, reason=reason, known="those that torch sees")) from error
            if len(documents) == 1:
                return [_failure(documents[0], error)]
        return [result for document in documents for result in self.annotate([document], corpora)]

    def _tag(self, documents: Sequence[Document], corpora: Optional[Sequence[str]]) -> Iterator[Annotated]:
        clean = [_whole_characters(document) for document in documents]
        parts: List[Doc] = []
        offsets: List[List[int]] = []
        for document, _ in clean:
            cut = list(pieces(document.text, self.nlp.max_length))
            offsets.append([start for start, _ in cut])
            parts += [self._doc(document, start, text) for start, text in cut]
        if corpora is not None:
            for doc in parts:
                doc.user_data[CORPORA] = list(corpora)
        tagged = self.nlp.pipe(parts, batch_size=max(1, len(parts)))
        for (document, problems), starts in zip(clean, offsets):
            docs = list(islice(tagged, len(starts)))
            if len(docs) != len(starts):
                raise RuntimeError("a component left the document out of the stream")
            yield self._result(document, problems, docs, starts)

    def _doc(self, document: Document, start: int, text: str) -> Doc:
        """A piece's Doc; a passage always starts a sentence."""
        doc = self.nlp.make_doc(text)
        if len(document.passages) > 1:
            inside = covered(document.passages, start, start + len(text))
            offsets = doc.to_array(IDX).astype("int64")
            for token in np.searchsorted(offsets, inside).tolist():
                if token < len(doc):
                    doc[token].is_sent_start = True
        return doc

    def _result(self, document: Document, problems: Dict[str, int], docs: List[Doc], starts: List[int]) -> Annotated:
        found = [e for doc, at in zip(docs, starts) for e in entities_of(doc, at, self.unify, document.text)]
        if len(docs) > 1:
            problems["cut"] = len(docs) - 1
        text, passages, meta = document.text, document.passages, document.meta
        doc = join_docs(docs) if self.keep_docs else None
        tokens = sum(map(len, docs))
        return Annotated(document.id, text, found, passages, meta, problems, tokens, doc)


def entities_of(doc: Doc, offset: int = 0, unify: Optional[Unify] = None, text: Optional[str] = None) -> List[Entity]:
    """The entities of ``doc.ents`` with the provenance of ``Doc._.mtl``; ``offset`` is added to their characters.
    ``text`` is what the doc is a piece of, ``offset`` characters from its start; by default the doc's own.

    Label and score are those of the corpus that gave the entity the label which ``doc.ents`` show, of several the one
    with the best score. Scores are rounded to ``DIGITS`` decimals.
    """
    if not doc.ents:
        return []
    known = {(start, end): sources for start, end, _, sources in doc.user_data.get(MTL) or ()}
    entities = []
    text, begin = (doc.text, 0) if text is None else (text, offset)  # spaCy puts a doc's text together each time
    for span in doc.ents:
        start, end, shown = span.start_char, span.end_char, span.label_
        found = known.get((start, end), ())
        sources = tuple([(source[0], source[1], _rounded(source[2])) for source in found])
        corpus, label, score = max(_givers(found, sources, shown), key=_by_score, default=("", shown, None))
        unified = None if unify is None else unify(corpus, label)
        said = text[start + begin : end + begin]
        entities.append(Entity(start + offset, end + offset, said, label, unified, score, sources))
    return entities


def _givers(found: Sequence[Sequence[Any]], sources: Tuple[Source, ...], shown: str) -> Iterator[Source]:
    """The sources whose label, or its unified form (the last of an entry), is the one that is shown."""
    return (source for entry, source in zip(found, sources) if shown in (entry[1], entry[-1]))


def _by_score(source: Source) -> float:
    return -1.0 if source[2] is None else source[2]


def _rounded(score: Optional[float]) -> Optional[float]:
    return None if score is None else round(score, DIGITS)


def _document(item: Input, number: int) -> Document:
    if isinstance(item, str):
        return Document(str(number), item)
    if not isinstance(item, Document):
        expected = "a text, or Document(id, text)"
        raise MTLError(E362(where=f"document {number}", found=f"{item!r:.60}", expected=expected))
    return item


def _whole_characters(document: Document) -> Tuple[Document, Dict[str, int]]:
    """The document without halves of surrogate pairs, which nothing can write, and how many there were."""
    said = (document.id, document.text, document.meta, document.passages)
    if all(map(_is_whole, said[:2])) and (not any(said[2:]) or _is_whole(json.dumps(said[2:], default=vars, **_RAW))):
        return document, {}
    name, found = HALF_PAIR.subn("\ufffd", document.id)
    text, more = HALF_PAIR.subn("\ufffd", document.text)
    meta, others = HALF_PAIR.subn("\ufffd", json.dumps(document.meta, **_RAW))
    passages = [replace(passage, section=HALF_PAIR.sub("\ufffd", passage.section)) for passage in document.passages]
    clean = replace(document, id=name, text=text, meta=json.loads(meta), passages=passages)
    return clean, {"surrogate": found + more + others}


def _is_whole(text: str) -> bool:
    try:
        text.encode("utf-8")
        return True
    except UnicodeEncodeError:
        return False


def _failure(document: Document, error: Exception) -> Failure:
    """What is reported about a document; a coded error says it best itself."""
    if isinstance(error, MTLError):
        return Failure(document.id, str(error))
    return Failure(document.id, E355(kind=type(error).__name__, reason=str(error) or "no message"))
