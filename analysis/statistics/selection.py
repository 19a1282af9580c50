"""Choosing a cell and scoring others' choices, for arrays of any leading shape; who chooses stands in `cross_fitting`."""

import numpy as np

from analysis.statistics.intervals import mean_and_spread

#: Index of a cell where nothing could be chosen.
NONE = -1
#: Decimals to which means are compared, so that equal cells stay equal whatever the order of summation.
DECIMALS = 12


def scored_at(test: np.ndarray, cells: np.ndarray) -> np.ndarray:
    """Test scores `(..., S)` of the cells `(..., S)` chosen for each seed, NaN at `NONE`, from `(..., C, S)`."""
    if not test.shape[-2]:
        return np.full(cells.shape, np.nan)
    taken = np.take_along_axis(test, np.maximum(cells, 0)[..., None, :], axis=-2)[..., 0, :]
    return np.where(cells == NONE, np.nan, taken)


def best_cell(scores: np.ndarray) -> int:
    """The cell of the highest mean over seeds, of those with most seeds known; the first of equals, or `NONE`."""
    mean, _, count = mean_and_spread(scores)
    if not count.any():
        return NONE
    return int(np.argmax(np.where(count == count.max(), np.round(mean, DECIMALS), -np.inf)))
