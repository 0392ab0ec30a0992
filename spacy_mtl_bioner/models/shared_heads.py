"""One output layer over the tags of all corpora, of which each corpus uses its own."""

from typing import Any, Callable, Dict, Iterator, Mapping, Optional, Set, Tuple

import torch
from thinc.api import Model

from ..errors import E236, E237, MTLError
from ..layers.no_fill import NoFill
from ..layers.shim import MTLShim
from ..layers.structure import blank_copy, initialize_with
from ..layers.torch_layer import no_backprop, shim_of
from ..layers.transfer import to_device
from ..types import KINDS, Corpora, CorpusSpec
from .decoder.tagset import TagSet
from .heads import Head, HeadsBuilder


def SharedHeads() -> HeadsBuilder:
    """All parameters of the output layer are shared (Zhang & Chen 2022): corpora with a label of the same name share
    its tags, and every corpus of kind ``spans`` shares Outside.

    A corpus' head is the part of the layer that its own tags select. The others' are masked: they have no probability,
    in training or prediction, and are never found. Corpora of kind ``tags`` share a layer among themselves.
    """
    return _build


def _build(decoder: Model) -> Model[str, Head]:
    return Model("shared_heads", forward, init=init, attrs={"corpora": {}}, layers=[decoder, blank_copy(decoder)])


def forward(model: Model, corpus: str, is_train: bool) -> Tuple[Head, Callable[[Any], Any]]:
    """The head of one corpus."""
    kind, labels = model.attrs["corpora"][corpus]
    return SharedHead(_layer(model, kind), CorpusSpec(kind, tuple(labels)), is_train), no_backprop


def init(model: Model, X: Optional[Mapping[str, Optional[int]]] = None, Y: Optional[Corpora] = None) -> None:
    """Give the layer of each kind the labels of its corpora, after those that it has.

    Raises MTL236 for a decoder that cannot be shared, MTL237 for corpora whose features differ in width.
    """
    old = dict(model.attrs["corpora"])
    model.attrs["corpora"] = {corpus: [spec.kind, list(spec.labels)] for corpus, spec in (Y or {}).items()}
    for kind in KINDS:
        specs = {corpus: spec for corpus, spec in (Y or {}).items() if spec.kind == kind}
        if X is not None and specs:
            before = {label for corpus in specs if corpus in old for label in specs[corpus].labels}
            _extend(_layer(model, kind), kind, specs, {corpus: X[corpus] for corpus in specs}, before)


def _layer(model: Model, kind: str) -> Model:
    return model.layers[KINDS.index(kind)]


def _extend(layer: Model, kind: str, specs: Corpora, widths: Dict[str, Any], before: Set[str]) -> None:
    """A layer that has weights keeps them. What joins a corpus that it knows starts unlikely; labels that only new
    corpora have start as in a new layer."""
    if len(set(widths.values())) > 1:
        raise MTLError(E237(widths=", ".join(f"{corpus}: {width}" for corpus, width in widths.items())))
    shim = shim_of(layer)
    known = shim.module.tagset.spec.labels if shim.built else ()
    labels = tuple(dict.fromkeys([*known, *(label for spec in specs.values() for label in spec.labels)]))
    initialize_with(layer, next(iter(widths.values())), Y=CorpusSpec(kind, labels))
    if not hasattr(shim.module, "tag_axes"):
        raise MTLError(E236(decoder=layer.name))
    strangers = tuple(label for label in labels if label not in known and label not in before)
    if known and strangers:
        _start_afresh(shim, CorpusSpec(kind, strangers))


@torch.no_grad()
def _start_afresh(shim: MTLShim, spec: CorpusSpec) -> None:
    whole, fresh = shim.module, shim.module_class(**(shim.arguments or {})).state_dict()
    tagset: TagSet = whole.tagset
    chosen = torch.zeros(tagset.size, dtype=torch.bool)
    chosen[torch.from_numpy(TagSet(spec, tagset.scheme.name).among(tagset))] = True
    chosen[0] &= spec.kind == "tags"
    for name, axes in whole.tag_axes.items():
        at = chosen if axes == 1 else chosen[:, None] | chosen[None, :]
        rows = whole.state_dict()[name].view(*at.shape, -1)
        rows[at.to(rows.device)] = fresh[name].view(*at.shape, -1)[at].to(rows.device)


class SharedHead(Head):
    """A corpus' part of a shared output layer: a node with a module of its own tags, which borrows the numbers that the
    layer has for these tags.

    Modules of decoders say in ``tag_axes`` how many axes of a parameter or buffer, from the first, are tags; they may
    be flattened into one.
    """

    stands_alone = False

    def __init__(self, layer: Model, spec: CorpusSpec, is_train: bool) -> None:
        self.whole = shim_of(layer).module
        views: Dict[CorpusSpec, Model] = self.whole.__dict__.setdefault("views", {})
        # What prediction makes first must serve training too, and the numbers that a module begins with are never used:
        # whether it is made now or was before must not show in what is drawn next.
        if spec not in views:
            with torch.inference_mode(False), NoFill():
                views[spec] = blank_copy(layer)
                arguments = {**(shim_of(layer).arguments or {}), "kind": spec.kind, "labels": list(spec.labels)}
                shim_of(views[spec]).build(**arguments)
        with torch.inference_mode(False):
            self.own = shim_of(views[spec]).module.to(next(self.whole.parameters()).device)
        super().__init__(views[spec], is_train)
        if not is_train:  # heads may decode together, without a call
            self._borrow()

    def __call__(self, *inputs: Any) -> Any:
        """Loss or decoded tags; what the module noted down in its buffers goes back to the layer."""
        if self.is_train:
            self._borrow()
        found = super().__call__(*inputs)
        if self.is_train:
            for name, axes, ids in self._shared():
                buffer = dict(self.whole.named_buffers()).get(name)
                if buffer is not None:
                    buffer[torch.meshgrid(*[ids] * axes, indexing="ij")] = self.own.get_buffer(name)
            self._let_go()
        return found

    def _let_go(self) -> None:
        """Keep no graph alive through the module, which then can be copied; the next call borrows anew."""
        for name, _, _ in self._shared():
            path, _, attribute = name.rpartition(".")
            owner = self.own.get_submodule(path)
            setattr(owner, attribute, getattr(owner, attribute).detach())

    def _shared(self) -> Iterator[Tuple[str, int, torch.Tensor]]:
        """Each shared tensor with its axes, and the tags of this corpus."""
        ids = to_device(self.tagset.among(self.whole.tagset), next(self.whole.parameters()).device)
        for name, axes in self.whole.tag_axes.items():
            yield name, axes, ids

    def _borrow(self) -> None:
        """Put the rows of this corpus' tags, in the graph of the layer's own, where the module has its parameters."""
        for name, axes, ids in self._shared():
            path, _, attribute = name.rpartition(".")
            owner = self.own.get_submodule(path)
            whole = getattr(self.whole.get_submodule(path), attribute)
            rows = whole.reshape(*[self.whole.tagset.size] * axes, -1)
            for axis in range(axes):
                rows = rows.index_select(axis, ids)
            rows = rows.reshape(getattr(owner, attribute).shape)
            owner._parameters.pop(attribute, None)  # else only a Parameter could take its place
            setattr(owner, attribute, rows)
