"""A cost that is not known exactly: its expected value between a low and a high one."""

import statistics
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

Key = TypeVar("Key", bound=Hashable)

#: The tenths of what was seen at which a span ends.
_ENDS = (10, 90)

#: A span is at least so wide to either side: what repeats within one run differs so much from one run to the next,
#: by load and clock rate.
_LEAST = 0.1


@dataclass(frozen=True, kw_only=True)
class Span:
    """`low <= mid <= high`. Sums are of numbers that are off to one side together, so they never narrow."""

    low: float
    mid: float
    high: float

    def __add__(self, other: "Span") -> "Span":
        return Span(low=self.low + other.low, mid=self.mid + other.mid, high=self.high + other.high)

    def times(self, factor: float) -> "Span":
        """Each of the three times a factor >= 0."""
        return Span(low=self.low * factor, mid=self.mid * factor, high=self.high * factor)

    def widened(self, low: float, high: float) -> "Span":
        """The same expectation between `low` times the low end and `high` times the high one."""
        return Span(low=self.low * low, mid=self.mid, high=self.high * high)


NOTHING = Span(low=0.0, mid=0.0, high=0.0)


def total(spans: Iterable[Span]) -> Span:
    """Their sum."""
    return sum(spans, start=NOTHING)


def spans_of(samples: Mapping[Key, Sequence[float]]) -> dict[Key, Span]:
    """The mean of each group of positive numbers, from the fastest to the slowest tenth of all.

    The tenths are those of the ratio of a number to its group's mean, over all groups: a group alone may be small.
    """
    means = {key: statistics.fmean(group) for key, group in samples.items()}
    ratios = [value / means[key] for key, group in samples.items() for value in group if means[key] > 0]
    low, high = np.percentile(ratios, _ENDS) if ratios else (1.0, 1.0)
    low, high = min(float(low), 1 - _LEAST), max(float(high), 1 + _LEAST)
    return {key: Span(low=mean * low, mid=mean, high=mean * high) for key, mean in means.items()}
