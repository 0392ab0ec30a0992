"""spaCy's DocBin, in and out.

Out, a Doc has tokens, sentences, ``doc.ents``, ``doc.spans[corpus]`` with scores, ``Doc._.mtl``, ``Doc._.document``,
and passages and meta (JSON) in ``user_data``. An output without suffix is a folder of files, as ``spacy train`` reads
it too; one in ``.spacy`` is a single file, for which all must fit in memory once. In, only the text is taken.
"""

import json
from pathlib import Path
from typing import Any, BinaryIO, Dict, Iterator, Sequence

from ...errors import E016, MTLError
from ...types import Document
from ..records import Annotated, Failure
from .base import Columns, Place, Reader, Record, ShardWriter
from .fields import bad_passages, from_json, name_of, passages_of

_ATTRS = ["ORTH", "SPACY", "SENT_START", "ENT_IOB", "ENT_TYPE", "ENT_KB_ID"]


def read(stream: BinaryIO, place: Place, columns: Columns) -> Iterator[Record]:
    """Yield the texts. Raises MTL016 for what is no DocBin."""
    from spacy.tokens import DocBin
    from spacy.vocab import Vocab

    from ...corpora.documents import docs_of

    try:
        docs = docs_of(DocBin().from_bytes(stream.read()), Vocab())
        for number, doc in enumerate(docs, 1):
            name = name_of(doc._.document, f"{place.name}:{number}")
            try:
                yield Document(name, doc.text, **beside(doc))
            except (TypeError, ValueError, OverflowError) as error:
                yield Failure(name, bad_passages(f"{place.path}, document {number}", error))
    except Exception as error:  # zlib, msgpack and numpy each raise their own
        raise MTLError(E016(path=place.path, reason=error)) from error


def beside(doc: Any) -> Dict[str, Any]:
    """The passages and the meta that ``part`` put beside a Doc. Raises as ``passages_of`` and ``json``."""
    passages = passages_of(doc.user_data.get("passages", ()), len(doc.text))
    return {"passages": passages, "meta": from_json(doc.user_data.get("meta", "{}"))}


def part(documents: Sequence[Annotated]) -> bytes:
    """A DocBin of the documents."""
    from ...corpora.documents import docbin_of

    docs = []
    for document in documents:
        doc = document.doc
        assert doc is not None
        doc._.document = document.id
        doc.user_data["passages"] = [[p.start, p.end, p.section] for p in document.passages]
        doc.user_data["meta"] = json.dumps(document.meta)
        docs.append(doc)
    return docbin_of(docs, _ATTRS).to_bytes()


def merge(shards: Sequence[Path], output: Path) -> None:
    """One DocBin of many."""
    from spacy.tokens import DocBin

    whole = DocBin(attrs=_ATTRS, store_user_data=True)
    for shard in shards:
        whole.merge(DocBin(store_user_data=True).from_bytes(shard.read_bytes()))
    output.write_bytes(whole.to_bytes())


READER = Reader(read, (".spacy",))
WRITER = ShardWriter(part, (".spacy",), merge, keep_docs=True)
