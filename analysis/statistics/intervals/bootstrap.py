"""The studentised bootstrap of many means at once, computed as two matrix products.

All cells share their resampling weights. So the means of `B` resamples of `C` cells are one product `(C, S) @ (S,
B)`, and the second moments are another.
"""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from analysis.statistics.intervals.student import LEVEL, mean_and_spread

DRAWS = 1000
#: Least number of seeds. With four seeds, one resample in 64 has no spread: already a third of the 5 % outside.
MIN_SEEDS_BOOTSTRAP = 5

#: Cells in one matrix product. The number is small enough that two blocks of 1,000 resamples stay in a core's cache.
_BLOCK = 250
_THREADS = 8


def resampling_weights(seeds: int, draws: int, rng: np.random.Generator) -> np.ndarray:
    """Shares `(B, S)` of the seeds in `draws` resamples with replacement. Each row sums to 1."""
    return rng.multinomial(seeds, np.full(seeds, 1 / seeds), size=draws) / seeds


def studentised_interval(
    values: np.ndarray,
    *,
    rng: np.random.Generator,
    draws: int = DRAWS,
    level: float = LEVEL,
    bounds: tuple[float, float] = (-np.inf, np.inf),
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean and ends `(C,)` of the bootstrap-t interval of `(C, S)`, ignoring NaN; NaN ends below five values.

    `mean - q(1 - a/2) sd, mean - q(a/2) sd` with `a = 1 - level`, `q` the quantiles over resamples of `(mean* - mean)
    / sd*` (Efron 1979, 1981; Hall 1988). A resample without spread counts as infinite. Values with many ties can
    therefore have ends at the `bounds`. Values without any spread give an interval of width 0.

    Source: Efron and Tibshirani (1993), An Introduction to the Bootstrap, section 12.5.
    """
    values = np.asarray(values, dtype=float)
    mean, deviation, count = mean_and_spread(values)
    low, high = np.full(len(values), np.nan), np.full(len(values), np.nan)
    for seeds in np.unique(count[count >= MIN_SEEDS_BOOTSTRAP]):
        cells = np.flatnonzero(count == seeds)
        weights = resampling_weights(int(seeds), draws, rng)
        below, above = _quantiles(_standardised(values[cells], int(seeds)), weights, 1 - level)
        spread = deviation[cells] > 0
        scale = np.where(spread, deviation[cells] * np.sqrt((seeds - 1) / seeds), 0.0)
        low[cells] = mean[cells] - np.where(spread, above, 0.0) * scale
        high[cells] = mean[cells] - np.where(spread, below, 0.0) * scale
    return mean, np.clip(low, *bounds), np.clip(high, *bounds)


def _standardised(values: np.ndarray, seeds: int) -> np.ndarray:
    """The finite values `(C, n)`, n = `seeds` in each row, scaled to mean 0 and (ddof 0) deviation 1."""
    known = values[np.isfinite(values)].reshape(len(values), seeds)
    centred = known - known.mean(axis=1, keepdims=True)
    deviation = np.sqrt(np.mean(centred**2, axis=1, keepdims=True))
    return (centred / np.where(deviation > 0, deviation, 1.0)).astype(np.float32)


def _quantiles(values: np.ndarray, weights: np.ndarray, alpha: float) -> tuple[np.ndarray, np.ndarray]:
    """The `alpha / 2` and `1 - alpha / 2` quantiles, over resamples, of each row's mean divided by its deviation."""
    shares = np.ascontiguousarray(weights.T, dtype=np.float32)
    draws = len(weights)
    at = max(int((draws + 1) * alpha / 2) - 1, 0)
    places = [at, draws - 1 - at]

    def of_block(block: np.ndarray) -> np.ndarray:
        means, squares = block @ shares, (block * block) @ shares
        squares -= means * means
        # rounding error of zero spread is far below the spread of one different seed among n, 1 / n
        spread = np.sqrt(np.where(squares > 1e-5, squares, 0.0))
        with np.errstate(divide="ignore", invalid="ignore"):
            ratios = np.where(means == 0, 0.0, means / spread)
        ratios.partition(places, axis=1)
        return ratios[:, places]

    with ThreadPoolExecutor(min(os.cpu_count() or 1, _THREADS)) as threads:
        found = np.concatenate(list(threads.map(of_block, _blocks(values)))).astype(float)
    return found[:, 0], found[:, 1]


def _blocks(values: np.ndarray) -> Iterator[np.ndarray]:
    return (values[start : start + _BLOCK] for start in range(0, len(values), _BLOCK))
