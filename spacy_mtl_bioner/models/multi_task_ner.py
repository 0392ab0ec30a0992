"""The root of the model: runs its parts in one autograd graph a batch."""

import logging
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple, Union

import numpy as np
import torch
from spacy.tokens import Doc
from thinc.api import Model
from thinc.util import torch2xp, xp2torch

from ..errors import E133, E134, E135, E138, E203, E239, MTLError
from ..layers.structure import has_weights, initialize_with
from ..layers.torch_layer import run
from ..layers.transfer import to_device
from ..types import Corpora, TokenSpan
from .batch import TokenBatch, Tokens, rounded_up
from .checks import at_least
from .decoder.base import Decoded
from .embed.upstream import Upstream
from .graphs import GraphedSteps, Terms
from .heads import Head, Heads, HeadsBuilder, decode
from .lexicon import Lexicon
from .sharing.base import Features, SharingBuilder, width_of
from .syntax.base import no_syntax

logger = logging.getLogger("spacy_mtl_bioner")


class Wanted(NamedTuple):
    """Prediction: documents, the corpora that shall tag them, and whether entities get scores."""

    docs: Sequence[Doc]
    corpora: Tuple[str, ...]
    scores: bool = True


class Gold(NamedTuple):
    """Training: documents, the corpus of each, and its gold spans (of kind ``tags``: one a token). A document without
    gold has the corpus "": an upstream component expects to hear of every document of its batch."""

    docs: Sequence[Doc]
    corpora: Sequence[str]
    spans: Sequence[List[TokenSpan]]


@dataclass
class Found:
    """What one head found in all tokens of a call's documents: entities, or (kind ``tags``) a tag id a token, -1 for
    white space.

    starts, ends, labels: i64[n] in the order of the text; scores: f32[n] or None; tags: i64[tokens] or None.
    """

    starts: np.ndarray
    ends: np.ndarray
    labels: np.ndarray
    scores: Optional[np.ndarray]
    tags: Optional[np.ndarray] = None


@dataclass
class Runtime:
    """How the model runs, which its config says anew at every load: msgpack does not know this class, so that thinc
    leaves it out of the saved weights.

    batch_tokens: padded tokens of a prediction batch, None: as the device has it. autocast: the lower precision, or
    None. loss_weights: factors of corpora's losses. graphs: the training steps that a GPU has captured.
    """

    batch_tokens: Optional[int]
    autocast: Optional[torch.dtype]
    loss_weights: Dict[str, float]
    graphs: GraphedSteps = field(default_factory=GraphedSteps)

    def budget(self, device: torch.device) -> int:
        """Padded tokens of a prediction batch on this device."""
        return self.batch_tokens or (CPU_BATCH if device.type == "cpu" else GPU_BATCH)

    def settings(self, corpus: str) -> Tuple[Any, ...]:
        """What a training step of this corpus depends on."""
        return self.autocast, self.loss_weights.get(corpus, 1.0)

    def precision(self, device: torch.device) -> torch.autocast:
        """The context in which embedding, encoder and sharing run; heads leave it."""
        return torch.autocast(device.type, dtype=self.autocast or torch.bfloat16, enabled=self.autocast is not None)


CPU_BATCH, GPU_BATCH = 4096, 16384
"""Padded tokens that fit a processor's caches, and that give a GPU enough to do at once."""

PRECISIONS = {"float32": None, "bfloat16": torch.bfloat16}


class Losses:
    """Losses summed over ``sentences``. Who reads them before the backward pass is queued lets a GPU wait."""

    def __init__(self, of: Dict[str, torch.Tensor], auxiliary: Dict[str, torch.Tensor], sentences: int) -> None:
        self._terms = [term.detach().double() for term in (*of.values(), *auxiliary.values())]
        self._corpora, self._names = list(of), list(auxiliary)
        self.sentences = sentences

    @cached_property
    def _values(self) -> List[float]:
        return torch.stack(self._terms).tolist() if self._terms else []

    @property
    def of(self) -> Dict[str, float]:
        """The loss of each corpus."""
        return dict(zip(self._corpora, self._values))

    @property
    def auxiliary(self) -> Dict[str, float]:
        """The losses that parts added, by their names."""
        return dict(zip(self._names, self._values[len(self._corpora) :]))

    def total(self) -> float:
        """What the backward pass goes down."""
        return sum(self.of.values()) + sum(self.auxiliary.values())


