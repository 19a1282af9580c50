"""Chooses a cell, and scores chosen cells, for arrays of any leading shape.

`cross_fitting` decides which seeds choose.
"""

import numpy as np

from analysis.statistics.intervals.student import mean_and_spread

#: Index of a cell where nothing could be chosen.
NONE = -1
#: Decimals of means in comparisons, so that equal cells stay equal whatever the order of summation.
DECIMALS = 12


def scored_at(test: np.ndarray, cells: np.ndarray) -> np.ndarray:
    """Test scores `(..., S)`, from `(..., C, S)`, of the cell `(..., S)` chosen for each seed; NaN at `NONE`."""
    if not test.shape[-2]:
        return np.full(cells.shape, np.nan)
    taken = np.take_along_axis(test, np.maximum(cells, 0)[..., None, :], axis=-2)[..., 0, :]
    return np.where(cells == NONE, np.nan, taken)


def best_cell(scores: np.ndarray) -> int:
    """The cell of the highest mean over seeds, of those with the most scores; the first of equal cells, or `NONE`."""
    mean, _, count = mean_and_spread(scores)
    if not count.any():
        return NONE
    return int(np.argmax(np.where(count == count.max(), np.round(mean, DECIMALS), -np.inf)))
