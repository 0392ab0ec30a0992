"""Entities over HTTP: an ``Annotator`` behind three addresses, for programs and for people.

``GET /``: a page to try the model, which needs no script. ``GET /model``: what it knows. ``POST /annotate``: JSON in,
``{"text": ...}`` or ``{"documents": [{"id": ..., "text": ...}, ...]}``, either with ``"corpora": [...]``; out, the
records of ``annotate``'s JSONL and, apart, the documents that failed.

One request is tagged at a time, in memory that does not grow; texts are neither kept nor logged.
"""

import json
from dataclasses import dataclass
from html import escape
from typing import Any, Dict, Iterator, List, Optional, Sequence, Tuple, Union
from urllib.parse import parse_qs

import anyio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from .. import __version__
from ..errors import E374, E375, MTLError
from ..pipeline.selection import Selection, finders, resolve
from ..types import Document
from .annotator import Annotator
from .formats.base import Columns
from .formats.fields import document_of, fields_of, from_json
from .html import article, page_end, page_start
from .records import Annotated, Failure

BATCH = 128
"""Documents of a request that are tagged together."""

_EXPECTED = '{"text": ...} or {"documents": [{"id": ..., "text": ...}, ...]}, and "corpora": [...] if not all'

Answer = Tuple[List[Annotated], List[Failure]]


class TooLarge(Exception):
    """A body of more bytes than are taken."""


@dataclass
class Service:
    """What the addresses do. limit: bytes that a request may have."""

    annotator: Annotator
    limit: int

    def __post_init__(self) -> None:
        self._turn = anyio.Lock()

    async def page(self, request: Request) -> Response:
        """The form, and below it what was found in the text that was sent."""
        form = parse_qs((await self._body(request)).decode("utf-8", "replace"), keep_blank_values=True)
        text, corpora = form.get("text", [""])[0].replace("\r\n", "\n"), form.get("corpora")
        found = ""
        if text.strip():
            documents, failures = await self._tag([Document("Your text", text)], corpora)
            found = "".join([article(document) for document in documents] + [_alert(f.message) for f in failures])
        return self._html(text, corpora, found)

    async def model(self, request: Request) -> Response:
        """Name, version, corpora with their labels, and the versions of what tags."""
        return _json(self.about())

    async def annotate(self, request: Request) -> Response:
        """Tag what the body has."""
        documents, corpora = read_request(await self._body(request))
        found, failures = await self._tag(documents, corpora)
        failed = [{"id": failure.id, "error": failure.message} for failure in failures]
        return _json({"documents": list(map(fields_of, found)), "failures": failed})

    def about(self) -> Dict[str, Any]:
        """What ``GET /model`` says."""
        import spacy
        import torch

        meta, heads = self.annotator.nlp.meta, getattr(self.annotator.recognizer, "head_labels", {})
        versions = {"spacy_mtl_bioner": __version__, "spacy": spacy.__version__, "torch": torch.__version__}
        corpora = {corpus: list(labels) for corpus, labels in heads.items()}
        return {"name": meta["name"], "version": meta["version"], "corpora": corpora, "versions": versions}

    @property
    def taggers(self) -> Selection:
        """The corpora that find entities."""
        return finders(getattr(self.annotator.recognizer, "heads", {}))

    @property
    def taggers_by_default(self) -> Selection:
        """Those of them that tag where a request names none."""
        recognizer = self.annotator.recognizer
        return finders(recognizer.heads, recognizer.cfg["corpora"]) if self.taggers else ()

    async def _body(self, request: Request) -> bytes:
        """The body. Raises TooLarge as soon as it has more than ``limit`` bytes, whatever its head says."""
        body = bytearray()
        async for part in request.stream():
            body += part
            if len(body) > self.limit:
                raise TooLarge
        return bytes(body)

    async def _tag(self, documents: Sequence[Union[Document, Failure]], corpora: Optional[List[str]]) -> Answer:
        """Tag in a thread of its own, one request after the other. Raises MTL100 and MTL104 for the corpora."""
        if corpora is not None:
            resolve(corpora, self.annotator.corpora, "the request")
        async with self._turn:
            return await anyio.to_thread.run_sync(self._tag_now, documents, corpora)

    def _tag_now(self, documents: Sequence[Union[Document, Failure]], corpora: Optional[List[str]]) -> Answer:
        failures = [document for document in documents if isinstance(document, Failure)]
        sound = (document for document in documents if isinstance(document, Document))
        with self.annotator.nlp.memory_zone():
            return list(self.annotator.pipe(sound, batch_size=BATCH, corpora=corpora, failures=failures)), failures

    def _html(self, text: str, corpora: Optional[List[str]], found: str, status: int = 200) -> HTMLResponse:
        about = self.about()
        versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
        boxes = "".join(_boxes(self.taggers, self.taggers_by_default if corpora is None else corpora))
        body = (
            f'<form method="post" action="/">\n<textarea name="text" rows="6" required '
            f'aria-label="Text">\n{escape(text)}</textarea>\n<p>{boxes}<button>Find entities</button></p>\n</form>\n'
            f"{found}<p><small>{escape(about['name'])} {escape(about['version'])}; {escape(versions)}</small></p>\n"
        )
        return HTMLResponse(page_start(about["name"]) + body + page_end(), status)