def MultiTaskNER(
    sharing: SharingBuilder,
    decoder: Model,
    embed: Optional[Model] = None,
    tok2vec: Optional[Model[List[Doc], List[Any]]] = None,
    syntax: Optional[Model] = None,
    heads: Optional[HeadsBuilder] = None,
    batch_tokens: Optional[int] = None,
    precision: str = "float32",
    loss_weights: Optional[Dict[str, float]] = None,
) -> Model[Union[Gold, Wanted, Sequence[Doc]], Union[Losses, Dict[str, Found]]]:
    """The multi-task model: ``embed`` or ``tok2vec`` -> ``sharing`` -> ``syntax`` -> a ``decoder`` a corpus.

    sharing (SharingBuilder): Which corpora share what.
    decoder (Model): Builder of the heads.
    embed (Optional[Model]): Embedding part; ``null`` takes the vectors of ``tok2vec``.
    tok2vec (Optional[Model]): Any spaCy tok2vec or listener, also usable beside ``embed``'s ``Upstream`` part.
    syntax (Optional[Model]): Attention over syntactic features; the corpora share it.
    heads (Optional[HeadsBuilder]): Output layers of all corpora; ``null`` gives each corpus its own.
    batch_tokens (Optional[int]): Padded tokens of a prediction batch, ``null``: 4096, on a GPU
        16384; ``TagPair`` encodes as many for each pair of marks.
    precision (str): "float32", or "bfloat16": autocast of all but the heads, in training too, about twice as fast on
        processors and GPUs that have such units.
    loss_weights (Optional[Dict[str, float]]): {corpus: factor of its head's loss}; 1 for corpora that it does not name.
    RAISES (MTLError): MTL133 for another precision, MTL134 where there is no tok2vec to read, MTL135 where there is one
        that nothing reads, MTL200 for ``batch_tokens`` below 1; at initialization, MTL203 for a weight below 0 or of no
        corpus, and MTL239 for corpora whose features differ in width, with ``syntax``.
    """
    if precision not in PRECISIONS:
        raise MTLError(E133(precision=precision, expected=", ".join(PRECISIONS)))
    at_least(1, "MultiTaskNER", batch_tokens=batch_tokens)
    reads = embed is None or any(node.name == "upstream" for node in embed.walk())
    if reads != (tok2vec is not None):
        raise MTLError(E134() if reads else E135())
    layers = [sharing(embed or Upstream()), syntax or no_syntax(), (heads or Heads)(decoder)]
    return Model(
        "multi_task_ner",
        forward,
        init=init,
        attrs={"runtime": Runtime(batch_tokens, PRECISIONS[precision], loss_weights or {})},
        layers=layers if tok2vec is None else [*layers, tok2vec],
    )


def init(model: Model, X: Optional[Lexicon] = None, Y: Optional[Corpora] = None) -> None:
    """Grow the parts to the corpora of ``Y`` and build the weights that ``X`` (None: only the structure) allows."""
    sharing, syntax, heads = model.layers[:3]
    model.attrs["runtime"].graphs.clear()
    if X is not None:
        _check_weights(model.attrs["runtime"].loss_weights, Y or {})
    for tok2vec in model.layers[3:]:
        if X is not None:
            if not has_weights(sharing, syntax, heads):
                tok2vec.initialize(X=X.sample or None)
            X.upstream_width = tok2vec.maybe_get_dim("nO")
    fresh = X is not None and not has_weights(sharing)
    sharing.initialize(X=X, Y=Y)
    if fresh and not len(X.vocab.vectors) and any(node.name == "word_vectors" for node in sharing.walk()):
        logger.warning(E138())
    if X is not None and syntax.has_dim("nO") is not False:  # all but ``no_syntax``
        _check_one_width(syntax, {corpus: width_of(sharing, corpus) for corpus in Y or {}})
    initialize_with(syntax, sharing.maybe_get_dim("nO"), X=X)
    widths = {corpus: syntax.maybe_get_dim("nO") or width_of(sharing, corpus) for corpus in Y or {}}
    heads.initialize(X=None if X is None else widths, Y=Y)


def forward(
    model: Model, X: Union[Gold, Wanted, Sequence[Doc]], is_train: bool
) -> Tuple[Union[Losses, Dict[str, Found]], Callable[..., Any]]:
    """``Gold`` -> ``Losses`` and the callback that runs the backward pass; ``Wanted`` -> {corpus: ``Found``}. Documents
    alone, which is what spaCy's own tools give a component's model, are tagged by all corpora."""
    if isinstance(X, Gold):
        return _learn(model, X)
    wanted = X if isinstance(X, Wanted) else Wanted(X, tuple(model.layers[2].attrs["corpora"]))
    with torch.inference_mode():
        return _predict(model, wanted), _no_update


