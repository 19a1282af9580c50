"""Simultaneous intervals of many cells, from deviations that are estimated with the data of all cells."""

import numpy as np
from scipy import stats

from analysis.statistics.intervals.moderated import moderated_spread
from analysis.statistics.intervals.student import LEVEL, mean_and_spread, simultaneous_bands


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
