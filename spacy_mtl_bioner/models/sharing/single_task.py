"""No sharing: an embedding and an encoder a corpus."""

from functools import partial
from typing import Any, Callable, Dict, Optional, Tuple

import torch
from thinc.api import Model

from ...layers.structure import blank_copy, initialize_with
from ...layers.torch_layer import no_backprop, run
from ...types import Corpora
from ..embed.inherit import give_words, heritage
from ..lexicon import Lexicon
from .base import Features, SharingBuilder, SharingInput, set_width


def SingleTask(encoder: Model) -> SharingBuilder:
    """Every corpus has parameters of its own; with one corpus this is the single-task model of each paper.

    encoder (Model): Encoder part, the builder of one a corpus.
    """
    return partial(_build, encoder=encoder)


def _build(embed: Model, encoder: Model) -> Model[SharingInput, Features]:
    return Model(
        "single_task", forward, init=init, dims={"nO": None}, attrs={"corpora": [], "fixed": 2}, layers=[embed, encoder]
    )


def forward(model: Model, X: SharingInput, is_train: bool) -> Tuple[Features, Callable[[Any], Any]]:
    """The features of each wanted corpus from its own embedding and encoder."""
    batch, wanted = X
    features: Dict[str, torch.Tensor] = {}
    for corpus in wanted:
        embed, encoder = parts_of(model, corpus)
        features[corpus] = run(encoder, (run(embed, batch, is_train), batch), is_train)
    return features, no_backprop


def init(model: Model, X: Optional[Lexicon] = None, Y: Optional[Corpora] = None) -> None:
    """Make and initialize the parts of each corpus that has none yet. Where there are no documents to learn words and
    characters from (a label added by hand), a new corpus starts from the first one's embedding; where the vocabulary
    has no vectors any more, from its word table."""
    source = heritage(model.layers[0], X)
    for corpus in Y or {}:  # all before the first has weights, which would be copied in vain
        if corpus not in model.attrs["corpora"]:
            if model.attrs["corpora"]:
                copied = blank_copy if X is None or X.forms else Model.copy
                model.layers.extend([copied(model.layers[0]), blank_copy(model.layers[1])])
            model.attrs["corpora"] = [*model.attrs["corpora"], corpus]
    for corpus in Y or {}:
        embed, encoder = parts_of(model, corpus)
        own = None if X is None else X.of(corpus)
        give_words(embed, source, own)
        embed.initialize(X=own)
        initialize_with(encoder, embed.maybe_get_dim("nO"))
        set_width(model, encoder.maybe_get_dim("nO"))


def parts_of(model: Model, corpus: str) -> Tuple[Model, Model]:
    """The embedding and the encoder of one corpus."""
    at = 2 * model.attrs["corpora"].index(corpus)
    return model.layers[at], model.layers[at + 1]
