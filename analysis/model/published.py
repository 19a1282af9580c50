"""A published number beside our own values: the difference of the two means, with an interval from both spreads."""

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats

from analysis.statistics.intervals.student import LEVEL, Estimate, mean_and_spread
from analysis.wording import counted

#: What is taken for the missing spread of one side, in words.
_OURS_FOR_BOTH = "the source gives no spread: that of our seeds stands for both"
_THEIRS_FOR_BOTH = "one seed has no spread: that of the source stands for both"
#: Why there is no interval.
NO_SPREAD = "neither our seeds nor the source give a spread"


@dataclass(frozen=True, kw_only=True)
class Sample:
    """Values of one side by their mean, their standard deviation (ddof 1, NaN if unknown) and their number."""

    mean: float
    deviation: float = math.nan
    count: int = 1

    @property
    def has_spread(self) -> bool:
        """Whether the deviation is known, from at least two values."""
        return self.count > 1 and math.isfinite(self.deviation)


@dataclass(frozen=True, kw_only=True)
class Published:
    """A printed number: a mean over runs of a source, in the unit of our column."""

    column: str
    value: float
    spread: float | None = None  # standard deviation over the runs; None where the source gives none
    runs: int | None = None  # None where the source does not say

    @property
    def sample(self) -> Sample:
        """The number as a sample; unknown runs count as one."""
        return Sample(
            mean=self.value, deviation=math.nan if self.spread is None else self.spread, count=self.runs or 1
        )

    @property
    def words(self) -> str:
        """A text such as `83.2 (SD 0.2, 3 runs)`."""
        told = [f"SD {self.shown(self.spread)}"] if self.spread is not None else []
        told.append(counted(self.runs, "run") if self.runs else "number of runs not given")
        return f"{self.shown(self.value)} ({', '.join(told)})"

    @property
    def is_share(self) -> bool:
        """Whether readers see percent: accuracies are shares of 1."""
        return self.column.endswith("accuracy")

    def shown(self, value: float) -> str:
        """A value as readers see it: a share in percent with two decimals, another number with four digits."""
        if not self.is_share:
            text = f"{value:.4g}"
        else:
            text = f"{100 * value:.2f}".rstrip("0").rstrip(".")
            text = text if text.strip("-0.") or not value else f"{100 * value:.2g}"
        return text.replace("-", "\N{MINUS SIGN}")

    def signed(self, value: float) -> str:
        """A difference with its sign."""
        return f"+{self.shown(value)}" if value > 0 else self.shown(value)

    def gap_words(self, gap: Estimate) -> str:
        """A text such as `+1.2 points [0.4, 2.0]`."""
        ends = f" [{self.signed(gap.low)}, {self.signed(gap.high)}]" if gap.has_interval else ""
        return f"{self.signed(gap.value)}{' points' if self.is_share else ''}{ends}"

    def beside(self, ours: Sample, gap: Estimate | None) -> str:
        """Both numbers and their difference in words; `gap` is None where no trial of ours has a value."""
        if gap is None:
            return f"no value against {self.words}"
        spread = f", SD {self.shown(ours.deviation)}" if ours.has_spread else ""
        note = f" ({gap.note})" if gap.note else ""
        mean = f"{self.shown(ours.mean)} ({counted(ours.count, 'seed')}{spread})"
        return f"{mean} against {self.words}: difference {self.gap_words(gap)}{note}"


def sample_of(values: np.ndarray) -> Sample:
    """The finite ones of values `(S,)` of one configuration, one for each seed."""
    mean, deviation, count = mean_and_spread(np.asarray(values, dtype=float))
    return Sample(mean=float(mean), deviation=float(deviation), count=int(count))


def difference(ours: Sample, source: Sample, *, level: float = LEVEL) -> Estimate:
    """Our mean minus that of the source, with Welch's interval (Welch 1947, Biometrika 34, 28-35).

    With means x and y, standard deviations s and t, and n seeds and r runs:

        x - y  -+  q sqrt(s^2/n + t^2/r),    q = Student's quantile at
        (s^2/n + t^2/r)^2 / ((s^2/n)^2 / (n-1) + (t^2/r)^2 / (r-1)) degrees of freedom.

    In simulations with normal noise it covers 92 to 98 % where 95 % is stated, for 2 to 10 seeds, 2 or 3 runs, and
    deviations up to a factor of 3 apart. A side without a spread (one value, or none printed) is taken to vary as
    the other one does: the error is then `s sqrt(1/n + 1/r)` with n - 1 degrees of freedom, or
    `t sqrt(1/n + 1/r)` with r - 1; the note says so. If neither has a spread, or both are exactly 0, there is no
    interval. The rounding of the printed number is not part of the error.
    """
    value, method, note = ours.mean - source.mean, "Welch", ""
    if ours.has_spread and source.has_spread:
        parts = [(each.deviation**2 / each.count, each.count - 1) for each in (ours, source)]
        variance = sum(part for part, _ in parts)
        freedom = variance**2 / sum(part**2 / free for part, free in parts) if variance else math.nan
    elif ours.has_spread or source.has_spread:
        known, note = (ours, _OURS_FOR_BOTH) if ours.has_spread else (source, _THEIRS_FOR_BOTH)
        variance = known.deviation**2 * (1 / ours.count + 1 / source.count)
        freedom, method = known.count - 1, "Student"
    else:
        variance, freedom, note = math.nan, math.nan, NO_SPREAD
    half = float(stats.t.isf((1 - level) / 2, freedom)) * math.sqrt(variance) if variance > 0 else math.nan
    if not math.isfinite(half):
        return Estimate(value=value, seeds=ours.count, note=note or NO_SPREAD)
    return Estimate(
        value=value,
        low=value - half,
        high=value + half,
        seeds=ours.count,
        method=f"{method}, {freedom:.3g} df",
        note=note,
    )
