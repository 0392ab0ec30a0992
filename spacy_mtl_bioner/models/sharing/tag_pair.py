"""All parameters shared; marks around a sentence say which corpus shall tag it."""

from functools import partial
from typing import Any, Callable, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np
import torch
from thinc.api import Model
from torch import nn

from ...layers.structure import initialize_with
from ...layers.torch_layer import no_backprop, run, shim_of, torch_layer
from ...layers.transfer import to_device
from ...types import Corpora, CorpusSpec
from ..batch import TokenBatch
from ..framed import FramedBatch
from ..lexicon import Lexicon
from ..marks import Marks
from .base import Features, SharingBuilder, SharingInput, set_width


class Pair(NamedTuple):
    """The marks of a corpus, in front of a sentence and behind it."""

    before: Tuple[str, ...]
    after: Tuple[str, ...]


def TagPair(encoder: Model, corpus: bool = True, label: bool = False, end: bool = True) -> SharingBuilder:
    """``<corpus> ... </corpus>`` around each sentence tells the shared parameters whose annotation is wanted (MTM of
    Zhang & Chen 2022); with ``SharedHeads`` the output layer is shared too.

    An embedding part that reads marks (``TaggedTransformer``) has them as pieces of its own. In front of other
    embeddings, whose vectors do not depend on the neighbors, they are learned vectors of the embedding's width, which
    the encoder reads at the ends of the sentence. Corpora with the same marks share one pass; sentences are computed
    once for each distinct pair, all in one batch.

    encoder (Model): Encoder part.
    corpus (bool): Whether the corpus' name is a mark.
    label (bool): Whether its labels are marks, one each (corpora of kind ``tags`` have none).
    end (bool): Whether the marks also stand behind the sentence. Without any mark corpora are mixed as they are (DM).
    """
    return partial(_build, encoder=encoder, options=(corpus, label, end))


def _build(embed: Model, encoder: Model, options: Tuple[bool, bool, bool]) -> Model[SharingInput, Features]:
    table = torch_layer("mark_table", MarkTable, init=_init_table, dims={"nI": None})
    attrs = {"options": list(options), "pairs": {}}
    return Model("tag_pair", forward, init=init, dims={"nO": None}, attrs=attrs, layers=[embed, encoder, table])


def forward(model: Model, X: SharingInput, is_train: bool) -> Tuple[Features, Callable[[Any], Any]]:
    """Run the encoder over the sentences of each distinct pair; features of marks are left out."""
    batch, wanted = X
    embed, encoder, table = model.layers
    pair_of = {corpus: Pair(*map(tuple, model.attrs["pairs"][corpus])) for corpus in wanted}
    pairs = list(dict.fromkeys(pair_of.values()))
    if shim_of(table).built:
        embedded, framed = run(table, (run(embed, batch, is_train), batch, pairs), is_train)
        heads = [len(pair.before) for pair in pairs]
    else:
        framed = prepare(batch, pairs)
        embedded, heads = run(embed, framed, is_train), [0] * len(pairs)
    encoded = run(encoder, (embedded, framed), is_train).unflatten(0, (len(pairs), -1))
    steps = batch.shape[1]
    parts = {pair: encoded[i, :, head : head + steps] for i, (pair, head) in enumerate(zip(pairs, heads))}
    return {corpus: parts[pair] for corpus, pair in pair_of.items()}, no_backprop


def prepare(batch: TokenBatch, pairs: Sequence[Pair]) -> TokenBatch:
    """The sentences of a batch once for each pair, with the marks for the embedding to read."""
    copies = TokenBatch(batch.tokens, np.tile(batch.sentences, len(pairs)), batch.device, batch.shape[1])
    copies.losses = batch.losses
    copies.marks = Marks(tuple(pair.before for pair in pairs), tuple(pair.after for pair in pairs))
    return copies


