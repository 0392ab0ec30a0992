"""A shared encoder, and a private one a corpus that reads only its own."""

from functools import partial
from typing import Any, Callable, Optional, Tuple

import torch
from thinc.api import Model

from ...layers.structure import grow, initialize_with, layers_of
from ...layers.torch_layer import no_backprop, run
from ...types import Corpora
from ..lexicon import Lexicon
from .base import Features, SharingBuilder, SharingInput, set_width


def SharedPrivate(encoder: Model) -> SharingBuilder:
    """[private features ; shared features] of each corpus (SP-MTM of Wang Xi et al. 2019): the embedding and one
    encoder are shared, and a second encoder is the corpus' own.

    encoder (Model): Encoder part, the builder of the shared and the private ones.
    """
    return partial(shared_private, encoder=encoder)


def shared_private(embed: Model, encoder: Model) -> Model[SharingInput, Features]:
    """The node; other parts build on it. A corpus' features are f32[B,T,2H], its private half first."""
    attrs = {"corpora": [], "fixed": 2}
    return Model("shared_private", forward, init=init, dims={"nO": None}, attrs=attrs, layers=[embed, encoder])


def forward(model: Model, X: SharingInput, is_train: bool) -> Tuple[Features, Callable[[Any], Any]]:
    """Run the shared encoder once and the private ones of the wanted corpora."""
    batch, wanted = X
    embed, shared = model.layers[:2]
    embedded = run(embed, batch, is_train)
    common = run(shared, (embedded, batch), is_train)
    features = {}
    for corpus in wanted:
        (private,) = layers_of(model, corpus)
        features[corpus] = torch.cat([run(private, (embedded, batch), is_train), common], dim=-1)
    return features, no_backprop


def init(model: Model, X: Optional[Lexicon] = None, Y: Optional[Corpora] = None) -> None:
    """Add a private encoder for each new corpus."""
    embed, shared = model.layers[:2]
    embed.initialize(X=X)
    initialize_with(shared, embed.maybe_get_dim("nO"))
    grow(model, Y or {}, shared)
    for private in model.layers[2:]:
        initialize_with(private, embed.maybe_get_dim("nO"))
    width = shared.maybe_get_dim("nO")
    set_width(model, width and 2 * width)
