"""One head a corpus, made from one builder."""

from typing import Any, Callable, Dict, Hashable, List, Mapping, Optional, Tuple

from thinc.api import Model

from ..layers.structure import grow, initialize_with, layers_of
from ..layers.torch_layer import no_backprop, run, shim_of
from ..types import Corpora
from .batch import TokenBatch
from .decoder.base import Decoded
from .decoder.tagset import TagSet
from .sharing.base import Features


class Head:
    """A corpus' head at work: called with what ``decoder.base.HeadInput`` says.

    node: its decoder part. module: that part's module. tagset: its tags.
    """

    stands_alone = True
    """Its module owns all that it learns."""

    def __init__(self, node: Model, is_train: bool) -> None:
        self.node = node
        self.is_train = is_train
        self.module = shim_of(node).module
        self.tagset: TagSet = self.module.tagset

    def __call__(self, *inputs: Any) -> Any:
        """The loss of each sentence, or the decoded tags."""
        return run(self.node, inputs, self.is_train)


def decode(heads: Mapping[str, Head], features: Features, batch: TokenBatch, scores: bool) -> Dict[str, Decoded]:
    """What each corpus' head finds in its features.

    Decoders whose module has a ``family`` (hashable) say that ``decode_together`` serves all heads of one family that
    read the same features; the others run one by one.
    """
    groups: Dict[Hashable, List[str]] = {}
    for corpus, head in heads.items():
        key = id(features[corpus]), getattr(head.module, "family", corpus)
        groups.setdefault(key, []).append(corpus)
    found: Dict[str, Decoded] = {}
    for corpora in groups.values():
        members, shared = [heads[corpus] for corpus in corpora], features[corpora[0]]
        if len(members) == 1:
            found[corpora[0]] = members[0](shared, batch, None, scores)
        else:
            modules = [member.module for member in members]
            found.update(zip(corpora, modules[0].decode_together(modules, shared, batch, scores)))
    return found


HeadsBuilder = Callable[[Model], Model[str, Head]]
"""The output layers, which wait for their decoder part: a node from a corpus' name to its head, with the corpora in
``attrs["corpora"]``, in their order."""


def Heads(decoder: Model) -> Model[str, Head]:
    """The heads of all corpora as layers of one node; ``layers[0]`` is the builder and holds no weights.

    decoder (Model): Decoder part.
    """
    return Model("heads", forward, init=init, attrs={"corpora": [], "fixed": 1}, layers=[decoder])


def head_of(model: Model, corpus: str) -> Model:
    """The head of one corpus."""
    (head,) = layers_of(model, corpus)
    return head


def forward(model: Model, corpus: str, is_train: bool) -> Tuple[Head, Callable[[Any], Any]]:
    """A corpus' own layer."""
    return Head(head_of(model, corpus), is_train), no_backprop


def init(model: Model, X: Optional[Mapping[str, Optional[int]]] = None, Y: Optional[Corpora] = None) -> None:
    """Add the heads that are missing and give each its labels.

    X: the width of each corpus' features; None builds the structure alone.
    """
    grow(model, Y or {}, model.layers[0])
    for corpus, spec in (Y or {}).items():
        if X is not None:
            initialize_with(head_of(model, corpus), X[corpus], Y=spec)
