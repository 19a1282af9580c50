"""Intervals over seeds, the unit of resampling of every score here.

Percentile bootstraps cover far less than their level at few seeds (84 % instead of 95 % at five seeds). So intervals
are Student's. With normal noise they keep the level from two seeds on. With log-normal noise (sigma 0.5) they cover
92 % at five seeds; the studentised bootstrap (`intervals.bootstrap`) covers 94 % and is a third wider. Scores of
chosen configurations are means over pairs of seeds, see `intervals.pairs`. Curves have simultaneous bands, see
`intervals.bands`.

Scores such as accuracies come in steps. Equal scores then show only that the seeds differ by less than a step. Their
interval is one step to each side.
"""

from dataclasses import dataclass

import numpy as np
from scipy import stats

LEVEL = 0.95
#: What the intervals of the report are, for introductions and captions.
STATED = f"{100 * LEVEL:.0f} %, over seeds, for these configurations"
#: Least number of seeds for Student's interval.
MIN_SEEDS = 2
#: Why there is no interval, where the metric's step is unknown.
NO_SPREAD = "no spread between seeds"

#: Largest number of steps between 0 and 1 that is recognised, such as test images.
MOST_STEPS = 50_000
#: Number of different scores below which no step is recognised, and the largest chance of a false one.
_LEAST_DIFFERENT, _BY_CHANCE = 3, 1e-3
#: Relative spread below which values count as equal, because rounding of a mean can cause it.
_ROUNDING = 1e-12


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A score with its interval. Without an interval `low` and `high` are NaN, and `note` gives the reason."""

    value: float
    low: float = float("nan")
    high: float = float("nan")
    seeds: int = 0  # seeds with a value
    method: str = ""  # of the interval
    note: str = ""
    unit: str = "seeds"  # of resampling

    @property
    def has_interval(self) -> bool:
        """Whether there is an interval."""
        return bool(np.isfinite(self.low) and np.isfinite(self.high))


def mean_and_spread(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean, standard deviation (ddof 1) and count over the last axis of `(..., S)`, ignoring NaN.

    The deviation is NaN below two values, and exactly 0 where the values differ only by rounding error.
    """
    known = np.isfinite(values)
    count = known.sum(axis=-1)
    filled = np.where(known, values, 0.0)
    mean = np.where(count > 0, filled.sum(axis=-1) / np.maximum(count, 1), np.nan)
    square = np.where(known, filled - np.where(count > 0, mean, 0.0)[..., None], 0.0) ** 2
    deviation = np.sqrt(square.sum(axis=-1) / np.maximum(count - 1, 1))
    deviation = np.where(deviation <= _ROUNDING * np.abs(mean), 0.0, deviation)
    return mean, np.where(count > 1, deviation, np.nan), count


def student_interval(
    values: np.ndarray,
    *,
    level: float = LEVEL,
    bounds: tuple[float, float] = (-np.inf, np.inf),
    widen: float = 1.0,
    step: float = 0.0,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean and ends of Student's interval over the last axis of `(..., S)`; NaN ends below two values.

    `mean -+ widen * t(1 - (1 - level) / 2, S - 1) * sd / sqrt(S)`, clipped to `bounds`, which always contain the true
    value. Values without any spread give one `step` of the metric to each side; with the step 0, they give an
    interval of width 0, which is for values that are exact. A `widen` above 1 is for values that are not independent.
    """
    mean, deviation, count = mean_and_spread(np.asarray(values, dtype=float))
    error = widen * deviation / np.sqrt(np.maximum(count, 1))
    half = half_widths(error, np.maximum(count - 1, 1), level=level, step=step)
    return mean, np.clip(mean - half, *bounds), np.clip(mean + half, *bounds)


def half_widths(error: np.ndarray, freedom: np.ndarray | int, *, level: float, step: float) -> np.ndarray:
    """Half-widths of Student's intervals from standard errors; one `step` where the error is exactly 0."""
    return np.where(error == 0, step, stats.t.ppf(0.5 + level / 2, freedom) * error)


def score_step(scores: np.ndarray) -> float:
    """The step of scores of any shape: the largest `1 / n` of which all of them are multiples, 0 where none is.

    An accuracy on n images comes in steps of `1 / n`. n is at most `MOST_STEPS`. At least three different scores are
    needed, and so many that other scores would hardly share such a step by chance.
    """
    values = np.unique(scores[np.isfinite(scores)])
    if len(values) < _LEAST_DIFFERENT:
        return 0.0
    counts = np.arange(1, MOST_STEPS + 1)
    for value in values:
        counts = counts[_multiples(counts, value)]
        if not len(counts):
            return 0.0
    by_chance = float(counts[0]) * (2 * _off_step(counts[:1]).item()) ** len(values)
    return 1.0 / float(counts[0]) if by_chance < _BY_CHANCE else 0.0


def _multiples(counts: np.ndarray, value: float) -> np.ndarray:
    """Whether a value is a multiple of `1 / n`, for each n of `counts`."""
    scaled = counts * value
    return np.abs(scaled - np.round(scaled)) <= _off_step(counts)


def _off_step(counts: np.ndarray) -> np.ndarray:
    """Largest distance from a multiple of the step, in steps: scores may be stored with seven digits."""
    return 1e-4 + 1e-7 * counts


def within_one_step(step: float) -> str:
    """The note on equal scores of a metric with this step; empty where the step is unknown."""
    return "equal at all seeds: within one step of the metric" if step else ""


def student_estimate(
    values: np.ndarray,
    *,
    level: float = LEVEL,
    bounds: tuple[float, float] = (-np.inf, np.inf),
    note: str = "",
    widen: float = 1.0,
    step: float = 0.0,
    empty: str = "no trials",
) -> Estimate:
    """One score `(S,)`, one value at each seed, with Student's interval over seeds; needs two seeds.

    Where some seeds have no value, the note gives the number of those that have one. Where none has, the note is
    `empty`. Equal values have an interval of one `step` to each side, or none where the step is unknown (0).
    """
    mean, low, high = student_interval(values, level=level, bounds=bounds, widen=widen, step=step)
    count, total = int(np.isfinite(values).sum()), len(values)
    if count < MIN_SEEDS:
        return Estimate(value=float(mean), seeds=count, note=note or ("too few seeds" if count else empty))
    note = "; ".join(filter(None, [note, f"{count} of {total} seeds" if count < total else ""]))
    equal = bool(mean_and_spread(values)[1] == 0)
    note = note or ((within_one_step(step) or NO_SPREAD) if equal else "")
    if equal and not step:
        return Estimate(value=float(mean), seeds=count, note=note)
    return Estimate(
        value=float(mean),
        low=float(low),
        high=float(high),
        seeds=count,
        method=f"Student, {count - 1} df"
        + (f", {widen:.3g} times as wide, conservative" if widen != 1 else ""),
        note=note,
    )


def simultaneous_bands(
    values: np.ndarray, *, level: float = LEVEL, bounds: tuple[float, float] = (-np.inf, np.inf)
) -> tuple[np.ndarray, np.ndarray]:
    """Ends `(C,)` of intervals of `(C, S)` that all hold at once with probability `level` (Bonferroni)."""
    cells = max(len(values), 1)
    _, low, high = student_interval(values, level=1 - (1 - level) / cells, bounds=bounds)
    return low, high
