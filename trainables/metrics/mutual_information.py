"""Estimates of the mutual information of two views from a loss, for the learning curves. Does not import torch."""

import math
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class InformationBound:
    """The bound `log K - value` in nats. K is the number of candidates for the positive, including the positive."""

    meaning: str  # the formula, and whether it is a lower or an upper bound
    candidates: Callable[[int], int]  # K for a batch of M pairs
    source: str

    def estimate(self, value: float, pairs: int) -> float:
        """The estimate in nats from `value`, the mean of the loss's `per_anchor` over a batch of `pairs` pairs.

        For losses with a constant value, `per_anchor` is the logarithm that has the same gradient as the loss. Raises
        `ValueError` for fewer than two pairs.
        """
        if pairs < 2:
            raise ValueError(f"pairs: got {pairs!r}, must be at least 2")
        return math.log(self.candidates(pairs)) - value
