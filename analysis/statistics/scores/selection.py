"""The configuration that all seeds choose together, which is the one that readers are shown."""

from collections.abc import Sequence

import numpy as np

from analysis.statistics.intervals.student import mean_and_spread

#: Stands for the index of a cell where no cell could be chosen.
NONE = -1
#: Decimals of means in comparisons, so that equal cells stay equal whatever the order of summation.
DECIMALS = 12


def best_cell(scores: np.ndarray) -> int:
    """The cell of the highest mean over seeds, of those with the most scores; the first of equal cells, or `NONE`."""
    mean, _, count = mean_and_spread(scores)
    if not count.any():
        return NONE
    return int(np.argmax(np.where(count == count.max(), np.round(mean, DECIMALS), -np.inf)))


def best_of(variants: Sequence[np.ndarray]) -> tuple[int, int]:
    """The variant with the highest mean over seeds, and its cell (`best_cell`), from the scores `(C, S)` of each.

    Of equal variants it is the first one. Without any score it is the first variant, with the cell `NONE`.
    """
    best = [best_cell(scores) for scores in variants]
    means = [
        -np.inf if cell == NONE else float(np.round(mean_and_spread(scores[cell])[0], DECIMALS))
        for scores, cell in zip(variants, best, strict=True)
    ]
    first = int(np.argmax(means))
    return first, best[first]
