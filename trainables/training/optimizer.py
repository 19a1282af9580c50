"""The optimiser of one model, or of K stacked models with different learning rates.

A parameter of a stacked network concatenates the members' parameters along dimension 0. One tensor of learning
rates that broadcasts against the parameter therefore gives every member its own rate. All members share the
factor of the learning-rate schedule, and the step count of Adam.
"""

from collections.abc import Iterable, Mapping, Sequence

import torch
from torch import Tensor, nn

from trainables.config import TrainingConfig
from trainables.training.fused_updates import Rates, by_row
from trainables.training.schedule import peak_learning_rate
from trainables.training.update_rules import RULES


class StackedOptimizer:
    """`step(factor)` updates every member k with its peak learning rate times `factor`.

    `trainables.training.update_rules` has the rule of each optimiser. One-dimensional parameters (those of batch
    norm, and biases) have no weight decay, unless the setting `decayed` is `all`.

    `copies` holds bfloat16 copies of parameters, with which the network computes. A copy then provides the gradient
    of its parameter, and gets the parameter's value after every update. With SGD or Adam on CUDA, one member's update
    is one operator for the parameters with decay and one for those without. LARS has two more, for the decay and for
    the ratios.
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
        self._rule = RULES[configs[0].optimizer](self._parameters, configs[0], len(configs))
        rates = torch.tensor([peak_learning_rate(config) for config in configs])
        self._peak = rates[0].to(self._parameters[0])
        self._peaks = [by_row(rates.to(p), p) for p in self._parameters] if len(configs) > 1 else []

    @torch.no_grad()
    def step(self, factor: Tensor) -> None:
        """Apply one update with the gradients of the parameters. `factor` is a tensor without dimensions."""
        self._rule.update(self._gradients(), self._rates(factor))
        self._write_copies()

    def _gradients(self) -> list[Tensor]:
        """The gradient of every parameter, in the type of the parameter."""
        if self._copies:
            torch._foreach_copy_(self._upcast, [_gradient(copy) for copy in self._copies.values()])
        upcast = dict(zip(self._copies, self._upcast, strict=True))
        return [upcast[p] if p in upcast else _gradient(p) for p in self._parameters]

    def _rates(self, factor: Tensor) -> Rates:
        """The rate of every parameter. That of one member is a scalar, so one kernel serves all parameters."""
        return list(torch._foreach_mul(self._peaks, factor)) if self._peaks else self._peak * factor

    def _write_copies(self) -> None:
        if self._copies:
            torch._foreach_copy_(list(self._copies.values()), list(self._copies))

    def zero_grad(self) -> None:
        """Delete the gradients."""
        for parameter in (*self._parameters, *self._copies.values()):
            parameter.grad = None

    def parameters(self) -> list[Tensor]:
        """The parameters that are updated."""
        return self._parameters

    def state(self) -> list[Tensor]:
        """The state of the rule: the momenta, or both moments and the step count of Adam."""
        return self._rule.state()

    def restore(self, state: list[Tensor]) -> None:
        """Copy in what `state` returned. The parameters must have been restored before."""
        for own, given in zip(self.state(), state, strict=True):
            own.copy_(given)
        with torch.no_grad():
            self._write_copies()


def _gradient(parameter: Tensor) -> Tensor:
    return parameter.grad if parameter.grad is not None else torch.zeros_like(parameter)
