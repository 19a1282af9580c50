"""Intervals of means over ordered pairs of seeds, where one seed chooses and another one scores.

A value `h[r, s]` belongs to the choosing seed r and the scoring seed s, with r != s. Pairs that share a seed are
dependent, so the pairs must not be counted as independent values.
"""

from dataclasses import dataclass

import numpy as np

from analysis.statistics.intervals.imputation import LEAST_KNOWN, additive_fit
from analysis.statistics.intervals.jackknife import TOO_FEW
from analysis.statistics.intervals.student import LEVEL, NO_SPREAD, Estimate, half_widths, within_one_step

#: Least number of seeds for an interval: two seeds form two ordered pairs.
MIN_SEEDS_PAIRS = 2
METHOD = "Student over ordered pairs of seeds"

#: Part of the known excess of the jackknife's variance that is taken off, and the least part that is left.
_REMOVED, _LEAST = 0.8, 0.5
#: Standard errors below this share of the largest value are rounding error.
_ROUNDING = 1e-12


def pair_mean(values: np.ndarray) -> np.ndarray:
    """The mean over the known ordered pairs of different seeds, `(..., S, S)` to `(...)`; NaN where none is known."""
    known = np.isfinite(values) & ~np.eye(values.shape[-1], dtype=bool)
    count = known.sum(axis=(-1, -2))
    total = np.where(known, values, 0.0).sum(axis=(-1, -2))
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def pseudo_values(values: np.ndarray) -> np.ndarray:
    """One value for each seed, `(..., S, S)` to `(..., S)`, whose mean is `pair_mean`; needs three seeds.

    `S theta - (S - 1) theta_(-s)`, with theta_(-s) the mean over pairs without seed s. Their spread gives the
    jackknife's error of a mean over overlapping pairs (Efron and Stein 1981). NaN below three seeds and where a pair
    is unknown.
    """
    seeds = values.shape[-1]
    if seeds < 3:
        return np.full(values.shape[:-1], np.nan)
    filled = np.where(np.eye(seeds, dtype=bool), 0.0, values)
    mean = filled.sum(axis=(-1, -2))[..., None] / (seeds * (seeds - 1))
    with_seed = filled.sum(axis=-1) + filled.sum(axis=-2)
    without = (mean * seeds * (seeds - 1) - with_seed) / ((seeds - 1) * (seeds - 2))
    return seeds * mean - (seeds - 1) * without


