"""Cross-sharing: a shared encoder, a private one a corpus, and gates between the private ones."""

from functools import partial
from typing import Any, Callable, Dict, List, Optional, Tuple

import torch
from thinc.api import Model

from ...layers.structure import grow, has_weights, initialize_with, layers_of
from ...layers.torch_layer import no_backprop, run
from ...types import Corpora
from ..checks import at_least
from ..lexicon import Lexicon
from .base import Features, SharingBuilder, SharingInput, set_width
from .partners import check_partners, choose_partners, sketch


def CrossSharing(
    encoder: Model, gate: Model, max_partners: Optional[int] = 2, partners: Optional[Dict[str, List[str]]] = None
) -> SharingBuilder:
    """[gated private features ; shared features] of each corpus (CS-MTM of Wang Xi et al. 2019, equations 18 to 21).

    The private features of a corpus pass a gate that the private features of its partners open and close. A single
    corpus has no partner, and its private features pass as they are. A corpus costs 2 + ``max_partners`` encoders,
    however many there are in all.

    Partners are chosen once, when corpora join, and are saved with the weights: those corpora whose words (lower-cased;
    Jaccard similarity) are most like one's own. Of likenesses of corpora this agreed best with both published tables of
    partners, which is not much (``benchmarks/partners.py``): where there is time, try partners on devel.

    encoder (Model): Encoder part, the builder of the shared and the private ones.
    gate (Model): Gate part, the builder of one a corpus; it holds no weights itself.
    max_partners (Optional[int]): How many partners a corpus has at most; ``null``: all other corpora, as the paper's
        two.
    partners (Optional[Dict[str, List[str]]]): {corpus: its partners}; corpora that it does not name get theirs as
        above.
    RAISES (MTLError): MTL200 for a negative ``max_partners``; MTL201, once the corpora are known, for a partner that
        is none of them.
    """
    at_least(0, "CrossSharing", max_partners=max_partners)
    return partial(_build, encoder=encoder, gate=gate, max_partners=max_partners, given=partners or {})


def _build(
    embed: Model, encoder: Model, gate: Model, max_partners: Optional[int], given: Dict[str, List[str]]
) -> Model[SharingInput, Features]:
    attrs = {"corpora": [], "fixed": 3, "partners": {}, "sketches": {}, "max_partners": max_partners, "given": given}
    return Model(
        "cross_sharing", forward, init=init, dims={"nO": None}, attrs=attrs, layers=[embed, encoder, gate]
    )


def forward(model: Model, X: SharingInput, is_train: bool) -> Tuple[Features, Callable[[Any], Any]]:
    """Run the shared encoder and the private ones that are needed once, then the gates of the wanted corpora."""
    batch, wanted = X
    embed, shared = model.layers[:2]
    embedded = run(embed, batch, is_train)
    private: Dict[str, torch.Tensor] = {
        corpus: run(_private(model, corpus), (embedded, batch), is_train) for corpus in _needed(model, wanted)
    }
    common = run(shared, (embedded, batch), is_train)
    features = {}
    for corpus in wanted:
        own, partners = private[corpus], model.attrs["partners"][corpus]
        if partners:
            own = run(_gate(model, corpus), (own, [private[partner] for partner in partners]), is_train)
        features[corpus] = torch.cat([own, common], dim=-1)
    return features, no_backprop


def init(model: Model, X: Optional[Lexicon] = None, Y: Optional[Corpora] = None) -> None:
    """Add a private encoder and a gate for each new corpus; gates of old ones learn to hear the new partners.

    What was learned stays as it was: a corpus that was alone, whose features passed no gate, gets one that is open.
    """
    embed, shared, gate = model.layers[:3]
    old = {corpus: model.attrs["partners"][corpus] for corpus in model.attrs["corpora"]}
    alone = [corpus for corpus, partners in old.items() if not partners and has_weights(shared)]
    embed.initialize(X=X)
    initialize_with(shared, embed.maybe_get_dim("nO"))
    grow(model, Y or {}, shared, gate)
    _pair(model, X, old)
    for corpus, partners in model.attrs["partners"].items():
        initialize_with(_private(model, corpus), embed.maybe_get_dim("nO"))
        if partners and X is not None:
            _gate(model, corpus).attrs["late"] |= corpus in alone
            initialize_with(_gate(model, corpus), shared.get_dim("nO"), Y=len(partners))
    width = shared.maybe_get_dim("nO")
    set_width(model, width and 2 * width)


def _pair(model: Model, X: Optional[Lexicon], old: Dict[str, List[str]]) -> None:
    """Choose partners by the words of the corpora, which are noted for corpora that join later. Before a saved model is
    loaded (X is None) the choice has no meaning, for loading replaces it."""
    corpora, attrs = model.attrs["corpora"], model.attrs
    words = {} if X is None else X.words
    seen = {corpus: attrs["sketches"].get(corpus, []) if corpus in old else [] for corpus in corpora}
    attrs["sketches"] = {corpus: sketch([*seen[corpus], *words.get(corpus, ())]) for corpus in corpora}
    check_partners(attrs["given"], corpora)
    attrs["partners"] = choose_partners(corpora, attrs["sketches"], attrs["given"], attrs["max_partners"], old)


def _needed(model: Model, wanted: Tuple[str, ...]) -> List[str]:
    """The corpora whose private features the wanted ones use."""
    partners = {partner for corpus in wanted for partner in model.attrs["partners"][corpus]}
    return [corpus for corpus in model.attrs["corpora"] if corpus in wanted or corpus in partners]


def _private(model: Model, corpus: str) -> Model:
    return layers_of(model, corpus)[0]


def _gate(model: Model, corpus: str) -> Model:
    return layers_of(model, corpus)[1]
