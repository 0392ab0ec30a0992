"""Optimizers that step torch parameters in place, whole tensors or the touched rows of a table."""

from typing import Any, Dict, List, Mapping, Sequence, Tuple, Union

import torch
from spacy.util import registry
from thinc.api import Optimizer
from thinc.util import torch2xp, xp2torch
from torch import Tensor
from torch.optim.adam import adam
from torch.optim.rmsprop import rmsprop

from .averages import Decays, RowAverages
from .checks import not_negative

FloatOrSchedule = Union[float, Any]
"""A number, or a thinc schedule of numbers."""


class TensorOptimizer(Optimizer):
    """A thinc optimizer that updates torch tensors with torch's own kernels.

    A rule says which running statistics it keeps and how one step works (``_apply``); everything else is here. What a
    step does not touch stays as it is: a parameter without gradient, and every row of a table that has none. Statistics
    of such rows decay as in a dense step, but only when the row is met again. A parameter whose shape changes (a model
    that gets labels or corpora) starts its statistics and averages afresh. ``grad_clip`` limits the *global* norm,
    which ``mtl_ner`` applies; parameters of stock Thinc layers are clipped one by one, as thinc does.

    learn_rate: a number or schedule. grad_clip: largest gradient norm, 0 for none. L2: decoupled weight decay of
    matrices; biases and the gains of norms have none (thinc's own optimizers get flat arrays and cannot tell).
    use_averages: keep running averages for evaluation and the saved model. average_decay: their largest decay.
    Raises MTL147 for a negative number, and for statistics or averages that would never change.
    """

    def __init__(
        self,
        learn_rate: FloatOrSchedule,
        statistics: Mapping[str, float],
        *,
        grad_clip: float,
        L2: float,
        use_averages: bool,
        average_decay: float,
    ) -> None:
        part = type(self).__name__.strip("_")
        not_negative(part, learn_rate=learn_rate, grad_clip=grad_clip, L2=L2)
        not_negative(part, below=1, average_decay=average_decay)
        super().__init__(learn_rate, grad_clip=grad_clip, L2=L2, use_averages=use_averages)
        self.statistics = dict(statistics)
        self.decays = Decays(average_decay)
        self.state: Dict[Any, Dict[str, Tensor]] = {}
        self._steps: Dict[Any, int] = {}

    def _apply(self, params: List[Tensor], grads: List[Tensor], states: List[Dict[str, Tensor]], lr: float) -> None:
        raise NotImplementedError

    def step_tensors(self, touched: Sequence[Tuple[Any, Tensor]], *, lr_scale: float = 1.0) -> None:
        """One step of each parameter from its ``.grad``, dense or sparse, at ``lr_scale`` times the learning rate."""
        dense = [(key, param.data, param.grad) for key, param in touched if not param.grad.is_sparse]
        if dense:
            self._step_dense(dense, lr_scale * self.learn_rate)
        for key, param in touched:
            if param.grad.is_sparse:
                self._step_rows(key, param.data, param.grad.coalesce(), lr_scale * self.learn_rate)

    def __call__(self, key: Any, weights: Any, gradient: Any, *, lr_scale: float = 1.0) -> Tuple[Any, Any]:
        """One step of a parameter of a Thinc layer, as thinc's own optimizers take it."""
        if gradient.size:
            tensor = xp2torch(gradient)
            if self.grad_clip:
                tensor.mul_(min(1.0, self.grad_clip / (float(tensor.norm()) + 1e-6)))
            self._step_dense([(key, xp2torch(weights), tensor)], lr_scale * self.learn_rate)
            gradient *= 0
            if self.averages is not None and isinstance(self.averages[key], Tensor):
                self.averages[key] = torch2xp(self.averages[key])  # Thinc layers take arrays; the memory is shared
        return weights, gradient

    @torch.no_grad()
    def _step_dense(self, triples: Sequence[Tuple[Any, Tensor, Tensor]], lr: float) -> None:
        params, grads = [param for _, param, _ in triples], [grad for _, _, grad in triples]
        states = [self._state(key, param) for key, param, _ in triples]
        self._decay_weights(params, lr)
        self._apply(params, grads, states, lr)
        steps = [self._count(key, state) for (key, _, _), state in zip(triples, states)]
        if self.averages is None:
            return
        alike: Dict[int, List[Tuple[Tensor, Tensor]]] = {}
        for (key, param, _), step in zip(triples, steps):
            if key not in self.averages or self.averages[key].shape != param.shape:
                self.averages[key] = param.clone()
            average = self.averages[key]
            average = average if isinstance(average, Tensor) else xp2torch(average)
            alike.setdefault(step, []).append((average, param))
        for step, pairs in alike.items():
            averages, moved = zip(*pairs)
            torch._foreach_lerp_(averages, moved, 1.0 - self.decays.at(step))

    @torch.no_grad()
    def _step_rows(self, key: Any, table: Tensor, gradient: Tensor, lr: float) -> None:
        rows, grads = gradient.indices()[0], gradient.values()
        state = self._state(key, table)
        if "last" not in state or len(state["last"]) != len(table):
            state["last"] = torch.zeros(len(table), dtype=torch.int64, device=table.device)
        last = state["last"]
        missed = (state["step"].to(last.dtype) - last[rows])[:, None]
        local = {"step": state["step"]}
        for name, decay in self.statistics.items():
            local[name] = state[name][rows] * torch.pow(decay, missed)
        before = table[rows]
        after = before.clone()
        self._decay_weights([after], lr)
        self._apply([after], [grads], [local], lr)
        table[rows] = after
        for name in self.statistics:
            state[name][rows] = local[name]
        last[rows] = self._count(key, state)
        if self.averages is not None:
            if key not in self.averages or self.averages[key].average.shape != table.shape:
                self.averages[key] = RowAverages(table, self.decays)
            self.averages[key].weights = table
            self.averages[key].update(rows, before, after)

    def _state(self, key: Any, param: Tensor) -> Dict[str, Tensor]:
        """The statistics of a parameter, zero at first. torch's kernels do not compare shapes: they would write beyond
        the end of statistics that are smaller than the parameter."""
        state = self.state.get(key)
        if state is None or any(state[name].shape != param.shape for name in self.statistics):
            state = self.state[key] = {name: torch.zeros_like(param) for name in self.statistics}
            state["step"] = torch.zeros((), dtype=torch.float32, device=param.device)
            self._steps[key] = 0
        return state

    def _count(self, key: Any, state: Dict[str, Tensor]) -> int:
        """Count a step of a parameter on the host, as ``_apply`` did in its state: to read that makes a GPU wait, so it
        is read once, where a training goes on."""
        known = self._steps.get(key)
        self._steps[key] = int(state["step"]) if known is None else known + 1
        return self._steps[key]

    def _decay_weights(self, params: List[Tensor], lr: float) -> None:
        matrices = [param for param in params if param.dim() > 1]  # not biases and the gains of norms
        if self.L2 and matrices:
            torch._foreach_mul_(matrices, 1.0 - lr * self.L2)


