"""In which order the corpora give their batches during an epoch; all draw from Python's global ``random``."""

import math
import random
from itertools import accumulate
from typing import Callable, Dict, Iterable, List, Mapping, Optional

from spacy.util import registry

from ..errors import E147, E149, MTLError

Schedule = Callable[[Mapping[str, int], int], List[str]]
"""(corpus -> batches in one pass over it, sorted by name; epoch, from 0) -> the corpus of each step of the epoch.

A corpus that is named more often than it has batches starts over, shuffled anew; one named less often is sampled.
"""


def _check(part: str, setting: str, names: Iterable[str], sizes: Mapping[str, int]) -> None:
    for name in names:
        if name not in sizes:
            raise MTLError(E149(part=part, setting=setting, corpus=name, known=", ".join(sizes)))


def _largest(sizes: Mapping[str, int]) -> str:
    return max(sizes, key=lambda name: sizes[name])


def _shuffled(counts: Mapping[str, int]) -> List[str]:
    order = [name for name, count in counts.items() for _ in range(count)]
    random.shuffle(order)
    return order


@registry.misc("spacy_mtl_bioner.Proportional.v1")
def proportional(temperature: float = 1.0) -> Schedule:
    """Every batch of every corpus exactly once, shuffled.

    With a ``temperature`` above 1 an epoch is as long, but a corpus' share of it is proportional to
    ``batches ** (1 / temperature)``, at least one batch: small corpora are repeated, large ones sampled.
    """
    if not temperature >= 1:
        raise MTLError(E147(part="Proportional", setting="temperature", found=temperature, expected="1.0 or more"))

    def schedule(sizes: Mapping[str, int], epoch: int) -> List[str]:
        if temperature == 1:
            return _shuffled(sizes)
        return _shuffled(_shares(sizes, temperature))

    return schedule


def _shares(sizes: Mapping[str, int], temperature: float) -> Dict[str, int]:
    """Share out as many batches as there are by weight, at least one each, the rest by largest remainder."""
    total, weights = sum(sizes.values()), {name: size ** (1 / temperature) for name, size in sizes.items()}
    free = total - len(sizes)
    exact = {name: free * weight / sum(weights.values()) for name, weight in weights.items()}
    shares = {name: 1 + math.floor(share) for name, share in exact.items()}
    by_remainder = sorted(exact, key=lambda name: math.floor(exact[name]) - exact[name])
    for name in by_remainder[: total - sum(shares.values())]:
        shares[name] += 1
    return shares


@registry.misc("spacy_mtl_bioner.Balanced.v1")
def balanced(batches: Optional[int] = None) -> Schedule:
    """The same number of batches from each corpus, shuffled.

    ``batches`` is that number; by default it is that of the largest corpus, so that no example is left out and
    the smaller corpora are repeated. With fewer, the larger corpora give a random part, another one each epoch.
    """
    if batches is not None and batches < 1:
        raise MTLError(E147(part="Balanced", setting="batches", found=batches, expected="1 or more, or null"))

    def schedule(sizes: Mapping[str, int], epoch: int) -> List[str]:
        each = max(sizes.values()) if batches is None else batches
        return _shuffled(dict.fromkeys(sizes, each))

    return schedule


@registry.misc("spacy_mtl_bioner.Alternate.v1")
def alternate(main: Optional[str] = None) -> Schedule:
    """Strictly in turn: ``main``, then the others by name, and again, until ``main`` has given every batch once.

    ``main`` is the largest corpus by default. The others are repeated or sampled as the length demands.
    """

    def schedule(sizes: Mapping[str, int], epoch: int) -> List[str]:
        first = main if main is not None else _largest(sizes)
        _check("Alternate", "main", [first], sizes)
        return [first, *(name for name in sizes if name != first)] * sizes[first]

    return schedule


@registry.misc("spacy_mtl_bioner.Random.v1")
def draw(main: Optional[str] = None, weights: Optional[Dict[str, float]] = None) -> Schedule:
    """Draw the corpus of each step at random, by ``weights`` (default: all alike; a corpus without a weight: 0).

    An epoch has as many steps as all corpora have batches; with ``main``, as many as give that corpus one pass
    on average (with two corpora drawn alike, twice its batches).
    """
    odd = [weight for weight in (weights or {}).values() if not 0 <= weight < math.inf]
    if odd or weights is not None and not sum(weights.values()):
        raise MTLError(E147(part="Random", setting="weights", found=weights, expected="numbers >= 0, not all 0"))

    def schedule(sizes: Mapping[str, int], epoch: int) -> List[str]:
        _check("Random", "weights", weights or (), sizes)
        chances = dict.fromkeys(sizes, 1.0) if weights is None else {name: weights.get(name, 0.0) for name in sizes}
        steps = sum(sizes.values())
        if main is not None:
            _check("Random", "main", [main], sizes)
            if not chances[main]:
                raise MTLError(E147(part="Random", setting="main", found=main, expected="a corpus of some weight"))
            steps = round(sizes[main] * sum(chances.values()) / chances[main])
        return random.choices(list(sizes), cum_weights=list(accumulate(chances.values())), k=steps)

    return schedule


@registry.misc("spacy_mtl_bioner.Sequential.v1")
def sequential(order: Optional[List[str]] = None, epochs: Optional[Dict[str, int]] = None) -> Schedule:
    """One corpus to its end, and then the next, every batch once; ``order`` comes first, the others follow by name.

    ``epochs`` trains the corpora it names alone, in its own order, for so many epochs each, before all the others
    begin: ``{"GENIA-pos": 20}`` is an auxiliary task that is learned to the end first. They do not come back, so
    that one of 0 epochs is not trained at all; where there are no others, the last of them goes on. Raises MTL147 for
    fewer, and where nothing is left to train.
    """
    if any(count < 0 for count in (epochs or {}).values()):
        raise MTLError(E147(part="Sequential", setting="epochs", found=epochs, expected="0 or more for each"))
    alone = [name for name, count in (epochs or {}).items() for _ in range(count)]

    def schedule(sizes: Mapping[str, int], epoch: int) -> List[str]:
        _check("Sequential", "order", order or (), sizes)
        _check("Sequential", "epochs", epochs or (), sizes)
        names = dict.fromkeys([*(order or ()), *sizes])
        rest = [name for name in names if name not in (epochs or {})] or alone[-1:]
        if not rest:
            raise MTLError(E147(part="Sequential", setting="epochs", found=epochs, expected="1 or more for a corpus"))
        now = [alone[epoch]] if epoch < len(alone) else rest
        return [name for name in now for _ in range(sizes[name])]

    return schedule


@registry.misc("spacy_mtl_bioner.OneCorpus.v1")
def one_corpus() -> Schedule:
    """Every batch of one corpus, which is drawn anew for each epoch, all alike (Wang Xuan et al. 2018): an epoch is a
    pass over one corpus."""

    def schedule(sizes: Mapping[str, int], epoch: int) -> List[str]:
        drawn = random.choice(list(sizes))
        return [drawn] * sizes[drawn]

    return schedule