def device_of(model: Model) -> torch.device:
    """Where the weights are."""
    for node in model.walk():
        for shim in node.shims:
            for _, param in getattr(shim, "named_parameters", tuple)():
                return param.device
    return torch.device("cpu")


def _features(model: Model, batch: TokenBatch, corpora: Tuple[str, ...], is_train: bool) -> Features:
    """What the heads of these corpora read; features that corpora have in common pass the syntax part once."""
    sharing, syntax = model.layers[:2]
    shared = run(sharing, (batch, corpora), is_train)
    distinct = {id(features): features for features in shared.values()}
    passed = {key: run(syntax, (features, batch), is_train) for key, features in distinct.items()}
    return {corpus: passed[id(features)] for corpus, features in shared.items()}


def _learn(model: Model, X: Gold):
    heads, runtime = model.layers[2], model.attrs["runtime"]
    tokens, backprop_upstream = _tokens(model, X.docs, True)
    device, gold = device_of(model), _tag_ids(heads, X, tokens)
    corpus_of = np.asarray(X.corpora, dtype=object)[tokens.docs_of]
    corpora = [corpus for corpus in dict.fromkeys(filter(None, X.corpora)) if corpus in corpus_of]
    count = int(np.count_nonzero(corpus_of != ""))
    parts: Dict[str, Terms] = {}
    for corpus in corpora:
        sentences, head = np.flatnonzero(corpus_of == corpus), run(heads, corpus, True)
        layers, compute = [*model.layers[:2], head.node], partial(_terms, model, head, corpus)
        alone = len(corpora) == 1 and len(model.layers) == 3 and head.stands_alone
        captured = alone and runtime.graphs.serves(corpus, device, layers)
        steps = rounded_up(int(tokens.lengths[sentences].max()), 3) if captured else None  # fewer shapes
        batch = TokenBatch(tokens, sentences, device, steps, gold)
        if captured:
            replayed = runtime.graphs.learn(corpus, batch, compute, layers, runtime.settings(corpus))
            if replayed is not None:
                return Losses({corpus: replayed.terms.own}, replayed.terms.auxiliary, count), replayed.backprop
        with torch.enable_grad():
            parts[corpus] = compute(batch)
    auxiliary: Dict[str, torch.Tensor] = {}
    with torch.enable_grad():
        for terms in parts.values():
            for name, loss in terms.auxiliary.items():
                auxiliary[name] = auxiliary.get(name, 0.0) + loss
    losses = Losses({corpus: terms.own for corpus, terms in parts.items()}, auxiliary, count)

    def backprop(weight: float = 1.0):
        """Add ``weight`` times the gradient of the summed loss; returns what the upstream component returns. It gets
        the gradient of the mean over this batch, as from spaCy's own components: of parts of a batch these add up."""
        if parts:
            total = sum(terms.own for terms in parts.values()) + sum(auxiliary.values())
            parts.clear()
            auxiliary.clear()
            (total * weight).backward()
        return backprop_upstream(1.0 / max(losses.sentences, 1))

    return losses, backprop


def _terms(model: Model, head: Head, corpus: str, batch: TokenBatch) -> Terms:
    """The losses of a batch of one corpus."""
    runtime = model.attrs["runtime"]
    with runtime.precision(batch.device):
        features = _features(model, batch, (corpus,), True)
    nll = head(features[corpus], batch, batch.gold_tags)
    weight = runtime.loss_weights.get(corpus, 1.0)
    return Terms(nll.sum() * weight, {name: loss * len(batch.sentences) for name, loss in batch.losses.items()})


def _check_weights(weights: Dict[str, float], corpora: Corpora) -> None:
    for corpus, weight in weights.items():
        if corpus not in corpora or not weight >= 0:
            raise MTLError(E203(corpus=corpus, weight=weight, known=", ".join(corpora)))


def _check_one_width(syntax: Model, widths: Dict[str, Optional[int]]) -> None:
    if len(set(widths.values())) > 1:
        found = ", ".join(f"{corpus}: {width}" for corpus, width in widths.items())
        raise MTLError(E239(syntax=syntax.name, widths=found))


