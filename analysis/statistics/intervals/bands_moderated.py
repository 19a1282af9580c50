"""Intervals of many cells, from deviations that are estimated with the data of all cells."""

import numpy as np
from scipy import stats

from analysis.statistics.intervals.moderated import moderated_noise, moderated_spread, without_shifts
from analysis.statistics.intervals.student import (
    LEVEL,
    half_widths,
    mean_and_spread,
    simultaneous_bands,
    student_interval,
)

#: Least number of seeds for moderated deviations of single cells.
LEAST_SEEDS = 3


def moderated_errors(
    values: np.ndarray, alike: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean, standard error and degrees of freedom `(C,)` of the cells of `(C, S)`, ignoring NaN.

    The error of a cell has two parts. The shift that a seed gives to all cells is common to them, so its spread over
    the seeds has S - 1 degrees of freedom. The rest of a cell has a moderated deviation
    (`intervals.moderated.moderated_spread`). The degrees of freedom of the sum are Satterthwaite's (1946, "An
    approximate distribution of estimates of variance components"). An error below that of the cell's own deviation is
    raised to it, because cells with much noise would otherwise seem to differ. Cells that are not `alike` `(C,)`,
    such as those with failures, have their own deviation and `count - 1` degrees of freedom. So have all cells below
    three seeds or with fewer than two of them alike. NaN below two values.
    """
    mean, deviation, count = mean_and_spread(values)
    seeds = int(np.isfinite(values).any(axis=0).sum()) if values.size else 0
    error = deviation / np.sqrt(np.maximum(count, 1))
    freedom = np.where(count > 1, count - 1.0, np.nan)
    pooled = (count > 1) & (np.ones(len(count), dtype=bool) if alike is None else alike)
    if seeds < LEAST_SEEDS or pooled.sum() < 2:
        return mean, error, freedom
    levels, shift = without_shifts(values[pooled])
    spread, of_spread = moderated_noise(levels)
    of_shift = mean_and_spread(shift)[1] ** 2 / seeds
    of_cell = spread**2 / count[pooled]
    parts = of_shift**2 / (seeds - 1) + of_cell**2 / of_spread
    both = of_shift + of_cell
    error[pooled] = np.maximum(np.sqrt(both), error[pooled])
    freedom[pooled] = np.divide(both**2, parts, out=freedom[pooled], where=parts > 0)
    return mean, error, freedom


def moderated_interval(
    values: np.ndarray,
    *,
    alike: np.ndarray | None = None,
    level: float = LEVEL,
    bounds: tuple[float, float] = (-np.inf, np.inf),
    step: float = 0.0,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean and ends `(C,)` of the interval of each cell of `(C, S)` alone, by `moderated_errors`.

    A cell whose error is 0 has one `step` of the metric to each side.
    """
    if values.shape[-1] < LEAST_SEEDS:
        return student_interval(values, level=level, bounds=bounds, step=step)
    mean, error, freedom = moderated_errors(values, alike)
    half = half_widths(error, np.where(np.isfinite(freedom), freedom, 1.0), level=level, step=step)
    return mean, np.clip(mean - half, *bounds), np.clip(mean + half, *bounds)


def moderated_bands(scores: np.ndarray, *, level: float = LEVEL) -> tuple[np.ndarray, np.ndarray]:
    """Ends `(C,)` of intervals of the means of `(C, S)` that all hold at once with probability `level`.

    The mean of a cell is the mean of all cells plus the cell's distance from it. The shift that a seed gives to all
    cells is common to them, so the mean of all cells has a Student interval with S - 1 degrees of freedom. The
    distances have moderated deviations (`intervals_moderated.moderated_spread`) with at most `(C - 1)(S - 1)` degrees
    of freedom, and Bonferroni's correction for C cells. Each part takes half of `1 - level`, and the half-widths of
    the two parts are added. Where a trial is missing, or there is only one cell, the result is that of
    `intervals.simultaneous_bands`.
    """
    cells, seeds = scores.shape
    if cells < 2 or seeds < 2 or not np.isfinite(scores).all():
        return simultaneous_bands(scores, level=level)
    alpha, shift = (1 - level) / 2, scores.mean(axis=0)
    _, of_shift, _ = mean_and_spread(shift)
    _, spread, _, freedom = moderated_spread(scores - shift + shift.mean())
    freedom = np.clip(freedom, 1.0, (cells - 1) * (seeds - 1))
    apart = stats.t.isf(alpha / (2 * cells), freedom) * spread * np.sqrt(cells / (cells - 1))
    half = (stats.t.isf(alpha / 2, seeds - 1) * of_shift + apart) / np.sqrt(seeds)
    mean = scores.mean(axis=1)
    return mean - half, mean + half
