"""The losses of many small trials in one call."""

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from trainables.losses.analytic import AnalyticLoss


@dataclass(frozen=True, kw_only=True)
class LossesInTurn:
    """One loss after the other: right for any losses, a user's own among them."""

    losses: tuple[Any, ...]

    def __call__(self, z_a: Tensor, z_b: Tensor) -> Tensor:
        """Views `(K, M, d)` to the losses `(K,)` of the K trials."""
        return torch.stack([loss(a, b) for loss, a, b in zip(self.losses, z_a, z_b, strict=True)])


def stack_losses(
    losses: Sequence[Any], device: torch.device | str = "cpu"
) -> Callable[[Tensor, Tensor], Tensor]:
    """One callable for K trials, from views `(K, M, d)` to losses `(K,)`, trial k using `losses[k]`.

    Built-in losses of one class that differ in numbers only become a single loss with `(K,)` hyperparameters;
    anything else is called in turn. Numbers that differ lie on `device`, the views' own. Sum the result, and each
    trial gets the gradient it would have alone. Raises `ValueError` for no losses.
    """
    if not losses:
        raise ValueError("losses: got none, must be at least one")
    first = losses[0]
    if not isinstance(first, AnalyticLoss) or any(type(loss) is not type(first) for loss in losses):
        return LossesInTurn(losses=tuple(losses))
    fields = {}
    for spec in dataclasses.fields(first):  # type: ignore[arg-type]
        values = [getattr(loss, spec.name) for loss in losses]
        if all(value == values[0] for value in values):
            fields[spec.name] = values[0]
        elif all(isinstance(value, int | float) for value in values):
            fields[spec.name] = torch.tensor(values, dtype=torch.float64, device=device)
        else:
            return LossesInTurn(losses=tuple(losses))
    return type(first)(**fields)
