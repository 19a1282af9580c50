"""Simultaneous confidence bands of curves over seeds."""

import numpy as np
from scipy import stats

from analysis.statistics.intervals.student import LEVEL, mean_and_spread

#: Least number of seeds for a band.
MIN_SEEDS_BAND = 3
DRAWS = 1000


def curve_band(
    curves: np.ndarray,
    *,
    rng: np.random.Generator,
    level: float = LEVEL,
    bounds: tuple[float, float] = (-np.inf, np.inf),
    draws: int = DRAWS,
) -> tuple[np.ndarray, np.ndarray]:
    """Ends `(N,)` of a band that covers the mean curve of `(N, S)` at all points at once; NaN below three seeds.

    `mean -+ c sd / sqrt(S)`, with `c` the `level` quantile of the largest `|t|` over the curve. The quantile is
    simulated from `draws` samples of S normal curves with the correlations of these S curves. The method suits points
    that move together, as the points of one curve do. S curves span at most S - 1 directions, so for independent
    points the largest `|t|` would be too small. For the cells of a surface use `intervals.simultaneous_bands`
    (Bonferroni). Curves with a missing value are left out.

    Source: max-t of Westfall and Young (1993), Resampling-Based Multiple Testing, with a parametric bootstrap.
    """
    whole = curves[:, np.isfinite(curves).all(axis=0)]
    mean, deviation, _ = mean_and_spread(whole)
    seeds = whole.shape[1]
    if seeds < MIN_SEEDS_BAND:
        return np.full(len(curves), np.nan), np.full(len(curves), np.nan)
    half = _largest_t(whole, mean, deviation, rng, level, draws) * deviation / np.sqrt(seeds)
    return np.clip(mean - half, *bounds), np.clip(mean + half, *bounds)


def _largest_t(
    curves: np.ndarray,
    mean: np.ndarray,
    deviation: np.ndarray,
    rng: np.random.Generator,
    level: float,
    draws: int,
) -> float:
    seeds = curves.shape[1]
    pointwise = float(stats.t.ppf(0.5 + level / 2, seeds - 1))
    spread = deviation > 0
    if not spread.any():
        return pointwise
    standard = (curves[spread] - mean[spread, None]) / (deviation[spread, None] * np.sqrt(seeds - 1))
    simulated = standard @ rng.standard_normal((draws * seeds, seeds)).T  # (N, B S), normal curves
    means, deviations, _ = mean_and_spread(simulated.reshape(-1, draws, seeds))
    largest = np.max(np.abs(means) / deviations, axis=0) * np.sqrt(seeds)
    return max(pointwise, float(np.quantile(largest, level)))