class _Adam(TensorOptimizer):
    def _apply(self, params: List[Tensor], grads: List[Tensor], states: List[Dict[str, Tensor]], lr: float) -> None:
        adam(
            params,
            grads,
            [state["exp_avg"] for state in states],
            [state["exp_avg_sq"] for state in states],
            [],
            [state["step"] for state in states],
            fused=True,
            amsgrad=False,
            beta1=self.b1,
            beta2=self.b2,
            lr=lr,
            weight_decay=0.0,
            eps=self.eps,
            maximize=False,
        )


class _RMSprop(TensorOptimizer):
    def _apply(self, params: List[Tensor], grads: List[Tensor], states: List[Dict[str, Tensor]], lr: float) -> None:
        rmsprop(
            params,
            grads,
            [state["square_avg"] for state in states],
            [],
            [],
            [state["step"] for state in states],
            foreach=True,
            lr=lr,
            alpha=self.statistics["square_avg"],
            eps=self.eps,
            weight_decay=0.0,
            momentum=0.0,
            centered=False,
        )


class _SGD(TensorOptimizer):
    def _apply(self, params: List[Tensor], grads: List[Tensor], states: List[Dict[str, Tensor]], lr: float) -> None:
        torch._foreach_add_([state["step"] for state in states], 1.0)
        if self.statistics:
            buffers = [state["momentum"] for state in states]
            torch._foreach_mul_(buffers, self.statistics["momentum"])
            torch._foreach_add_(buffers, grads)
            grads = buffers
        torch._foreach_add_(params, grads, alpha=-lr)


@registry.optimizers("spacy_mtl_bioner.Adam.v1")
def Adam(
    learn_rate: FloatOrSchedule = 0.001,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
    L2: float = 0.0,
    grad_clip: float = 5.0,
    use_averages: bool = True,
    average_decay: float = 0.999,
) -> Optimizer:
    """Adam (Kingma & Ba 2015); with ``L2`` AdamW. For the other arguments see ``TensorOptimizer``."""
    not_negative("Adam", below=1, beta1=beta1, beta2=beta2)
    optimizer = _Adam(
        learn_rate,
        {"exp_avg": beta1, "exp_avg_sq": beta2},
        grad_clip=grad_clip,
        L2=L2,
        use_averages=use_averages,
        average_decay=average_decay,
    )
    optimizer.b1, optimizer.b2, optimizer.eps = beta1, beta2, eps
    return optimizer


@registry.optimizers("spacy_mtl_bioner.RMSprop.v1")
def RMSprop(
    learn_rate: FloatOrSchedule = 0.001,
    alpha: float = 0.95,
    eps: float = 1e-8,
    L2: float = 0.0,
    grad_clip: float = 5.0,
    use_averages: bool = True,
    average_decay: float = 0.999,
) -> Optimizer:
    """RMSprop (Tieleman & Hinton 2012) with the smoothing constant of Wang Xi et al. 2019. See ``TensorOptimizer``."""
    not_negative("RMSprop", below=1, alpha=alpha)
    optimizer = _RMSprop(
        learn_rate,
        {"square_avg": alpha},
        grad_clip=grad_clip,
        L2=L2,
        use_averages=use_averages,
        average_decay=average_decay,
    )
    optimizer.eps = eps
    return optimizer


@registry.optimizers("spacy_mtl_bioner.SGD.v1")
def SGD(
    learn_rate: FloatOrSchedule = 0.01,
    momentum: float = 0.9,
    L2: float = 0.0,
    grad_clip: float = 5.0,
    use_averages: bool = True,
    average_decay: float = 0.999,
) -> Optimizer:
    """Gradient descent with heavy-ball momentum (Sutskever et al. 2013): ``m = momentum * m + g``, ``w -= rate * m``.

    What a step does not touch stands still, whatever momentum it has left; that momentum fades meanwhile, so that a
    word met rarely moves by its gradients alone. For the other arguments see ``TensorOptimizer``.
    """
    not_negative("SGD", below=1, momentum=momentum)
    return _SGD(
        learn_rate,
        {"momentum": momentum} if momentum else {},
        grad_clip=grad_clip,
        L2=L2,
        use_averages=use_averages,
        average_decay=average_decay,
    )
