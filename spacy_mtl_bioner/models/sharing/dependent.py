"""An auxiliary task whose hidden layer the other tasks read beside their own."""

from functools import partial
from typing import Any, Callable, Optional, Tuple

import torch
from thinc.api import Model

from ...errors import E221, E222, MTLError
from ...layers.structure import blank_copy, initialize_with
from ...layers.torch_layer import no_backprop, run
from ...types import Corpora
from ..lexicon import Lexicon
from .base import Features, SharingBuilder, SharingInput, set_width


def Dependent(encoder: Model, auxiliary: str, frozen: bool = False) -> SharingBuilder:
    """[own features ; features of the auxiliary task] for every corpus but the auxiliary one (D-MTM of Crichton et al.
    2017, whose auxiliary task is the part of speech).

    There are two branches, each with an embedding and an encoder of its own: that of the auxiliary corpus, whose head
    reads it alone, and one that all other corpora share. Let the auxiliary corpus be learned first, with the schedule
    ``Sequential`` and its ``epochs``; or take it from a training that has ended, with the callback
    ``adopt_auxiliary``.

    encoder (Model): Encoder part, the builder of both.
    auxiliary (str): The auxiliary corpus, of any kind.
    frozen (bool): Whether the other corpora leave the auxiliary branch as it is; published: they train it further.
    RAISES (MTLError): MTL222 without a name; MTL221, at initialization, where there is no such corpus.
    """
    if not auxiliary:
        raise MTLError(E222())
    return partial(_build, encoder=encoder, auxiliary=auxiliary, frozen=frozen)


def _build(embed: Model, encoder: Model, auxiliary: str, frozen: bool) -> Model[SharingInput, Features]:
    attrs = {"auxiliary": auxiliary, "frozen": frozen, "widths": {}}
    layers = [embed, encoder, blank_copy(embed), blank_copy(encoder)]
    return Model("dependent", forward, init=init, dims={"nO": None}, attrs=attrs, layers=layers)


def forward(model: Model, X: SharingInput, is_train: bool) -> Tuple[Features, Callable[[Any], Any]]:
    """Run the auxiliary branch, and the other one where a corpus besides the auxiliary one is wanted."""
    batch, wanted = X
    embed, encoder = model.layers[:2]
    other_embed, other_encoder = auxiliary_parts(model)
    auxiliary = model.attrs["auxiliary"]
    learns = auxiliary in wanted or not model.attrs["frozen"]
    with torch.set_grad_enabled(torch.is_grad_enabled() and learns):
        embedded = run(other_embed, batch, is_train and learns)
        hidden = run(other_encoder, (embedded, batch), is_train and learns)
    features = {auxiliary: hidden} if auxiliary in wanted else {}
    others = [corpus for corpus in wanted if corpus != auxiliary]
    if others:
        own = run(encoder, (run(embed, batch, is_train), batch), is_train)
        features.update(dict.fromkeys(others, torch.cat([own, hidden.to(own.dtype)], dim=-1)))
    return features, no_backprop


def auxiliary_parts(model: Model) -> Tuple[Model, Model]:
    """The embedding and the encoder of the auxiliary corpus."""
    return model.layers[2], model.layers[3]


def init(model: Model, X: Optional[Lexicon] = None, Y: Optional[Corpora] = None) -> None:
    """Initialize both branches; the auxiliary head reads half of what the others read."""
    embed, encoder = model.layers[:2]
    auxiliary = model.attrs["auxiliary"]
    if Y and auxiliary not in Y:
        raise MTLError(E221(corpus=auxiliary, known=", ".join(Y)))
    for vectors, reader in ((embed, encoder), auxiliary_parts(model)):
        vectors.initialize(X=X)
        initialize_with(reader, vectors.maybe_get_dim("nO"))
    width = encoder.maybe_get_dim("nO")
    if width is not None:
        set_width(model, 2 * width)
        model.attrs["widths"] = {auxiliary: width}
