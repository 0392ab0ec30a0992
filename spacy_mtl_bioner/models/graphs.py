"""Training steps that a GPU has recorded: one call in place of a hundred, where small batches leave it idle."""

import weakref
from collections import Counter
from typing import Any, Callable, Dict, Hashable, List, NamedTuple, Optional, Sequence, Tuple

import torch
from thinc.api import Model
from torch import Tensor, nn

from ..layers.shim import MTLShim
from ..layers.transfer import to_device
from .batch import Maker, TokenBatch

MEETINGS = 3
"""A shape that comes so often is recorded."""


class Terms(NamedTuple):
    """The losses of a batch, scalars in the graph: the corpus' own, and those that parts added, by their names."""

    own: Tensor
    auxiliary: Dict[str, Tensor]

    def total(self) -> Tensor:
        """What the backward pass goes down."""
        return sum(self.auxiliary.values(), self.own)


Compute = Callable[[TokenBatch], Terms]


class Step(NamedTuple):
    """A recorded forward and backward pass.

    placed, makers: the arrays that it reads, and what makes them of another batch. homes: the shims of the modules that
    it knows. params, addresses: their weights, and where these were. touched, gradients: those among them that it
    learns, and where it leaves their gradients.
    """

    graph: Any
    placed: Dict[Hashable, Tensor]
    makers: Dict[Hashable, Maker]
    terms: Terms
    homes: "Homes"
    params: List[nn.Parameter]
    addresses: List[int]
    touched: List[nn.Parameter]
    gradients: List[Tensor]

    def holds(self) -> bool:
        """Whether the weights are where they were."""
        if any(shim.module is not module for shim, module in self.homes):
            return False
        return [param.data_ptr() for param in self.params] == self.addresses

    def fill(self, batch: TokenBatch) -> bool:
        """Put the arrays of another batch in the places of those that were recorded; false where a shape differs."""
        arrays = {name: make(batch) for name, make in self.makers.items()}
        if any(arrays[name].shape != place.shape for name, place in self.placed.items()):
            return False
        for name, place in self.placed.items():
            place.copy_(to_device(arrays[name], place.device))
        return True


class Replayed:
    """One run of a step. ``backprop`` may be called once, and gives the parameters the gradients that the run left."""

    def __init__(self, step: Step) -> None:
        self.step = step
        self.terms = Terms(step.terms.own.clone(), {name: loss.clone() for name, loss in step.terms.auxiliary.items()})
        self.waits = True

    @torch.no_grad()
    def backprop(self, weight: float) -> None:
        """Add ``weight`` times the gradients to those that the parameters have."""
        if weight != 1.0:
            torch._foreach_mul_(self.step.gradients, weight)
        for param, gradient in zip(self.step.touched, self.step.gradients):
            param.grad = gradient if param.grad is None else param.grad + gradient
        self.waits = False


class GraphedSteps:
    """The recorded steps of one model.

    A step can be recorded where every module says that it is ``capturable``: it takes arrays of the host from
    ``TokenBatch.put`` alone, of shapes that the batch's shape determines, and never waits for the GPU. All steps leave
    their gradients in the same places, so that one that still waits for its ``backprop``, and gradients that are not
    used up, make the next batch learn in the ordinary way. ``limit``: how many steps are kept.
    """

    def __init__(self, limit: int = 2048) -> None:
        self.limit = limit
        self.stream = self.pool = None
        self.clear()

    def clear(self) -> None:
        """Forget all: the model has other parts."""
        self.steps: Dict[Hashable, Step] = {}
        self.met: Dict[Hashable, int] = Counter()
        self.able: Dict[str, bool] = {}
        self.gradients: Dict[nn.Parameter, Tensor] = {}
        self.last: Callable[[], Optional[Replayed]] = lambda: None

    def __reduce__(self) -> Tuple[Any, ...]:
        """Copies and other processes start without."""
        return GraphedSteps, (self.limit,)

    def serves(self, corpus: str, device: torch.device, layers: Sequence[Model]) -> bool:
        """Whether there is a GPU, and all modules that learn from this corpus' batches can be recorded."""
        if device.type != "cuda":
            return False
        if corpus not in self.able:
            self.able[corpus] = all(getattr(module, "capturable", False) for _, module in homes_of(layers))
        return self.able[corpus]

    def learn(self, corpus: str, batch: TokenBatch, compute: Compute, layers: Sequence[Model]) -> Optional[Replayed]:
        """Run the step of this corpus and shape, if it is recorded or came often enough to be."""
        key = corpus, batch.shape
        step = self.steps.get(key)
        if step is not None and not step.holds():
            self.clear()
            step = None
        last = self.last()
        if last is not None and last.waits:
            return None
        if step is None:
            self.met[key] += 1
            if self.met[key] < MEETINGS or len(self.steps) >= self.limit:
                return None
        homes = homes_of(layers) if step is None else step.homes
        params = parameters(homes) if step is None else step.params
        if any(param.grad is not None for param in params):
            return None
        if step is None:
            step = self.steps[key] = self._record(batch, compute, homes, params)
        elif not step.fill(batch):
            return None
        step.graph.replay()
        replayed = Replayed(step)
        self.last = weakref.ref(replayed)
        return replayed

    def _record(self, batch: TokenBatch, compute: Compute, homes: "Homes", params: List[nn.Parameter]) -> Step:
        if self.stream is None:
            self.stream, self.pool = torch.cuda.Stream(batch.device), torch.cuda.graph_pool_handle()
        self.stream.wait_stream(torch.cuda.current_stream(batch.device))
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.stream(self.stream), torch.enable_grad():
            compute(batch).total().backward()  # puts the arrays in their places, and libraries make theirs
            touched = [param for param in params if param.grad is not None]
            for param in touched:
                param.grad = self.gradients.setdefault(param, torch.zeros_like(param))
            batch.losses.clear()
            torch.cuda.synchronize(batch.device)
            graph.capture_begin(pool=self.pool, capture_error_mode="thread_local")
            try:
                torch._foreach_zero_([param.grad for param in touched])
                terms = compute(batch)
                terms.total().backward()
            finally:
                graph.capture_end()
                for param in touched:
                    param.grad = None
        torch.cuda.current_stream(batch.device).wait_stream(self.stream)
        terms = Terms(terms.own.detach(), {name: loss.detach() for name, loss in terms.auxiliary.items()})
        gradients = [self.gradients[param] for param in touched]
        addresses = [param.data_ptr() for param in params]
        places = dict(batch.placed), dict(batch.makers)
        return Step(graph, *places, terms, homes, params, addresses, touched, gradients)


Homes = List[Tuple[MTLShim, nn.Module]]
"""Modules with the shims that own them."""


def homes_of(layers: Sequence[Model]) -> Homes:
    """All modules of these nodes and of those below."""
    shims = (shim for layer in layers for node in layer.walk() for shim in node.shims)
    return [(shim, shim.module) for shim in shims if getattr(shim, "built", False)]


def parameters(homes: Homes) -> List[nn.Parameter]:
    """Their trainable parameters."""
    return [param for _, module in homes for param in module.parameters() if param.requires_grad]
