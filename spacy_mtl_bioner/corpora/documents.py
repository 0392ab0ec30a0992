"""Sentences to spaCy Docs and back, and the DocBins that hold a corpus.

One Doc a document where the source tells documents apart, else one a sentence. Every Doc has its sentence starts,
``_.corpus`` and ``_.document``; its gold stands in ``doc.ents`` (kind ``spans``) or ``token.tag_`` (kind ``tags``).
Where the source does not tell the spacing, ``doc.has_unknown_spaces`` says so, and training then uses the gold tokens.
Where it does, ``doc.text`` is the source's text, white space and all; white space beyond one space is then a token, as
in every spaCy Doc, and the way back drops it: between words it is no word.
"""

from itertools import groupby
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, Optional, Sequence, Tuple

import srsly
from spacy.attrs import ORTH, SENT_START, SPACY
from spacy.tokens import Doc, DocBin
from spacy.vocab import Vocab

from ..durable import make_folder, replacing, writing
from ..errors import E001, E014, E016, MTLError
from ..extensions import register
from ..types import Kind, Sentence, TokenSpan
from .align import AlignedSentence
from .schemes import OUTSIDE, SchemeLike, convert_tags, spans_to_tags

register()

_GOLD = {"spans": ("ENT_IOB", "ENT_TYPE"), "tags": ("TAG",)}


def sentences_to_docs(
    sentences: Iterable[Sentence], vocab: Vocab, corpus: str, scheme: Optional[SchemeLike]
) -> Iterator[Doc]:
    """Yield Docs. Sentences that follow each other with the same document id make one Doc. ``scheme`` is that of the
    tags, ``None`` for kind ``tags``. Raises UnknownTag and SchemeViolation."""
    for document, group in groupby(enumerate(sentences), key=_document_key):
        members = [sentence for _, sentence in group]
        doc = _doc(members, vocab, scheme)
        doc._.corpus, doc._.document = corpus, members[0].document
        yield doc


def _document_key(item: Tuple[int, Sentence]) -> Tuple[Optional[str], int]:
    """The document's id, or a sentence's own number where no document is known."""
    number, sentence = item
    return sentence.document, number if sentence.document is None else 0


def _doc(members: Sequence[Sentence], vocab: Vocab, scheme: Optional[SchemeLike]) -> Doc:
    words: List[str] = []
    spaces: List[bool] = []
    tags: List[str] = []
    starts: List[bool] = []
    for sentence in members:
        gold = sentence.tags if scheme is None else convert_tags(sentence.tags, scheme, "IOB2")
        columns = sentence.words, sentence.spaces or [True] * len(gold), gold
        if isinstance(sentence, AlignedSentence):
            columns = _with_white_space(sentence, gold, "" if scheme is None else OUTSIDE)
        words += columns[0]
        spaces += columns[1]
        tags += columns[2]
        starts += [i == 0 for i in range(len(columns[0]))]
    known = any(sentence.spaces is not None for sentence in members)
    gold_column = {"tags" if scheme is None else "ents": tags}
    return Doc(vocab, words=words, spaces=spaces if known else None, sent_starts=starts, **gold_column)


def _with_white_space(sentence: AlignedSentence, tags: Sequence[str], outside: str) -> Tuple[List[str], ...]:
    """Words, spaces and IOB2 tags, with a token for white space beyond one space, which belongs to an entity around."""
    rows = [(sentence.lead, False, outside)] if sentence.lead else []
    for word, gap, tag, following in zip(sentence.words, sentence.gaps, tags, [*tags[1:], outside]):
        space = gap.startswith(" ")
        rows.append((word, space, tag))
        if len(gap) > space:
            rows.append((gap[space:], False, following if following.startswith("I-") else outside))
    return tuple(map(list, zip(*rows)))  # type: ignore[return-value]


