"""Shared and private features that training keeps apart."""

from functools import partial
from typing import Any, Callable, Optional, Tuple

import torch
from thinc.api import Model

from ...layers.difference import difference_loss
from ...layers.discriminator import CorpusDiscriminator
from ...layers.gradient_reversal import reverse_gradient
from ...layers.structure import initialize_with
from ...layers.torch_layer import no_backprop, run
from ...types import Corpora
from ..batch import TokenBatch
from ..checks import at_least
from ..lexicon import Lexicon
from .base import Features, SharingBuilder, SharingInput, set_width
from .shared_private import shared_private


def Adversarial(
    encoder: Model,
    adversarial_weight: float = 0.01,
    difference_weight: float = 0.001,
    reversal: float = 1.0,
    last_token: bool = True,
    squared: bool = True,
    every_private: bool = True,
) -> SharingBuilder:
    """``SharedPrivate`` with two auxiliary losses of training (ADV-MTM of Wang Xi et al. 2019): shared features shall
    not tell which corpus a sentence is from, and shall be orthogonal to the private ones. Prediction is that of
    ``SharedPrivate``, at the same cost.

    ``adversarial``: a linear classifier of corpora behind a gradient reversal reads each sentence's shared features,
    and its negative log likelihood is added. ``difference``: the Frobenius norm of S^T P. Both are means over
    sentences, times their weight, under their names in ``TokenBatch.losses``. The defaults are the paper's; its program
    differs in what stands below.

    encoder (Model): Encoder part, the builder of the shared and the private ones.
    adversarial_weight (float): Weight of ``adversarial``; it scales what the classifier learns, too. 0 leaves it out.
    difference_weight (float): Weight of ``difference``. 0 leaves it out.
    reversal (float): What the classifier's gradient is multiplied with, besides -1, on its way into the shared encoder.
    last_token (bool): The classifier reads the features of a sentence's last token; false: the mean of all tokens.
    squared (bool): The squared norm; false, as the authors' program has it: the norm itself.
    every_private (bool): The sum over the private encoders of all corpora, which all read every training sentence;
        false, as the authors' program has it: the sentence's own alone, which costs less where corpora are many.
    RAISES (MTLError): MTL200 for a weight or factor below 0.
    """
    weights = {"adversarial_weight": adversarial_weight, "difference_weight": difference_weight, "reversal": reversal}
    at_least(0, "Adversarial", **weights)
    attrs = {**weights, "last_token": last_token, "squared": squared, "every_private": every_private}
    return partial(_build, encoder=encoder, attrs=attrs)


def _build(embed: Model, encoder: Model, attrs: dict) -> Model[SharingInput, Features]:
    layers = [shared_private(embed, encoder), CorpusDiscriminator()]
    return Model("adversarial", forward, init=init, dims={"nO": None}, attrs=dict(attrs), layers=layers)


def forward(model: Model, X: SharingInput, is_train: bool) -> Tuple[Features, Callable[[Any], Any]]:
    """The features of the wanted corpora; in training, where a batch is of one corpus, its losses too."""
    batch, wanted = X
    features_of, attrs = model.layers[0], model.attrs
    if not is_train:
        return run(features_of, X, False), no_backprop
    (corpus,) = wanted
    known = features_of.attrs["corpora"]
    features = run(features_of, (batch, tuple(known) if _reads_all(model) else wanted), True)
    with torch.autocast(batch.device.type, enabled=False):
        halves = {name: found.float().chunk(2, dim=-1) for name, found in features.items()}
        shared = halves[corpus][1]
        if attrs["adversarial_weight"] and len(known) > 1:
            guess = _guess(model, shared, batch, known.index(corpus))
            batch.losses["adversarial"] = attrs["adversarial_weight"] * guess
        if attrs["difference_weight"]:
            losses = [difference_loss(shared, own, batch.mask, attrs["squared"]).mean() for own, _ in halves.values()]
            batch.losses["difference"] = attrs["difference_weight"] * sum(losses)
    return {corpus: features[corpus]}, no_backprop


def init(model: Model, X: Optional[Lexicon] = None, Y: Optional[Corpora] = None) -> None:
    """Grow to the corpora; the classifier too, without a weight as well, which the next training may give it."""
    features_of, discriminator = model.layers
    features_of.initialize(X=X, Y=Y)
    width = features_of.maybe_get_dim("nO")
    if X is not None:  # without a weight it leaves the numbers that others draw as they are
        with torch.random.fork_rng(devices=[], enabled=not model.attrs["adversarial_weight"]):
            initialize_with(discriminator, width // 2, Y=len(features_of.attrs["corpora"]))
    set_width(model, width)


def _reads_all(model: Model) -> bool:
    """Whether training runs the private encoders of all corpora."""
    return model.attrs["every_private"] and model.attrs["difference_weight"] > 0


def _guess(model: Model, shared: torch.Tensor, batch: TokenBatch, corpus: int) -> torch.Tensor:
    """The mean negative log likelihood of the corpus, given each sentence's shared features."""
    sentence = _last(shared, batch) if model.attrs["last_token"] else _mean(shared, batch)
    logits = run(model.layers[1], reverse_gradient(sentence, model.attrs["reversal"]), True)
    return -torch.log_softmax(logits, dim=-1)[:, corpus].mean()


def _last(x: torch.Tensor, batch: TokenBatch) -> torch.Tensor:
    """f32[B,T,H] -> f32[B,H] of each sentence's last token."""
    return x[torch.arange(len(x), device=x.device), batch.length_tensor - 1]


def _mean(x: torch.Tensor, batch: TokenBatch) -> torch.Tensor:
    """f32[B,T,H] -> f32[B,H], the mean over each sentence's tokens."""
    return x.masked_fill(~batch.mask[:, :, None], 0.0).sum(1) / batch.length_tensor[:, None]