def _tag_ids(heads: Model, X: Gold, tokens: Tokens) -> np.ndarray:
    """i64[N]: the gold as tag ids. A sentence boundary inside a gold entity is no boundary."""
    borders = np.searchsorted(tokens.at, tokens.doc_starts).tolist()
    tagsets = {corpus: run(heads, corpus, True).tagset for corpus in dict.fromkeys(filter(None, X.corpora))}
    tags = np.zeros(len(tokens), dtype="int64")
    for i, corpus in enumerate(X.corpora):
        if corpus:
            spans = _without_space(X.spans[i], tokens, int(tokens.doc_starts[i]), borders[i])
            tags[borders[i] : borders[i + 1]] = tagsets[corpus].encode(borders[i + 1] - borders[i], spans)
    if len(tokens.starts) > len(np.unique(tokens.docs_of)):
        inside = np.zeros(int(tokens.doc_starts[-1]), dtype=bool)
        for offset, spans in zip(tokens.doc_starts.tolist(), X.spans):
            for start, end, _ in spans:
                inside[offset + start + 1 : offset + end] = True
        inside[tokens.at[[first for first in borders if first < len(tokens.at)]]] = False  # a document begins anew
        tokens.join(inside)
    return tags


def _without_space(spans: List[TokenSpan], tokens: Tokens, offset: int, first: int) -> List[TokenSpan]:
    """Spans of a document's tokens as spans of those that are not white space."""
    if len(tokens) == tokens.doc_starts[-1]:
        return spans
    moved = ((*(np.searchsorted(tokens.at, [offset + a, offset + b]) - first).tolist(), label) for a, b, label in spans)
    return [span for span in moved if span[0] < span[1]]


def _predict(model: Model, X: Wanted) -> Dict[str, Found]:
    heads = {corpus: run(model.layers[2], corpus, False) for corpus in X.corpora}
    tokens, _ = _tokens(model, X.docs, False)
    decoded: Dict[str, List[Tuple[TokenBatch, Decoded]]] = {corpus: [] for corpus in X.corpora}
    runtime, device = model.attrs["runtime"], device_of(model)
    for batch in tokens.batches(runtime.budget(device), device):
        with runtime.precision(device):
            features = _features(model, batch, X.corpora, False)
        for corpus, found in decode(heads, features, batch, X.scores).items():
            decoded[corpus].append((batch, found))
    return {corpus: _found(tokens, parts) for corpus, parts in decoded.items()}


def _found(tokens: Tokens, parts: List[Tuple[TokenBatch, Decoded]]) -> Found:
    """Put the entities of the batches back into the order of the text, among all tokens."""
    if any(part.spans is None for _, part in parts):
        tags = np.full(int(tokens.doc_starts[-1]), -1, dtype="int64")
        for batch, part in parts:
            tags[tokens.at[batch.flat]] = part.tags[batch.mask_array]
        nothing = np.zeros(0, dtype="int64")
        return Found(nothing, nothing, nothing, None, tags)
    starts = _joined([batch.starts[part.spans.rows] + part.spans.starts for batch, part in parts])
    ends = _joined([batch.starts[part.spans.rows] + part.spans.ends for batch, part in parts])
    labels = _joined([part.spans.labels for _, part in parts])
    order = np.argsort(starts, kind="stable")
    scores = None
    if parts and all(part.scores is not None for _, part in parts):
        scores = np.concatenate([part.scores for _, part in parts])[order]
    return Found(tokens.at[starts[order]], tokens.at[ends[order] - 1] + 1, labels[order], scores)


def _joined(arrays: List[np.ndarray]) -> np.ndarray:
    return np.concatenate([*arrays, np.zeros(0, dtype="int64")])


def _tokens(model: Model, docs: Sequence[Doc], is_train: bool):
    """The flat tokens with the upstream vectors, as a leaf of the graph, and what returns their gradient."""
    tokens = Tokens(docs)
    if len(model.layers) == 3:
        return tokens, _no_upstream
    vectors, backprop = model.layers[3](list(docs), is_train)
    widths = [len(doc) for doc in docs]
    leaf = torch.cat([xp2torch(part) for part in vectors]).to(device_of(model)).requires_grad_(is_train)
    tokens.upstream = leaf[to_device(tokens.at, leaf.device)]

    def backprop_upstream(scale: float):
        lost = leaf.grad is None or not bool(torch.isfinite(leaf.grad).all())  # such a step is left out (MTL125)
        gradient = torch.zeros_like(leaf) if lost else leaf.grad * scale
        return backprop([torch2xp(part) for part in gradient.split(widths)])

    return tokens, backprop_upstream


def _no_upstream(scale: float) -> None:
    return None


def _no_update(dY: Any) -> None:
    return None
