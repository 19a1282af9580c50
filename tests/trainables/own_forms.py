"""One loss in the three forms in which users write theirs."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn


def _value(z_a: Tensor, z_b: Tensor, temperature: float, form: str) -> Tensor:
    logits = z_a @ z_b.T / temperature
    loss = logits.logsumexp(1) - logits.diagonal()
    return loss.mean() if form == "mean" else loss.sum() / len(z_a)


@dataclass(frozen=True, kw_only=True)
class Class:
    temperature: float = 0.5
    form: str = "mean"
    weight: float = 1.0

    def __call__(self, z_a: Tensor, z_b: Tensor) -> Tensor:
        return self.weight * _value(z_a, z_b, self.temperature, self.form)


class Module(nn.Module):
    unit: Tensor

    def __init__(self, temperature: float = 0.5, form: str = "mean", weight: float = 1.0) -> None:
        super().__init__()
        self.temperature, self.form, self.weight = temperature, form, weight
        self.register_buffer("unit", torch.ones(()))

    def forward(self, z_a: Tensor, z_b: Tensor) -> Tensor:
        return self.weight * self.unit * _value(z_a, z_b, self.temperature, self.form)


def function(
    z_a: Tensor, z_b: Tensor, temperature: float = 0.5, *, form: str = "mean", weight: float = 1.0
) -> Tensor:
    return weight * _value(z_a, z_b, temperature, form)


def with_list(z_a: Tensor, z_b: Tensor, weights: tuple[float, ...] = (1.0, 2.0)) -> Tensor:
    return sum(weights) * (z_a - z_b).square().sum(-1).mean()
