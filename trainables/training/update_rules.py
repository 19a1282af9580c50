"""The rule by which each optimiser updates parameters, with its state, used by `StackedOptimizer`.

A rule updates one model, or K stacked ones, in place. Its state is tensors on the device of the parameters: a step
waits for nothing, and a CUDA graph can contain it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from trainables.config import TrainingConfig
from trainables.training.fused_updates import Rates, adam_, sgd_, trusted


class Rule(Protocol):
    """`update` applies one step with the gradient and the rate of every parameter."""

    def update(self, gradients: Sequence[Tensor], rates: Rates) -> None: ...

    def state(self) -> list[Tensor]: ...


@dataclass(frozen=True, kw_only=True)
class Group:
    """Parameters with the same weight decay, by their places among all parameters."""

    places: tuple[int, ...]
    decay: float

    def of(self, values: Sequence[Tensor]) -> list[Tensor]:
        """Choose the values of the group from `values`, which has one for each parameter."""
        return [values[place] for place in self.places]

    def rates(self, rates: Rates) -> Rates:
        """Choose the rates of the group. A rate for all parameters stays one tensor."""
        return rates if isinstance(rates, Tensor) else self.of(rates)


def decay_groups(parameters: Sequence[Tensor], config: TrainingConfig) -> tuple[Group, Group]:
    """The parameters with weight decay, and those without: batch norms and biases, unless `decayed` is `all`."""
    every = config.decayed == "all"
    places = {
        decays: tuple(place for place, p in enumerate(parameters) if (every or p.ndim > 1) == decays)
        for decays in (True, False)
    }
    return Group(places=places[True], decay=config.weight_decay), Group(places=places[False], decay=0.0)


class Sgd:
    """SGD with momentum (`trainables.training.fused_updates.sgd_`)."""

    def __init__(self, parameters: Sequence[Tensor], config: TrainingConfig, members: int) -> None:
        self._parameters, self._groups = parameters, decay_groups(parameters, config)
        self._momentum = config.momentum
        self._momenta = [torch.zeros_like(p) for p in parameters]

    def update(self, gradients: Sequence[Tensor], rates: Rates) -> None:
        for group in self._groups:
            self._move(group, group.of(gradients), rates, group.decay)

    def _move(self, group: Group, gradients: list[Tensor], rates: Rates, decay: float) -> None:
        parameters, momenta = group.of(self._parameters), group.of(self._momenta)
        sgd_(parameters, gradients, momenta, group.rates(rates), momentum=self._momentum, decay=decay)

    def state(self) -> list[Tensor]:
        return self._momenta


class Lars(Sgd):
    """SGD whose gradient with decay is scaled by `trust ||p|| / ||g + w p||`, for each member and layer.

    Source: You et al. 2017, arXiv 1708.03888, algorithm 1, with the decay inside as in SimCLR's code. As there,
    parameters without decay have no trust ratio.
    """

    def __init__(self, parameters: Sequence[Tensor], config: TrainingConfig, members: int) -> None:
        super().__init__(parameters, config, members)
        self._trust, self._members = config.lars_trust, members

    def update(self, gradients: Sequence[Tensor], rates: Rates) -> None:
        decayed, others = self._groups
        weights = decayed.of(self._parameters)
        pulls = list(torch._foreach_add(decayed.of(gradients), weights, alpha=decayed.decay))
        self._move(decayed, trusted(weights, pulls, self._trust, members=self._members), rates, 0.0)
        self._move(others, others.of(gradients), rates, 0.0)


class Adam:
    """Adam, with the weight decay in the gradient (`trainables.training.fused_updates.adam_`)."""

    decoupled = False

    def __init__(self, parameters: Sequence[Tensor], config: TrainingConfig, members: int) -> None:
        self._parameters, self._groups = parameters, decay_groups(parameters, config)
        self._numbers: dict[str, Any] = {
            "beta1": config.adam_beta1,
            "beta2": config.adam_beta2,
            "eps": config.adam_eps,
            "decoupled": self.decoupled,
        }
        self._means, self._squares = ([torch.zeros_like(p) for p in parameters] for _ in range(2))
        self._count = torch.zeros((), device=parameters[0].device)

    def update(self, gradients: Sequence[Tensor], rates: Rates) -> None:
        self._count.add_(1)
        for group in self._groups:
            adam_(
                group.of(self._parameters),
                group.of(gradients),
                group.of(self._means),
                group.of(self._squares),
                self._count,
                group.rates(rates),
                decay=group.decay,
                **self._numbers,
            )

    def state(self) -> list[Tensor]:
        return [*self._means, *self._squares, self._count]


class AdamW(Adam):
    """Adam, with the weight decay apart from the gradient."""

    decoupled = True


#: The rule of every optimiser of the setting `optimizer`.
RULES: dict[str, Callable[[Sequence[Tensor], TrainingConfig, int], Rule]] = {
    "sgd": Sgd,
    "lars": Lars,
    "adam": Adam,
    "adamw": AdamW,
}
