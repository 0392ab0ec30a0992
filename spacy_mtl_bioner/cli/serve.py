"""``mtl-bioner serve``: a trained pipeline for other programs, and a page to try it."""

import typer

from . import tagging

_HELP = """Serve a trained pipeline over HTTP, until Ctrl-C.

GET / is a page to try it; GET /model says which corpora and labels there are. POST /annotate takes JSON, one document
or many, and answers with records as annotate writes them and, apart, with the documents that failed; a request that
names no corpora has those of --corpora:

\b
  curl http://127.0.0.1:8000/annotate -d '{"text": "TP53 binds MDM2.", "corpora": ["BC2GM"]}'
  curl http://127.0.0.1:8000/annotate -d '{"documents": [{"id": "7", "text": "TP53 binds MDM2."}]}'

A request that is none, or names an unknown corpus, gets status 400 and {"error": ...}; one that is too large, 413.

By default only this machine can connect. There is no password and no encryption: for others, put it behind a server
that has both. A literature is faster by annotate, which also resumes.

Examples:

\b
  mtl-bioner serve my-model
  mtl-bioner serve my-model --port 9000 --corpora BC5CDR,BC2GM --label-map default --threads 2
"""

WAITING = 100
"""Requests that may wait for their turn; more get status 503."""


def serve(
    model: tagging.Model,
    host: str = typer.Option("127.0.0.1", help="Address to listen at; 0.0.0.0: all of this machine's"),
    port: int = typer.Option(8000, min=0, max=65535, help="Port to listen at; 0: any that is free"),
    max_bytes: int = typer.Option(1 << 20, min=1, help="Bytes that a request may have"),
    corpora: tagging.Corpora = None,
    labels: tagging.Labels = None,
    merge: tagging.Merge = None,
    priority: tagging.Priority = None,
    minimum: tagging.Minimum = None,
    threshold: tagging.Threshold = None,
    thresholds: tagging.Thresholds = None,
    label_map: tagging.LabelMap = None,
    scores: tagging.Scores = None,
    brackets: tagging.Brackets = None,
    abbreviations: tagging.Abbreviations = None,
    consistency: tagging.Consistency = None,
    threads: tagging.Threads = 1,
    device: tagging.Device = "cpu",
    batch_tokens: tagging.BatchTokens = None,
    component: tagging.Component = "mtl_ner",
    code: tagging.Code = None,
) -> None:  # documented by _HELP
    import socket

    from ..annotate.annotator import Annotator
    from ..errors import E363, E376, MTLError

    try:
        import uvicorn

        from ..annotate.server import make_app
    except ImportError as error:
        raise MTLError(E363(what="serve", library="starlette and uvicorn", extra="serve")) from error
    options = tagging.options_of(
        corpora=corpora,
        labels=labels,
        merge=merge,
        priority=priority,
        minimum=minimum,
        threshold=threshold,
        thresholds=thresholds,
        label_map=label_map,
        scores=scores,
        brackets=brackets,
        abbreviations=abbreviations,
        consistency=consistency,
        component=component,
        batch_tokens=batch_tokens,
        device=device,
        code=code,
    )
    import torch

    torch.set_num_threads(threads)
    app = make_app(Annotator(model, **vars(options)), max_bytes)
    try:
        listening = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise MTLError(E376(host=host, port=port, reason=error.strerror or error)) from error
    where = f"[{host}]" if ":" in host else host
    typer.echo(f"{model}: http://{where}:{listening.getsockname()[1]} (Ctrl-C ends it)")
    config = uvicorn.Config(app, log_level="warning", access_log=False, limit_concurrency=WAITING)
    uvicorn.Server(config).run(sockets=[listening])


serve.__doc__ = _HELP
