"""Training steps that a GPU has recorded: one call in place of hundreds, where small batches leave it idle."""

import weakref
from collections import Counter
from typing import Any, Callable, Dict, Hashable, List, Mapping, NamedTuple, Optional, Sequence, Tuple

import numpy as np
import torch
from thinc.api import Model
from torch import Tensor, nn

from ..layers.recording import recording
from ..layers.shim import MTLShim
from ..layers.transfer import to_device
from .batch import Maker, TokenBatch

MEETINGS = 3
"""Sizes that come so often are recorded."""


def roomy(length: int) -> int:
    """A length of at least ``length`` with at most three binary digits that count: 9 -> 10, 25 -> 28, 70 -> 80."""
    unit = max(2, (1 << (length.bit_length() - 1)) // 4)
    return -(-length // unit) * unit


class Terms(NamedTuple):
    """The losses of a batch, scalars in the graph: the corpus' own, and those that parts added, by their names."""

    own: Tensor
    auxiliary: Dict[str, Tensor]

    def total(self) -> Tensor:
        """What the backward pass goes down."""
        return sum(self.auxiliary.values(), self.own)

    def free(self) -> "Terms":
        """Copies without a graph."""
        return Terms(self.own.detach().clone(), {name: loss.detach().clone() for name, loss in self.auxiliary.items()})


Compute = Callable[[TokenBatch], Terms]
Homes = List[Tuple[MTLShim, nn.Module]]
"""Modules with the shims that own them."""


class Step(NamedTuple):
    """A recorded forward and backward pass.

    placed: the arrays that it reads. assumed: bools; where one is false, a run is void. homes: the shims of the modules
    that it knows. params, addresses: their weights, and where these were. touched, gradients: those among them that it
    learns, and where it leaves their gradients.
    """

    graph: Any
    placed: Dict[Hashable, Tensor]
    terms: Terms
    assumed: List[Tensor]
    homes: Homes
    params: List[nn.Parameter]
    addresses: List[int]
    touched: List[nn.Parameter]
    gradients: List[Tensor]

    def holds(self) -> bool:
        """Whether the weights are where they were."""
        if any(shim.module is not module for shim, module in self.homes):
            return False
        return [param.data_ptr() for param in self.params] == self.addresses

    def run(self, arrays: Mapping[Hashable, np.ndarray]) -> bool:
        """Compute losses and gradients from these arrays; false where what was assumed is not so."""
        for name, place in self.placed.items():
            place.copy_(to_device(arrays[name], place.device))
        self.graph.replay()
        return not self.assumed or all(torch.stack(self.assumed).tolist())


class Replayed:
    """One run of a step. ``backprop`` may be called once, and gives the parameters the gradients that the run left."""

    def __init__(self, step: Step) -> None:
        self.step = step
        self.terms = step.terms.free()
        self.waits = True

    @torch.no_grad()
    def backprop(self, weight: float) -> None:
        """Add ``weight`` times the gradients to those that the parameters have."""
        for param, gradient in zip(self.step.touched, self.step.gradients):
            if weight != 1.0:
                (gradient._values() if gradient.is_sparse else gradient).mul_(weight)
            param.grad = gradient if param.grad is None else param.grad + gradient
        self.waits = False


class GraphedSteps:
    """The recorded steps of one model, each for one corpus and arrays of certain shapes.

    A step can be recorded where every module says that it is ``capturable``: it takes arrays of the host from
    ``TokenBatch.put`` alone, and asks nothing of the GPU but by ``layers.recording``. All steps leave dense gradients
    in the same places, so that one that still waits for its ``backprop``, and gradients that are not used up, make the
    next batch learn in the ordinary way. limit: how many steps are kept.
    """

    def __init__(self, limit: int = 2048) -> None:
        self.limit = limit
        self.stream = self.pool = None
        self.clear()

    def clear(self) -> None:
        """Forget all: the model has other parts."""
        self.steps: Dict[Hashable, Step] = {}
        self.met: Dict[Hashable, int] = Counter()
        self.makers: Dict[str, Dict[Hashable, Maker]] = {}
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
        """Run the step of this corpus and these sizes, if it is recorded or came often enough to be. None: the batch
        has to learn in the ordinary way."""
        if corpus not in self.makers:
            self.makers[corpus] = batch.makers  # which the ordinary way fills
            return None
        arrays = {name: make(batch) for name, make in self.makers[corpus].items()}
        key = corpus, batch.shape, *(array.shape for array in arrays.values())
        step = self.steps.get(key)
        last = self.last()
        if step is not None and not step.holds():
            self.clear()
            return None
        if step is None:
            self.met[key] += 1
        if step is not None or self.met[key] >= MEETINGS and len(self.steps) < self.limit:
            homes = homes_of(layers) if step is None else step.homes
            params = parameters(homes) if step is None else step.params
            if not (last is not None and last.waits) and all(param.grad is None for param in params):
                if step is None:
                    _place(batch, arrays)
                    step = self.steps[key] = self._record(batch, compute, homes, params)
                    self.makers[corpus] = {**batch.makers, **self.makers[corpus]}
                    arrays = {name: make(batch) for name, make in self.makers[corpus].items()}
                if step.run(arrays):
                    replayed = Replayed(step)
                    self.last = weakref.ref(replayed)
                    return replayed
        _place(batch, arrays)
        return None

    def _record(self, batch: TokenBatch, compute: Compute, homes: Homes, params: List[nn.Parameter]) -> Step:
        device = batch.device
        if self.stream is None:
            self.stream, self.pool = torch.cuda.Stream(device), torch.cuda.graph_pool_handle()
        self.stream.wait_stream(torch.cuda.current_stream(device))
        random = torch.cuda.get_rng_state(device)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.stream(self.stream), torch.enable_grad():
            compute(batch).total().backward()  # libraries make their places
            touched = [param for param in params if param.grad is not None]
            dense = [param for param in touched if not param.grad.is_sparse]
            for param in touched:
                param.grad = None
            for param in dense:
                param.grad = self.gradients.setdefault(param, torch.zeros_like(param))
            batch.losses.clear()
            torch.cuda.synchronize(device)
            graph.capture_begin(pool=self.pool, capture_error_mode="thread_local")
            try:
                with recording() as assumed:
                    torch._foreach_zero_([param.grad for param in dense])
                    terms = compute(batch)
                    terms.total().backward()
                    gradients = [param.grad for param in touched]
            finally:
                graph.capture_end()
                for param in touched:
                    param.grad = None
        torch.cuda.current_stream(device).wait_stream(self.stream)
        torch.cuda.set_rng_state(random, device)  # a run draws what the ordinary way would have drawn
        terms = Terms(terms.own.detach(), {name: loss.detach() for name, loss in terms.auxiliary.items()})
        addresses = [param.data_ptr() for param in params]
        return Step(graph, dict(batch.placed), terms, assumed, homes, params, addresses, touched, gradients)


def _place(batch: TokenBatch, arrays: Mapping[Hashable, np.ndarray]) -> None:
    """Let the ordinary way have what was made already."""
    batch.placed.update({name: to_device(array, batch.device) for name, array in arrays.items()})


def homes_of(layers: Sequence[Model]) -> Homes:
    """All modules of these nodes and of those below."""
    shims = (shim for layer in layers for node in layer.walk() for shim in node.shims)
    return [(shim, shim.module) for shim in shims if getattr(shim, "built", False)]


def parameters(homes: Homes) -> List[nn.Parameter]:
    """Their trainable parameters."""
    return [param for _, module in homes for param in module.parameters() if param.requires_grad]
