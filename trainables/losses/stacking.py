"""One call for the losses of many small trials, used by stacked training."""

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from trainables.losses.analytic import AnalyticLoss


@dataclass(frozen=True, kw_only=True)
class LossesInTurn:
    """Calls one loss after the other. It works for any losses, including a user's own losses."""

    losses: tuple[Any, ...]

    def __call__(self, z_a: Tensor, z_b: Tensor) -> Tensor:
        """Map views `(K, M, d)` to the losses `(K,)` of the K trials."""
        if len(self.losses) == 1:
            return self.losses[0](z_a.squeeze(0), z_b.squeeze(0))[None]  # fewer operators than with a stack
        return torch.stack([loss(a, b) for loss, a, b in zip(self.losses, z_a, z_b, strict=True)])


def stack_losses(
    losses: Sequence[Any], device: torch.device | str = "cpu"
) -> Callable[[Tensor, Tensor], Tensor]:
    """One callable for K trials, from views `(K, M, d)` to losses `(K,)`. Trial k uses `losses[k]`.

    Built-in losses of one class that differ only in numbers become a single loss with `(K,)` hyperparameters. All
    other losses are called one after the other. Hyperparameters that differ are stored on `device`, which must be the
    device of the views. The gradient of the sum of the result gives each trial the gradient of its own loss. Raises
    `ValueError` for an empty sequence.
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
