"""Choosing a cell and scoring others' choices, for arrays of any leading shape; who chooses stands in `halves`."""

import math

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


def widening(cells: np.ndarray) -> float:
    """Factor `sqrt(1 + S / (S - 1))` on the standard error where the choices `(S,)` differ, else 1.

    Choices that share S - 2 seeds make held-out scores dependent: Nadeau and Bengio (2003), "Inference for the
    generalization error", with one of S seeds held out; see `statistics.choice.cross_fit_widening`.
    """
    chosen = cells[cells != NONE]
    return math.sqrt(1 + len(chosen) / (len(chosen) - 1)) if len(np.unique(chosen)) > 1 else 1.0


def best_cell(scores: np.ndarray) -> int:
    """The cell of the highest mean over all seeds, of those with most seeds known; `NONE` of none; `(C, S)`."""
    mean, _, count = mean_and_spread(scores)
    if not count.any():
        return NONE
    return int(np.argmax(np.where(count == count.max(), np.round(mean, DECIMALS), -np.inf)))
