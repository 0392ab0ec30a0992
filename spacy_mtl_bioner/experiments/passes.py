"""How many steps a pass is, so that patience and evaluations mean the same for any number of corpora."""

from typing import Any, Dict, Iterable, Mapping, NamedTuple, Optional

from spacy.training import Example

from ..errors import E306, MTLError
from ..training.batcher import CorpusBatches, by_corpus

EPOCHS = 1000
"""After so many epochs without the main corpus there is something wrong with the schedule."""


class Passes(NamedTuple):
    """lead: steps before the main corpus begins. steps: of one pass over it, those of its partners included."""

    lead: int
    steps: float


def count_passes(examples: Iterable[Example], batches: CorpusBatches, main: Optional[str], system: str) -> Passes:
    """Return the steps of one pass over ``main``; without one, over all corpora. Raises MTLError (MTL306)."""
    sizes = {name: len(list(batches.inner(group))) for name, group in by_corpus(examples).items()}
    if main is None:
        return Passes(0, sum(sizes.values()))
    lead = 0
    for epoch in range(EPOCHS):
        order = batches.schedule(sizes, epoch)
        if main in order:
            return Passes(lead, len(order) * sizes[main] / order.count(main))
        lead += len(order)
    raise MTLError(E306(system=system, corpus=main, epochs=EPOCHS))


def limits(passes: Passes, protocol: Mapping[str, Any]) -> Mapping[str, int]:
    """Return the settings of ``[training]`` that count steps. A protocol may count in steps, too: at most
    ``max_steps``, and ``min_eval_frequency`` of them between two evaluations, where passes are short and devel is long.

    spaCy evaluates at multiples of ``eval_frequency``: it is fitted to the length, so that the last weights, too, are
    scored. After ``lead`` steps without the main corpus the patience of the rest is longer by these: spaCy counts from
    the best evaluation, which may be the first.
    """
    passed = round(passes.steps * protocol["max_passes"])
    most = passes.lead + min(passed, protocol.get("max_steps") or passed)
    least = protocol.get("min_eval_frequency") or 1
    evaluations = max(1, min(round(most * protocol["evaluations"] / passes.steps), most // least))
    frequency = max(1, most // evaluations)
    return {
        "eval_frequency": frequency,
        "patience": passes.lead + round(passes.steps * protocol["patience"]),
        "max_steps": max(1, most // frequency) * frequency,
        "max_epochs": 0,
    }


def fill_schedules(optimizer: Dict[str, Any], passes: Passes, max_steps: int) -> None:
    """Give schedules in an optimizer's block what they leave null: ``steps``, those of a pass, so that a rate that
    falls once an epoch falls alike for one corpus and for several; ``passes``, those of the longest training."""
    steps = max(1, round(passes.steps))
    known = {"steps": steps, "passes": max_steps / steps}
    for block in optimizer.values():
        if isinstance(block, dict):
            block.update((name, value) for name, value in known.items() if name in block and block[name] is None)