def read_request(body: bytes) -> Tuple[List[Union[Document, Failure]], Optional[List[str]]]:
    """The documents of a request, numbered from 1 where they have no id, those without a text as failures; and the
    corpora. Raises MTL374 for what is no such request."""
    try:
        record = from_json(body)
    except (ValueError, RecursionError) as error:
        raise MTLError(E374(found=f"malformed JSON ({error})", expected=_EXPECTED)) from error
    if not isinstance(record, dict):
        raise MTLError(E374(found=f"JSON of type {type(record).__name__}", expected=_EXPECTED))
    corpora, records = record.pop("corpora", None), record.pop("documents", None)
    if records is None:
        records = [record]
    elif record:
        raise MTLError(E374(found=f"{sorted(record)} beside the documents", expected=_EXPECTED))
    if not isinstance(records, list) or not all(isinstance(one, dict) for one in records):
        raise MTLError(E374(found="documents that are no list of objects", expected=_EXPECTED))
    return [document_of(one, str(number), Columns()) for number, one in enumerate(records, 1)], corpora


def _boxes(known: Sequence[str], chosen: Sequence[str]) -> Iterator[str]:
    """A box to tick for each corpus."""
    for corpus in known:
        ticked = " checked" if corpus in chosen else ""
        name = escape(corpus)
        yield f'<label><input type="checkbox" name="corpora" value="{name}"{ticked}> {name}</label>\n'


def _alert(message: str) -> str:
    return f'<p role="alert">{escape(message)}</p>\n'


def _json(value: Any, status: int = 200) -> Response:
    """JSON, in which half surrogate pairs, which UTF-8 cannot have, are question marks."""
    data = json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")
    return Response(data, status, media_type="application/json")


def make_app(annotator: Annotator, limit: int = 1 << 20) -> Starlette:
    """Return the application (ASGI), for ``uvicorn`` or any other server. limit: bytes that a request may have."""
    service = Service(annotator, limit)

    def say(request: Request, message: str, status: int) -> Response:
        """An error, on the page where it was sent from there."""
        if request.url.path == "/":
            return service._html("", None, _alert(message), status)
        return _json({"error": message}, status)

    async def refuse(request: Request, error: Exception) -> Response:
        return say(request, str(error), 400)

    async def too_large(request: Request, error: Exception) -> Response:
        return say(request, E375(limit=limit), 413)

    routes = [
        Route("/", service.page, methods=["GET", "POST"]),
        Route("/model", service.model),
        Route("/annotate", service.annotate, methods=["POST"]),
    ]
    return Starlette(routes=routes, exception_handlers={MTLError: refuse, TooLarge: too_large})
