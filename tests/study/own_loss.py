"""Losses of a user's own, as an import path finds them."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from tests.trial_batch import on_trial_batch


@dataclass(frozen=True, kw_only=True)
class Spread:
    """Alignment, minus a weighted spread."""

    weight: float = 1.0

    def __call__(self, z_a: Tensor, z_b: Tensor) -> Tensor:
        return (z_a - z_b).square().sum(-1).mean() - self.weight * z_a.var(dim=0).sum()


@dataclass(frozen=True, kw_only=True)
class Sharp:
    """Cross entropy of inner products over the temperature 0.5 / sharpness."""

    sharpness: float = 4.0
    equivalent_temperature: ClassVar = {"sharpness": (0.5, -1.0)}

    def __call__(self, z_a: Tensor, z_b: Tensor) -> Tensor:
        return functional.cross_entropy(z_a @ z_b.T * 2 * self.sharpness, torch.arange(len(z_a)))


def pull(z_a: Tensor, z_b: Tensor) -> Tensor:
    """Alignment alone, without hyperparameters."""
    return (z_a - z_b).square().sum(-1).mean()


@dataclass(frozen=True, kw_only=True)
class Explodes:
    """Raises, or leaves the finite numbers, on batches of `at` pairs or more."""

    at: int = 16
    how: str = "raise"

    def __call__(self, z_a: Tensor, z_b: Tensor) -> Tensor:
        loss = (z_a - z_b).square().sum(-1).mean()
        if (8 if on_trial_batch() else len(z_a)) < self.at:  # a trial batch counts as 8 pairs
            return loss
        if self.how == "raise":
            raise RuntimeError("the batch is too large\nfor this loss")
        if self.how == "at length":
            raise RuntimeError("long \udcff" + "x" * 3_000_000)
        if self.how == "memory":
            return loss * torch.empty(1 << 58).sum()
        if self.how == "kill":
            import os
            import signal

            os.kill(os.getpid(), signal.SIGKILL)
        return loss * float("nan")


@dataclass(frozen=True, kw_only=True)
class FailsAtHalf:
    """Raises in training where its margin is 0.5, but not on the trial batch of a plan."""

    margin: float = 0.1

    def __call__(self, z_a: Tensor, z_b: Tensor) -> Tensor:
        if self.margin == 0.5 and not on_trial_batch():
            raise RuntimeError("this margin fails")
        return ((z_a - z_b).square().sum(1) + self.margin).mean()