def cut(
    doc: Doc, starts: Sequence[int], spans: Sequence[TokenSpan], scheme: Optional[SchemeLike]
) -> Iterator[Sentence]:
    """Yield the sentences of ``doc`` that begin at the tokens ``starts`` (the first token always does), tagged with the
    sorted ``spans``, or with ``token.tag_`` where ``scheme`` is ``None``. Raises MTL014."""
    known, text = not doc.has_unknown_spaces, doc.text
    kept = [token for token in doc if not (known and token.is_space)]
    ranks, rank = [], 0  # token -> number of words before it
    for token in doc:
        ranks.append(rank)
        rank += not (known and token.is_space)
    ranks.append(rank)
    bounds = sorted({0, *(ranks[start] for start in starts), rank})
    at = 0
    for start, end in zip(bounds, bounds[1:]):
        mine = []
        while at < len(spans) and ranks[spans[at][0]] < end:
            first, last, label = spans[at]
            if ranks[last] > end:
                where = doc._.document or "without id"
                raise MTLError(E014(document=where, mention=doc[first:last].text, corpus=doc._.corpus))
            mine.append((ranks[first] - start, ranks[last] - start, label))
            at += 1
        tokens = kept[start:end]
        tags = [t.tag_ for t in tokens] if scheme is None else spans_to_tags(len(tokens), mine, scheme)
        words = [token.text for token in tokens]
        if not known:
            yield Sentence(words, tags, document=doc._.document)
            continue
        offsets = [token.idx for token in tokens] + [kept[end].idx if end < len(kept) else len(text)]
        gaps = [text[i + len(word) : following] for i, word, following in zip(offsets, words, offsets[1:])]
        place = {"start": offsets[0], "gaps": gaps, "lead": "" if start else text[: offsets[0]]}
        yield AlignedSentence(words, tags, document=doc._.document, spaces=[bool(gap) for gap in gaps], **place)


def bare_copy(doc: Doc, vocab: Optional[Vocab] = None, attrs: Sequence[int] = (SENT_START,)) -> Doc:
    """The words and spaces of a document and these of its attributes, without anything else; ``vocab``: its own."""
    spaces = None if doc.has_unknown_spaces else doc.to_array(SPACY).astype(bool)
    copy = Doc(vocab or doc.vocab, words=doc.to_array(ORTH), spaces=spaces)
    if len(doc) and attrs:
        copy.from_array(list(attrs), doc.to_array(list(attrs)).reshape(len(doc), len(attrs)))
    return copy


def write_docbin(docs: Iterable[Doc], path: Path, kind: Kind = "spans") -> None:
    """Write a DocBin with ``_.corpus`` and ``_.document``, which is there as a whole or not at all; makes folders."""
    save_docbin(docs, ["ORTH", "SPACY", "SENT_START", *_GOLD[kind]], path)


def docbin_of(docs: Iterable[Doc], attrs: Sequence[Any]) -> DocBin:
    """A DocBin with these token attributes and all user data, which DocBin itself packs slowly: it asks all entry
    points anew for every Doc."""
    docbin, packer = DocBin(attrs=attrs), srsly.msgpack.Packer(use_bin_type=True)
    for doc in docs:
        docbin.add(doc)
        docbin.user_data.append(packer.pack(doc.user_data))
    docbin.store_user_data = True
    return docbin


def save_docbin(docs: Iterable[Doc], attrs: Sequence[Any], path: Path) -> None:
    """Write a DocBin as ``docbin_of`` makes it, which is there as a whole or not at all; its folder is made."""
    put_docbin(docbin_of(docs, attrs), path)


def put_docbin(docbin: DocBin, path: Path) -> None:
    """Write a DocBin, which is there as a whole or not at all; its folder is made. Raises MTL182 for that, and MTL402
    for the file."""
    make_folder(path.parent)
    with writing(path), replacing(path) as draft:
        docbin.to_disk(draft)


def read_docbin(path: Path, vocab: Vocab) -> List[Doc]:
    """Read a DocBin. Raises MTL001 where the file cannot be read and MTL016 where it is no DocBin."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise MTLError(E001(path=path, reason=error.strerror)) from error
    try:
        return list(docs_of(DocBin().from_bytes(data), vocab))
    except Exception as error:  # zlib, msgpack and numpy each raise their own
        raise MTLError(E016(path=path, reason=error)) from error


def docs_of(docbin: DocBin, vocab: Vocab) -> Iterator[Doc]:
    """Yield the Docs; their user data are decoded at one go, as each call of the decoder scans all entry points."""
    packed = docbin.user_data
    docbin.user_data = [None] * len(packed)
    for doc, data in zip(docbin.get_docs(vocab), _decode(packed), strict=True):
        doc.user_data.update(data)
        yield doc


def _decode(packed: Sequence[Optional[bytes]]) -> List[Dict[Any, Any]]:
    """Decode msgpack maps as the items of one msgpack array (``dd``, the number of items in four bytes, the items)."""
    items = [item or b"\x80" for item in packed]
    array = b"\xdd" + len(items).to_bytes(4, "big") + b"".join(items)
    return list(srsly.msgpack_loads(array, use_list=False))
