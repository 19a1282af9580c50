"""SGD with momentum, and LARS, for one model or for K stacked models with different learning rates.

A parameter of a stacked network concatenates the members' parameters along dimension 0. One tensor of learning
rates that broadcasts against the parameter therefore gives every member its own rate. All members share the
factor of the learning-rate schedule.
"""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn

from trainables.config import TrainingConfig
from trainables.training.schedule import peak_learning_rate


class StackedOptimizer:
    """`step(factor)` updates every member k with its peak learning rate times `factor`.

    SGD: `b <- m b + (g + w p)`, `p <- p - rate b` (torch.optim.SGD without dampening). LARS scales the gradient
    with decay by `trust * ||p|| / ||g + w p||`, separately for each member and layer (You et al. 2017, arXiv
    1708.03888, algorithm 1, with the decay inside as in SimCLR's code). One-dimensional parameters (those of
    batch norm, and biases) get neither decay nor trust ratio.
    """

    def __init__(self, parameters: Iterable[nn.Parameter], configs: Sequence[TrainingConfig]) -> None:
        self._parameters: list[Tensor] = [parameter for parameter in parameters if parameter.requires_grad]
        self._shared, self._members = configs[0], len(configs)
        self._weights = [index for index, p in enumerate(self._parameters) if p.ndim > 1]
        rates = torch.tensor([peak_learning_rate(config) for config in configs])
        self._peak = rates[0].to(self._parameters[0])
        self._peaks = [self._by_row(rates.to(p), p) for p in self._parameters] if self._members > 1 else []
        self._momenta = [torch.zeros_like(p) for p in self._parameters]

    @torch.no_grad()
    def step(self, factor: Tensor) -> None:
        """Apply one update with the gradients of the parameters. `factor` is a tensor without dimensions."""
        gradients = [p.grad if p.grad is not None else torch.zeros_like(p) for p in self._parameters]
        weights = [self._parameters[index] for index in self._weights]
        decayed: Sequence[Tensor] = torch._foreach_add(
            [gradients[index] for index in self._weights], weights, alpha=self._shared.weight_decay
        )
        if self._shared.optimizer == "lars":
            decayed = [self._trusted(*pair) for pair in zip(weights, decayed, strict=True)]
        for index, gradient in zip(self._weights, decayed, strict=True):
            gradients[index] = gradient
        torch._foreach_mul_(self._momenta, self._shared.momentum)
        torch._foreach_add_(self._momenta, gradients)
        torch._foreach_sub_(self._parameters, self._moves(factor))

    def _moves(self, factor: Tensor) -> list[Tensor]:
        """`rate * momentum` of every parameter. A single rate is a scalar, so one kernel serves all parameters."""
        if self._members == 1:
            return list(torch._foreach_mul(self._momenta, self._peak * factor))
        return list(torch._foreach_mul(self._momenta, torch._foreach_mul(self._peaks, factor)))

    def zero_grad(self) -> None:
        """Delete the gradients."""
        for parameter in self._parameters:
            parameter.grad = None

    def state(self) -> list[Tensor]:
        """The momenta, in the order of the parameters."""
        return self._momenta

    def restore(self, state: list[Tensor]) -> None:
        """Copy in momenta that `state` returned."""
        for own, given in zip(self._momenta, state, strict=True):
            own.copy_(given)

    def _trusted(self, weight: Tensor, gradient: Tensor) -> Tensor:
        length, pull = self._norms(weight), self._norms(gradient)
        ratio = self._shared.lars_trust * length / pull
        # A layer with zero weights or a zero gradient is updated as in SGD.
        return gradient * self._by_row(torch.where((length > 0) & (pull > 0), ratio, 1.0), weight)

    def _norms(self, values: Tensor) -> Tensor:
        """One norm per member, `(K,)`."""
        return torch.linalg.vector_norm(values.reshape(self._members, -1), dim=1)

    def _by_row(self, of_members: Tensor, parameter: Tensor) -> Tensor:
        """Repeat `(K,)` values over the rows of a stacked parameter, so that they broadcast against it."""
        rows = parameter.shape[0] // self._members
        return of_members.repeat_interleave(rows).view(-1, *[1] * (parameter.ndim - 1))
