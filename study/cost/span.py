"""`Span`, a cost that is not known exactly: an expected value between a low and a high value."""

import statistics
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

Key = TypeVar("Key", bound=Hashable)

#: The percentiles of the measured values at which a span ends.
_ENDS = (10, 90)

#: The least width of a span to each side, relative to the mean. Times that are stable within one run differ by this
#: much between runs, because of load and clock rate.
_LEAST = 0.1


@dataclass(frozen=True, kw_only=True)
class Span:
    """`low <= mid <= high`. Sums assume that all errors have the same direction, so sums do not become narrower."""

    low: float
    mid: float
    high: float

    def __add__(self, other: "Span") -> "Span":
        return Span(low=self.low + other.low, mid=self.mid + other.mid, high=self.high + other.high)

    def times(self, factor: float) -> "Span":
        """The span with all three values multiplied by a factor >= 0."""
        return Span(low=self.low * factor, mid=self.mid * factor, high=self.high * factor)

    def widened(self, low: float, high: float) -> "Span":
        """The same expected value, with the low end multiplied by `low` and the high end by `high`."""
        return Span(low=self.low * low, mid=self.mid, high=self.high * high)


NOTHING = Span(low=0.0, mid=0.0, high=0.0)


def total(spans: Iterable[Span]) -> Span:
    """The sum of the spans."""
    return sum(spans, start=NOTHING)


def spans_of(samples: Mapping[Key, Sequence[float]]) -> dict[Key, Span]:
    """The mean of each group of positive numbers, with ends at the 10th and the 90th percentile.

    The percentiles are taken of the ratios of numbers to their group's mean, over all groups together, because one
    group may be small.
    """
    means = {key: statistics.fmean(group) for key, group in samples.items()}
    ratios = [value / means[key] for key, group in samples.items() for value in group if means[key] > 0]
    low, high = np.percentile(ratios, _ENDS) if ratios else (1.0, 1.0)
    low, high = min(float(low), 1 - _LEAST), max(float(high), 1 + _LEAST)
    return {key: Span(low=mean * low, mid=mean, high=mean * high) for key, mean in means.items()}