def pair_error(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and its standard error `(...)` of `(..., S, S)` over the ordered pairs; the diagonal is not read.

    With `q_i` the mean of the 2 (S - 1) pairs that contain seed i, the delete-one jackknife of this U-statistic is
    `J = 4 (S - 1) / (S (S - 2)^2) sum_i (q_i - mean)^2` (Arvesen 1969, "Jackknifing U-statistics"). It errs upwards
    where pairs have noise of their own, by `2 m / ((S - 1) (S - 2))`, with m the variance of what remains of
    `(h[r, s] + h[s, r]) / 2` without the effects of the seeds (the analysis of a diallel cross: Griffing 1956,
    "Concept of general and specific combining ability in relation to diallel crossing systems"). The remains of
    `(h[r, s] - h[s, r]) / 2` have nearly the same variance, so both estimate m. The variance used is
    `max(J - 0.8 * 2 m / (S (S - 2)), J / 2)`. The factor and the floor were set by simulation, because m is badly
    known at few seeds. For values that depend on s only, m is 0 and the result is that of Student. Two seeds have two
    pairs; their error is that of two independent values.

    NaN where a pair is missing; the error is also NaN below two seeds. Student's quantile has S - 1 degrees of
    freedom.
    """
    seeds = values.shape[-1]
    off = ~np.eye(seeds, dtype=bool)
    if seeds < MIN_SEEDS_PAIRS:
        return np.full(values.shape[:-2], np.nan), np.full(values.shape[:-2], np.nan)
    pairs = np.where(off, values, 0.0)
    mean = pairs.sum(axis=(-2, -1)) / (seeds * (seeds - 1))
    apart = np.where(off, values - mean[..., None, None], 0.0)
    if seeds == MIN_SEEDS_PAIRS:
        return mean, _rounded(np.abs(apart[..., 0, 1] - apart[..., 1, 0]) / 2, mean)
    both, swapped = apart, np.swapaxes(apart, -1, -2)
    same, opposite = (both + swapped) / 2, (both - swapped) / 2
    effects = same.sum(axis=-1) / (seeds - 2)
    jackknife = 4 * (effects**2).sum(axis=-1) / (seeds * (seeds - 1))
    rest = same - np.where(off, effects[..., :, None] + effects[..., None, :], 0.0)
    tilts = opposite.sum(axis=-1) / seeds
    rest_opposite = opposite - np.where(off, tilts[..., :, None] - tilts[..., None, :], 0.0)
    freedom = seeds * (seeds - 3) / 2 + (seeds - 1) * (seeds - 2) / 2
    own = ((rest**2).sum(axis=(-2, -1)) + (rest_opposite**2).sum(axis=(-2, -1))) / 2 / freedom
    variance = np.maximum(jackknife - 2 * _REMOVED * own / (seeds * (seeds - 2)), _LEAST * jackknife)
    return mean, _rounded(np.sqrt(variance), mean)


def pair_interval(
    values: np.ndarray,
    *,
    level: float = LEVEL,
    bounds: tuple[float, float] = (-np.inf, np.inf),
    step: float = 0.0,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean and ends `(...)` of its interval, from `(..., S, S)`, by `pair_error`; `step` as in `student_interval`."""
    mean, error = pair_error(values)
    half = half_widths(error, values.shape[-1] - 1, level=level, step=step)
    return mean, np.clip(mean - half, *bounds), np.clip(mean + half, *bounds)


@dataclass(frozen=True, kw_only=True)
class Pairs:
    """The pairs of the seeds that both choose and score, with missing pairs filled in."""

    values: np.ndarray  # (S', S')
    missing: int  # number of pairs filled in
    widen: float  # factor on the standard error


def filled_pairs(values: np.ndarray) -> Pairs:
    """Fills missing pairs of `(S, S)` by an additive fit of the choosing and the scoring seed.

    So every choosing seed keeps the same weight, and what is estimated does not depend on which trials are missing.
    Seeds without a known pair as chooser or as scorer are left out. The error is widened as in
    `imputation.fill_gaps`. Where less than `LEAST_KNOWN` of the pairs are known, the values keep their NaN.
    """
    kept = np.arange(len(values))
    known = np.isfinite(values) & ~np.eye(len(values), dtype=bool)
    while len(kept):
        part = known[np.ix_(kept, kept)]
        useful = part.any(axis=0) & part.any(axis=1)
        if useful.all():
            break
        kept = kept[useful]
    part, seeds = known[np.ix_(kept, kept)], len(kept)
    inner, total = values[np.ix_(kept, kept)], seeds * (seeds - 1)
    missing = total - int(part.sum())
    if not missing or missing > (1 - LEAST_KNOWN) * total + 1e-9:
        return Pairs(values=inner, missing=missing, widen=1.0)
    filled = np.where(part, inner, additive_fit(inner, part))
    return Pairs(values=filled, missing=missing, widen=1 / (1 - missing / total))


def pair_estimate(
    values: np.ndarray,
    *,
    level: float = LEVEL,
    bounds: tuple[float, float] = (-np.inf, np.inf),
    step: float = 0.0,
    note: str = "",
    widen: float = 1.0,
) -> Estimate:
    """The mean over ordered pairs of seeds `(S, S)` with its interval (`pair_error`); needs two seeds.

    `widen` is a factor on the error, for values with imputed trials.

    Missing pairs are filled in (`filled_pairs`); the note gives their number. There is no interval where more than a
    fifth of the pairs is missing, or where all pairs are equal and the metric's `step` is unknown.
    """
    seeds, known = len(values), np.isfinite(values) & ~np.eye(len(values), dtype=bool)
    if not known.any():
        lacking = "no complete seed" if seeds >= MIN_SEEDS_PAIRS else TOO_FEW
        return Estimate(value=float("nan"), seeds=0, note=note or lacking)
    pairs = filled_pairs(values)
    used, total = len(pairs.values), len(pairs.values) * (len(pairs.values) - 1)
    gaps = f"{pairs.missing} of {total} pairs of seeds missing" if pairs.missing else ""
    fewer = f"{used} of {seeds} seeds" if 0 < used < seeds else ""
    told = "; ".join(filter(None, [note, fewer, gaps]))
    mean, error = pair_error(pairs.values)
    if used < MIN_SEEDS_PAIRS or not np.isfinite(mean):
        return Estimate(value=_mean_of_known(values, known), seeds=used, note=told or TOO_FEW)
    half = float(half_widths(widen * pairs.widen * error, used - 1, level=level, step=step))
    low, high = np.clip([mean - half, mean + half], *bounds)
    equal = float(error) == 0
    return Estimate(
        value=float(mean),
        low=float(low) if not equal or step else float("nan"),
        high=float(high) if not equal or step else float("nan"),
        seeds=used,
        method="" if equal and not step else f"{METHOD}, {used - 1} df",
        note=told or ((within_one_step(step) or NO_SPREAD) if equal else ""),
    )


def _mean_of_known(values: np.ndarray, known: np.ndarray) -> float:
    """The mean over choosing seeds of the mean over their known pairs."""
    count = known.sum(axis=1)
    by_chooser = np.where(known, values, 0.0).sum(axis=1)[count > 0] / count[count > 0]
    return float(by_chooser.mean())


def _rounded(error: np.ndarray, mean: np.ndarray) -> np.ndarray:
    return np.where(error <= _ROUNDING * np.maximum(np.abs(mean), 1e-3), 0.0, error)
