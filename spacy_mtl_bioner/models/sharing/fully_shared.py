"""One embedding and one encoder for all corpora."""

from functools import partial
from typing import Any, Callable, Optional, Tuple

from thinc.api import Model

from ...layers.structure import initialize_with
from ...layers.torch_layer import no_backprop, run
from ...types import Corpora
from ..lexicon import Lexicon
from .base import Features, SharingBuilder, SharingInput, set_width


def FullyShared(encoder: Model) -> SharingBuilder:
    """All parameters but the heads are shared (FS-MTM of Wang Xi et al. 2019): one pass serves every corpus.

    encoder (Model): Encoder part.
    """
    return partial(_build, encoder=encoder)


def _build(embed: Model, encoder: Model) -> Model[SharingInput, Features]:
    return Model("fully_shared", forward, init=init, dims={"nO": None}, layers=[embed, encoder])


def forward(model: Model, X: SharingInput, is_train: bool) -> Tuple[Features, Callable[[Any], Any]]:
    """The same features for each wanted corpus."""
    batch, wanted = X
    embed, encoder = model.layers
    features = run(encoder, (run(embed, batch, is_train), batch), is_train)
    return {corpus: features for corpus in wanted}, no_backprop


def init(model: Model, X: Optional[Lexicon] = None, Y: Optional[Corpora] = None) -> None:
    """Initialize both parts."""
    embed, encoder = model.layers
    embed.initialize(X=X)
    initialize_with(encoder, embed.maybe_get_dim("nO"))
    set_width(model, encoder.maybe_get_dim("nO"))
