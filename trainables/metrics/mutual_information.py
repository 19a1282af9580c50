"""Estimates of the views' mutual information that losses give, for the learning curves. Imports no torch."""

import math
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class InformationBound:
    """`log K - value` in nats, with K the points among which the loss looks for a positive, itself included."""

    meaning: str  # the formula, and which way it bounds the mutual information
    candidates: Callable[[int], int]  # K of a batch of M pairs
    source: str

    def estimate(self, value: float, pairs: int) -> float:
        """The estimate from `value`, the mean over a batch of `pairs` pairs of the loss's `per_anchor`, in nats.

        Of losses with a constant value, `per_anchor` is the logarithm whose gradient they have. Raises `ValueError`
        for fewer than two pairs.
        """
        if pairs < 2:
            raise ValueError(f"pairs: got {pairs!r}, must be at least 2")
        return math.log(self.candidates(pairs)) - value
