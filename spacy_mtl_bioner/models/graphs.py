"""Training steps captured as CUDA graphs: one call in place of hundreds, where small batches leave a GPU idle."""

import warnings
import weakref
from collections import Counter
from itertools import chain
from typing import Any, Callable, Dict, Hashable, List, Mapping, NamedTuple, Optional, Sequence, Tuple

import numpy as np
import torch
from thinc.api import Model
from torch import Tensor, nn

from ..errors import E136
from ..layers.recording import recording
from ..layers.shim import MTLShim
from ..layers.transfer import to_device
from .batch import Maker, TokenBatch

MEETINGS = 3
"""A step is captured when its sizes come so often."""

Arrays = Mapping[Hashable, np.ndarray]


class Terms(NamedTuple):
    """The losses of a batch, scalars in the graph: the corpus' own, and those that parts added, by their names."""

    own: Tensor
    auxiliary: Dict[str, Tensor]

    def total(self) -> Tensor:
        """What the backward pass goes down."""
        return sum(self.auxiliary.values(), self.own)

    def detached(self) -> "Terms":
        """The same without an autograd graph."""
        return Terms(self.own.detach(), {name: loss.detach() for name, loss in self.auxiliary.items()})


Compute = Callable[[TokenBatch], Terms]


class Step(NamedTuple):
    """A captured forward and backward pass.

    inputs: the arrays that it reads. assumed: bools; where one is false, a replay is void. learned, gradients: the
    parameters that have a gradient, and where it is after a replay.
    """

    graph: Any
    inputs: Dict[Hashable, Tensor]
    terms: Terms
    assumed: List[Tensor]
    learned: List[nn.Parameter]
    gradients: List[Tensor]

    def replay(self, arrays: Arrays) -> bool:
        """Compute losses and gradients from these arrays; false where what was assumed is not so."""
        for name, place in self.inputs.items():
            place.copy_(to_device(arrays[name], place.device))
        self.graph.replay()
        return not self.assumed or all(torch.stack(self.assumed).tolist())


class Replayed:
    """What a replay gave. ``backprop`` may be called once."""

    def __init__(self, step: Step) -> None:
        self.step = step
        self.terms = Terms(step.terms.own.clone(), {name: loss.clone() for name, loss in step.terms.auxiliary.items()})
        self.waits = True

    @torch.no_grad()
    def backprop(self, weight: float = 1.0) -> None:
        """Add ``weight`` times the gradients to those that the parameters have."""
        for param, gradient in zip(self.step.learned, self.step.gradients):
            if weight != 1.0:
                (gradient._values() if gradient.is_sparse else gradient).mul_(weight)
            # Not the step's own tensor: adding to a sparse one in place gives it other memory.
            param.grad = gradient.detach() if param.grad is None else param.grad + gradient
        self.waits = False


class Known(NamedTuple):
    """What a corpus' batches learn: makers, which make their arrays; the modules with the shims that own them; where
    the modules' tensors are, and whether they are trained; and the trained ones."""

    makers: Dict[Hashable, Maker]
    modules: List[Tuple[MTLShim, nn.Module]]
    tensors: List[Tuple[int, bool]]
    params: List[nn.Parameter]

    def holds(self) -> bool:
        """Whether all is where it was."""
        if any(not shim.built or shim.module is not module for shim, module in self.modules):
            return False
        return tensors_of(self.modules) == self.tensors


