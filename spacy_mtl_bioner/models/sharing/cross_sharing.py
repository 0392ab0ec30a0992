"""Cross-sharing: a shared encoder, a private one a corpus, and gates between the private ones."""

from functools import partial
from typing import Any, Callable, Dict, List, Optional, Tuple

import torch
from thinc.api import Model

from ...layers.structure import blank_copy, has_weights, initialize_with
from ...layers.torch_layer import no_backprop, run
from ...types import Corpora
from ..lexicon import Lexicon
from .base import Features, SharingBuilder, SharingInput


def CrossSharing(encoder: Model, gate: Model) -> SharingBuilder:
    """[gated private features ; shared features] of each corpus (CS-MTM of Wang Xi et al. 2019, equations 18 to 21).

    All private encoders read every sentence, and each corpus' private features pass a gate that the other corpora's
    open and close. A single corpus has no partner, and its private features pass as they are.

    encoder (Model): Encoder part, the builder of the shared and the private ones.
    gate (Model): Gate part, the builder of one a corpus; it holds no weights itself.
    """
    return partial(_build, encoder=encoder, gate=gate)


def _build(embed: Model, encoder: Model, gate: Model) -> Model[SharingInput, Features]:
    attrs, layers = {"corpora": [], "fixed": 3}, [embed, encoder, gate]
    return Model("cross_sharing", forward, init=init, dims={"nO": None}, attrs=attrs, layers=layers)


def forward(model: Model, X: SharingInput, is_train: bool) -> Tuple[Features, Callable[[Any], Any]]:
    """Run the shared encoder and the private ones once, then the gates of the wanted corpora."""
    batch, wanted = X
    embed, shared, _ = model.layers[:3]
    embedded = run(embed, batch, is_train)
    private: Dict[str, torch.Tensor] = {
        corpus: run(_private(model, corpus), (embedded, batch), is_train)
        for corpus in _needed(model, wanted)
    }
    common = run(shared, (embedded, batch), is_train)
    features = {}
    for corpus in wanted:
        own = private[corpus]
        partners = _partners(model, corpus)
        if partners:
            own = run(_gate(model, corpus), (own, [private[partner] for partner in partners]), is_train)
        features[corpus] = torch.cat([own, common], dim=-1)
    return features, no_backprop


def init(model: Model, X: Optional[Lexicon] = None, Y: Optional[Corpora] = None) -> None:
    """Add a private encoder and a gate for each new corpus; gates of old ones learn to hear the new partners.

    What was learned stays as it was: a corpus that was alone, whose features passed no gate, gets one that is open.
    """
    embed, shared, gate = model.layers[:3]
    alone = [corpus for corpus in model.attrs["corpora"] if not _partners(model, corpus) and has_weights(shared)]
    embed.initialize(X=X)
    initialize_with(shared, embed.maybe_get_dim("nO"))
    for corpus in Y or {}:
        if corpus not in model.attrs["corpora"]:
            model.layers.extend([blank_copy(shared), blank_copy(gate)])
            model.attrs["corpora"] = [*model.attrs["corpora"], corpus]
    for corpus in model.attrs["corpora"]:
        initialize_with(_private(model, corpus), embed.maybe_get_dim("nO"))
        partners = _partners(model, corpus)
        if partners and X is not None:
            _gate(model, corpus).attrs["late"] |= corpus in alone
            initialize_with(_gate(model, corpus), shared.get_dim("nO"), Y=len(partners))
    model.set_dim("nO", 2 * shared.get_dim("nO"), force=True)


def _needed(model: Model, wanted: Tuple[str, ...]) -> List[str]:
    """The corpora whose private features the wanted ones use."""
    partners = {partner for corpus in wanted for partner in _partners(model, corpus)}
    return [corpus for corpus in model.attrs["corpora"] if corpus in wanted or corpus in partners]


def _partners(model: Model, corpus: str) -> List[str]:
    return [other for other in model.attrs["corpora"] if other != corpus]


def _private(model: Model, corpus: str) -> Model:
    return model.layers[3 + 2 * model.attrs["corpora"].index(corpus)]


def _gate(model: Model, corpus: str) -> Model:
    return model.layers[4 + 2 * model.attrs["corpora"].index(corpus)]