def init(model: Model, X: Optional[Lexicon] = None, Y: Optional[Corpora] = None) -> None:
    """Give the marks of new corpora and labels their rows; what was there stays as it is."""
    embed, encoder, table = model.layers
    pairs = {corpus: marks_of(corpus, spec, *model.attrs["options"]) for corpus, spec in (Y or {}).items()}
    model.attrs["pairs"] = {corpus: [list(pair.before), list(pair.after)] for corpus, pair in pairs.items()}
    if X is not None:
        X.marks = list(dict.fromkeys(mark for pair in pairs.values() for mark in (*pair.before, *pair.after)))
    embed.initialize(X=X)
    initialize_with(encoder, embed.maybe_get_dim("nO"))
    if not any(node.attrs.get("reads_marks") for node in embed.walk()):
        initialize_with(table, embed.maybe_get_dim("nO"), X=X)
    set_width(model, encoder.maybe_get_dim("nO"))


def marks_of(corpus: str, spec: CorpusSpec, use_corpus: bool, use_labels: bool, end: bool) -> Pair:
    """The marks of a corpus, the outer ones first: ``<corpus> <label> ... </label> </corpus>``."""
    names = [corpus] if use_corpus else []
    if use_labels and spec.kind == "spans":
        names.extend(spec.labels)
    return Pair(tuple(f"<{name}>" for name in names), tuple(f"</{name}>" for name in reversed(names) if end))


def _init_table(model: Model, X: Optional[Lexicon] = None, Y: object = None) -> None:
    shim = shim_of(model)
    if X is None or not model.has_dim("nI"):
        return
    if not shim.built:
        shim.build(names=[], width=model.get_dim("nI"))
    shim.arguments["names"] = shim.module.add(X.marks)


class MarkTable(nn.Module):
    """A vector a mark, put before and behind the embedded sentences."""

    def __init__(self, names: List[str], width: int) -> None:
        super().__init__()
        self.names: List[str] = []
        self.weight = nn.Parameter(torch.empty(0, width))
        self.add(names)

    @torch.no_grad()
    def add(self, names: Sequence[str]) -> List[str]:
        """Give each new name a row, uniform in +-sqrt(3/D). Returns all names."""
        new = [name for name in names if name not in self.names]
        if new:
            bound = (3.0 / self.weight.shape[1]) ** 0.5
            rows = self.weight.new_empty(len(new), self.weight.shape[1]).uniform_(-bound, bound)
            self.weight = nn.Parameter(torch.cat([self.weight, rows]))
            self.names = [*self.names, *new]
        return list(self.names)

    def forward(
        self, embedded: torch.Tensor, batch: TokenBatch, pairs: Sequence[Pair]
    ) -> Tuple[torch.Tensor, FramedBatch]:
        """f32[B,T,D] -> f32[k*B,T',D]: the sentences of each pair with its marks around, and their batch."""
        framed = FramedBatch(batch, [len(pair.before) for pair in pairs], [len(pair.after) for pair in pairs])
        size = int(np.prod(batch.shape))
        used = list(dict.fromkeys(name for pair in pairs for marks in pair for name in marks))
        ids = {name: size + i for i, name in enumerate(used)}
        rows = framed.rows.reshape(len(pairs), len(batch.lengths), -1)
        sentences = np.arange(len(batch.lengths))[:, None]
        for i, (before, after) in enumerate(pairs):
            rows[i, :, : len(before)] = [ids[name] for name in before]
            behind = len(before) + batch.lengths[:, None] + np.arange(len(after))
            rows[i, sentences, behind] = [ids[name] for name in after]
        known = to_device(np.asarray([self.names.index(name) for name in used], dtype="int64"), embedded.device)
        marks = nn.functional.embedding(known, self.weight, sparse=True)  # others' marks stay where they are
        table = torch.cat([embedded.flatten(0, 1), marks.to(embedded.dtype)])
        return nn.functional.embedding(to_device(rows, table.device), table).flatten(0, 1), framed