class GraphedSteps:
    """The captured steps of one model, each for one corpus and arrays of certain shapes.

    A step can be captured where every module says that it is ``capturable``: it takes arrays of the host from
    ``TokenBatch.put`` alone, and asks nothing of the GPU but by ``layers.recording``. All steps leave dense gradients
    in the same places, so that one that still waits for its ``backprop``, and gradients that are not used up, make the
    next batch learn in the ordinary way. Who changes a setting of a part between steps (a dropout rate, the strength of
    a gradient reversal) has to ``clear`` them.

    limit: how many steps are kept.
    """

    def __init__(self, limit: int = 2048) -> None:
        self.limit = limit
        self.clear()

    def clear(self) -> None:
        """Forget all: the model has other parts. The memory pool of graphs that are gone cannot be used again."""
        self.steps: Dict[Hashable, Step] = {}
        self.counts: Dict[Hashable, int] = Counter()
        self.known: Dict[str, Known] = {}
        self.capturable: Dict[str, bool] = {}
        self.gradients: Dict[nn.Parameter, Tensor] = {}
        self.last: Callable[[], Optional[Replayed]] = lambda: None
        self.stream = self.pool = None

    def __reduce__(self) -> Tuple[Any, ...]:
        """Copies and other processes start without."""
        return GraphedSteps, (self.limit,)

    def serves(self, corpus: str, device: torch.device, layers: Sequence[Model]) -> bool:
        """Whether there is a GPU, and all that learns from this corpus' batches can be captured."""
        if device.type != "cuda":
            return False
        if corpus not in self.capturable:
            nodes = [node for layer in layers for node in layer.walk()]
            ours = all(isinstance(shim, MTLShim) for node in nodes for shim in node.shims)
            plain = any(node.param_names for node in nodes)
            can = all(getattr(module, "capturable", False) for _, module in modules_of(layers))
            self.capturable[corpus] = ours and can and not plain
        return self.capturable[corpus]

    def learn(
        self, corpus: str, batch: TokenBatch, compute: Compute, layers: Sequence[Model], settings: Hashable = None
    ) -> Optional[Replayed]:
        """Replay the step of this corpus, these sizes and ``settings``, if it is captured or came often enough to be.
        None: the batch has to learn in the ordinary way."""
        known = self.known.get(corpus)
        if known is None or not known.holds():
            if known is not None:
                self.clear()
            modules = modules_of(layers)
            params = [param for _, module in modules for param in module.parameters() if param.requires_grad]
            # The ordinary way fills the makers.
            self.known[corpus] = Known(batch.makers, modules, tensors_of(modules), params)
            return None
        arrays = {name: make(batch) for name, make in known.makers.items()}
        key = corpus, settings, batch.shape, *(array.shape for array in arrays.values())
        step = self.steps.get(key)
        if step is None:
            self.counts[key] += 1
        often = self.counts[key] >= MEETINGS and len(self.steps) < self.limit
        free = (step is not None or often) and self._is_free(known.params)
        if free and step is None:
            _place(batch, arrays)
            step = self._capture(key, batch, compute, known)
        if free and step is not None and step.replay(arrays):
            replayed = Replayed(step)
            self.last = weakref.ref(replayed)
            return replayed
        _place(batch, arrays)
        return None

    def _is_free(self, params: List[nn.Parameter]) -> bool:
        """Whether the places of the gradients are."""
        last = self.last()
        return (last is None or not last.waits) and all(param.grad is None for param in params)

    def _capture(self, key: Hashable, batch: TokenBatch, compute: Compute, known: Known) -> Optional[Step]:
        """Capture and keep a step; where that fails, MTL136 is a warning, and no further one is tried."""
        random, params = random_state(batch.device), known.params
        if self.stream is None and batch.device.type == "cuda":
            self.stream, self.pool = torch.cuda.Stream(batch.device), torch.cuda.graph_pool_handle()
        batch.makers = {}
        try:
            step = capture(batch, compute, params, self.gradients, self.stream, self.pool)
        except RuntimeError as error:
            self.limit = len(self.steps)  # PyTorch gives no word for what is left by a capture that failed
            warnings.warn(E136(reason=str(error).splitlines()[0]))
            return None
        finally:
            for param in params:
                param.grad = None
            batch.losses.clear()
            set_random_state(random, batch.device)  # a replay draws what the ordinary way would have drawn
        if batch.makers:  # an array that no batch before had: the next ones are captured with it
            known.makers.update(batch.makers)
            return None
        self.steps[key] = step
        return step


def capture(
    batch: TokenBatch,
    compute: Compute,
    params: List[nn.Parameter],
    gradients: Dict[nn.Parameter, Tensor],
    stream: Any,
    pool: Any,
) -> Step:
    """Capture forward and backward pass of a batch, whose arrays are placed, on a stream of its own.

    gradients: where dense gradients are, of all steps; sparse ones are new in each. The steps may share one memory
    pool, in whatever order they are replayed, since all that outlives a capture stays referenced. Raises RuntimeError
    where the host asks for something in between.
    """
    device = batch.device
    stream.wait_stream(torch.cuda.current_stream(device))
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.stream(stream), torch.enable_grad():
        compute(batch).total().backward()  # a warm-up, in which libraries take the memory that they keep
        learned = [param for param in params if param.grad is not None]
        dense = [param for param in learned if not param.grad.is_sparse]
        for param in learned:
            param.grad = None
        for param in dense:
            param.grad = gradients.setdefault(param, torch.zeros_like(param))
        batch.losses.clear()
        torch.cuda.synchronize(device)
        graph.capture_begin(pool=pool, capture_error_mode="thread_local")
        try:
            with recording() as assumed:
                torch._foreach_zero_([param.grad for param in dense])
                terms = compute(batch)
                terms.total().backward()
                found = [param.grad for param in learned]
        finally:
            graph.capture_end()
    torch.cuda.current_stream(device).wait_stream(stream)
    return Step(graph, dict(batch.placed), terms.detached(), assumed, learned, found)


def _place(batch: TokenBatch, arrays: Arrays) -> None:
    """Let the ordinary way have what was made already."""
    batch.placed.update({name: to_device(array, batch.device) for name, array in arrays.items()})


def random_state(device: torch.device) -> Optional[Tensor]:
    """The state of a GPU's random generator."""
    return torch.cuda.get_rng_state(device) if device.type == "cuda" else None


def set_random_state(state: Optional[Tensor], device: torch.device) -> None:
    """Go on from there."""
    if state is not None:
        torch.cuda.set_rng_state(state, device)


def modules_of(layers: Sequence[Model]) -> List[Tuple[MTLShim, nn.Module]]:
    """All modules of these nodes and of those below, with their shims."""
    shims = (shim for layer in layers for node in layer.walk() for shim in node.shims)
    return [(shim, shim.module) for shim in shims if isinstance(shim, MTLShim) and shim.built]


def tensors_of(modules: Sequence[Tuple[MTLShim, nn.Module]]) -> List[Tuple[int, bool]]:
    """Where their parameters and buffers are, and which are trained."""
    tensors = chain.from_iterable(chain(module.parameters(), module.buffers()) for _, module in modules)
    return [(tensor.data_ptr(), tensor.requires_grad) for tensor in tensors]
