"""Some parts of the embedding, or the encoder, for all corpora; the others one a corpus."""

from functools import partial
from typing import Any, Callable, Dict, List, Optional, Tuple

import torch
from thinc.api import Model

from ...errors import E202, MTLError
from ...layers.structure import grow, has_weights, initialize_with, layers_of
from ...layers.torch_layer import no_backprop, run
from ...types import Corpora
from ..embed.inherit import give_words, heritage
from ..lexicon import Lexicon
from .base import Features, SharingBuilder, SharingInput, set_width


def PartlyShared(encoder: Model, shared: List[str], shared_encoder: bool = False) -> SharingBuilder:
    """A scope of sharing (Wang Xuan et al. 2018): the named parts of the embedding are shared by all corpora, the
    others and the encoder are a corpus' own. MTM-C shares the characters, ``["char_bilstm"]``; MTM-W the words and the
    encoder over them, ``["word_vectors"]`` with ``shared_encoder``. Their MTM-CW is ``FullyShared``.

    The parts are those of ``ConcatEmbed`` (or the embedding itself) and are named by what they are, as Thinc does
    (``Model.name``): ``word_vectors``, ``char_cnn``, ... The names of the config's ``*`` block do not reach the model.
    Shared parts run once a batch; an encoder, though shared, once a corpus where parts before it are private.

    encoder (Model): Encoder part, the builder of one a corpus or the shared one.
    shared (List[str]): Names of the shared parts of the embedding.
    shared_encoder (bool): Whether the encoder is shared.
    RAISES (MTLError): MTL202 for a name that no part of the embedding has.
    """
    return partial(_build, encoder=encoder, shared=list(shared), shared_encoder=shared_encoder)


def _build(embed: Model, encoder: Model, shared: List[str], shared_encoder: bool) -> Model[SharingInput, Features]:
    parts = list(embed.layers) if embed.name == "concat_embed" else [embed]
    names = [part.name for part in parts]
    for name in shared:
        if name not in names:
            raise MTLError(E202(name=name, known=", ".join(names)))
    attrs = {"corpora": [], "fixed": len(parts) + 1, "private": [name not in shared for name in names]}
    attrs["private"].append(not shared_encoder)
    return Model("partly_shared", forward, init=init, dims={"nO": None}, attrs=attrs, layers=[*parts, encoder])


def forward(model: Model, X: SharingInput, is_train: bool) -> Tuple[Features, Callable[[Any], Any]]:
    """Each part once for the corpora that share it; those that share all get one tensor."""
    batch, wanted = X
    vectors: Dict[int, torch.Tensor] = {}
    encoded: Dict[Tuple[int, ...], torch.Tensor] = {}
    features: Dict[str, torch.Tensor] = {}
    for corpus in wanted:
        *parts, encoder = used = _used(model, corpus)
        for part in parts:
            if id(part) not in vectors:
                vectors[id(part)] = run(part, batch, is_train)
        way = tuple(map(id, used))
        if way not in encoded:
            embedded = torch.cat([vectors[id(part)] for part in parts], dim=-1)
            encoded[way] = run(encoder, (embedded, batch), is_train)
        features[corpus] = encoded[way]
    return features, no_backprop


def init(model: Model, X: Optional[Lexicon] = None, Y: Optional[Corpora] = None) -> None:
    """Make and initialize what each new corpus has for itself. Where there are no documents to learn words and
    characters from (a label added by hand), its embedding starts from the first corpus' one; where the vocabulary has
    no vectors any more, its word table does."""
    builders = [layer for layer, private in zip(model.layers, model.attrs["private"]) if private]
    grow(model, Y or {}, *builders)
    first = model.attrs["corpora"][:1]
    sources = [heritage(part, X) for name in first for part in _used(model, name)[:-1]]
    for corpus in Y or {}:
        *parts, encoder = _used(model, corpus)
        for part, other, source, private in zip(parts, _used(model, *first), sources, model.attrs["private"]):
            if X is not None and not X.forms and not has_weights(part):
                part.from_bytes(other.to_bytes())
            learned = X.of(corpus) if X is not None and private else X
            give_words(part, source, learned)
            part.initialize(X=learned)
        widths = [part.maybe_get_dim("nO") for part in parts]
        initialize_with(encoder, None if None in widths else sum(widths))
        set_width(model, encoder.maybe_get_dim("nO"))


def _used(model: Model, corpus: str) -> List[Model]:
    """The parts that serve a corpus, the encoder last: its own and the shared ones."""
    own = iter(layers_of(model, corpus))
    return [next(own) if private else layer for layer, private in zip(model.layers, model.attrs["private"])]
