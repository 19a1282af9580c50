"""A loss that fails for as long as an environment variable is set: what a retry mends."""

import os
from dataclasses import dataclass

from torch import Tensor

from tests.trial_batch import on_trial_batch


@dataclass(frozen=True, kw_only=True)
class Fragile:
    """Raises, or leaves the finite numbers, while `FRAGILE` is set, on batches of `at` pairs or more.

    A trial batch counts as 8.
    """

    at: int = 12
    how: str = "raise"

    def __call__(self, z_a: Tensor, z_b: Tensor) -> Tensor:
        loss = (z_a - z_b).square().sum(-1).mean()
        if "FRAGILE" not in os.environ or (8 if on_trial_batch() else len(z_a)) < self.at:
            return loss
        if self.how == "raise":
            raise RuntimeError(f"no more than {self.at} pairs")
        return loss * float("nan")
