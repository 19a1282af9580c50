"""SGD with momentum, and LARS, for one model or for K stacked models with different learning rates.

A parameter of a stacked network concatenates the members' parameters along dimension 0. One tensor of learning
rates that broadcasts against the parameter therefore gives every member its own rate. All members share the
factor of the learning-rate schedule.
"""

from collections.abc import Iterable, Mapping, Sequence

import torch
from torch import Tensor, nn

from trainables.config import TrainingConfig
from trainables.training.fused_updates import sgd_, trust_ratio, trusted
from trainables.training.schedule import peak_learning_rate


class StackedOptimizer:
    """`step(factor)` updates every member k with its peak learning rate times `factor`.

    SGD: `b <- m b + (g + w p)`, `p <- p - rate b` (torch.optim.SGD without dampening). LARS scales the gradient
    with decay by `trust * ||p|| / ||g + w p||`, separately for each member and layer (You et al. 2017, arXiv
    1708.03888, algorithm 1, with the decay inside as in SimCLR's code). One-dimensional parameters (those of
    batch norm, and biases) get neither decay nor trust ratio.

    `copies` holds bfloat16 copies of parameters, with which the network computes. A copy then provides the gradient
    of its parameter, and gets the parameter's value after every update. With SGD on CUDA, one member's update is
    one operator for the parameters with decay and one for those without; LARS takes one for the decay, one for the
    ratios and one for the update.
    """

    def __init__(
        self,
        parameters: Iterable[nn.Parameter],
        configs: Sequence[TrainingConfig],
        copies: Mapping[Tensor, nn.Parameter] | None = None,
    ) -> None:
        self._parameters: list[Tensor] = [parameter for parameter in parameters if parameter.requires_grad]
        self._copies = {p: copy for p, copy in (copies or {}).items() if p.requires_grad}
        self._upcast = [torch.zeros_like(p) for p in self._copies]
        self._shared, self._members = configs[0], len(configs)
        self._weights = [index for index, p in enumerate(self._parameters) if p.ndim > 1]
        self._others = [index for index, p in enumerate(self._parameters) if p.ndim <= 1]
        rates = torch.tensor([peak_learning_rate(config) for config in configs])
        self._peak = rates[0].to(self._parameters[0])
        self._peaks = [self._by_row(rates.to(p), p) for p in self._parameters] if self._members > 1 else []
        self._momenta = [torch.zeros_like(p) for p in self._parameters]

    @torch.no_grad()
    def step(self, factor: Tensor) -> None:
        """Apply one update with the gradients of the parameters. `factor` is a tensor without dimensions."""
        gradients = self._gradients()
        if self._members == 1 and factor.is_cuda:
            self._fused_step(gradients, self._peak * factor)
        else:
            self._step(gradients, factor)
        self._write_copies()

    def _gradients(self) -> list[Tensor]:
        """The gradient of every parameter, in the type of the parameter."""
        if self._copies:
            torch._foreach_copy_(self._upcast, [_gradient(copy) for copy in self._copies.values()])
        upcast = dict(zip(self._copies, self._upcast, strict=True))
        return [upcast[p] if p in upcast else _gradient(p) for p in self._parameters]

    def _write_copies(self) -> None:
        if self._copies:
            torch._foreach_copy_(list(self._copies.values()), list(self._copies))

    def _fused_step(self, gradients: list[Tensor], rate: Tensor) -> None:
        """The update of one member in one operator for each group of parameters."""
        groups: list[tuple[Sequence[int], float]] = [
            (self._weights, self._shared.weight_decay),
            (self._others, 0.0),
        ]
        if self._shared.optimizer == "lars":
            weights, decayed = self._decayed(gradients)
            scaled = trusted(weights, decayed, self._shared.lars_trust)
            gradients = self._with_weights_gradients(gradients, scaled)
            groups = [(range(len(gradients)), 0.0)]
        for group, decay in groups:
            sgd_(
                [self._parameters[index] for index in group],
                [gradients[index] for index in group],
                [self._momenta[index] for index in group],
                rate,
                momentum=self._shared.momentum,
                decay=decay,
            )

    def _step(self, gradients: list[Tensor], factor: Tensor) -> None:
        weights, decayed = self._decayed(gradients)
        if self._shared.optimizer == "lars":
            decayed = [self._trusted(*pair) for pair in zip(weights, decayed, strict=True)]
        gradients = self._with_weights_gradients(gradients, decayed)
        torch._foreach_mul_(self._momenta, self._shared.momentum)
        torch._foreach_add_(self._momenta, gradients)
        torch._foreach_sub_(self._parameters, self._moves(factor))

    def _decayed(self, gradients: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        """The parameters that get decay, and their gradients with it."""
        weights = [self._parameters[index] for index in self._weights]
        own = [gradients[index] for index in self._weights]
        return weights, list(torch._foreach_add(own, weights, alpha=self._shared.weight_decay))

    def _with_weights_gradients(self, gradients: list[Tensor], own: Sequence[Tensor]) -> list[Tensor]:
        """All gradients, with `own` in the places of the parameters that get decay."""
        replaced = dict(zip(self._weights, own, strict=True))
        return [replaced.get(index, gradient) for index, gradient in enumerate(gradients)]

    def _moves(self, factor: Tensor) -> list[Tensor]:
        """`rate * momentum` of every parameter. A single rate is a scalar, so one kernel serves all parameters."""
        if self._members == 1:
            return list(torch._foreach_mul(self._momenta, self._peak * factor))
        return list(torch._foreach_mul(self._momenta, torch._foreach_mul(self._peaks, factor)))

    def zero_grad(self) -> None:
        """Delete the gradients."""
        for parameter in (*self._parameters, *self._copies.values()):
            parameter.grad = None

    def parameters(self) -> list[Tensor]:
        """The parameters that are updated."""
        return self._parameters

    def state(self) -> list[Tensor]:
        """The momenta, in the order of the parameters."""
        return self._momenta

    def restore(self, state: list[Tensor]) -> None:
        """Copy in momenta that `state` returned. The parameters must have been restored before."""
        for own, given in zip(self._momenta, state, strict=True):
            own.copy_(given)
        with torch.no_grad():
            self._write_copies()

    def _trusted(self, weight: Tensor, gradient: Tensor) -> Tensor:
        length, pull = self._norms(weight), self._norms(gradient)
        return gradient * self._by_row(trust_ratio(length, pull, self._shared.lars_trust), weight)

    def _norms(self, values: Tensor) -> Tensor:
        """One norm per member, `(K,)`."""
        return torch.linalg.vector_norm(values.reshape(self._members, -1), dim=1)

    def _by_row(self, of_members: Tensor, parameter: Tensor) -> Tensor:
        """Repeat `(K,)` values over the rows of a stacked parameter, so that they broadcast against it."""
        rows = parameter.shape[0] // self._members
        return of_members.repeat_interleave(rows).view(-1, *[1] * (parameter.ndim - 1))


def _gradient(parameter: Tensor) -> Tensor:
    return parameter.grad if parameter.grad is not None else torch.zeros_like(parameter)
