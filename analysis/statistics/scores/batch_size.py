"""How the score, and the best value of the main axis, change with batch size."""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from analysis.statistics.intervals.jackknife import LEAST_SEEDS, TOO_FEW
from analysis.statistics.intervals.student import LEVEL, Estimate, mean_and_spread, student_estimate
from analysis.statistics.scores.cross_fitting import held_out_cells, held_out_estimate
from analysis.statistics.scores.selection import NONE, best_cell, scored_at


@dataclass(frozen=True, kw_only=True)
class BatchElasticity:
    """Change of the score for each doubling of the batch."""

    fixed: Estimate  # the main axis at one value
    retuned: Estimate  # the main axis tuned again at each batch size


def batch_elasticity(
    test: np.ndarray,
    validation: np.ndarray,
    batch_sizes: np.ndarray,
    fixed: int | None = None,
    *,
    note: str = "",
) -> BatchElasticity:
    """Least-squares slope of the score over `log2(batch size)`, on `(X, Y, S)`: batch size, main axis, seed.

    `sum_x (l_x - l) s_x / sum_x (l_x - l)^2` with `l_x = log2 batch`. For `fixed`, `s_x` is the score at the
    main-axis index `fixed`. Where that is None, the index is the one of the best cell of the grid by validation on
    the other half of the seeds. For `retuned`, `s_x` is the test score of the main-axis value that is best at x by
    validation on the other half of the seeds. The slope is linear in the scores, so each seed has its own slope.
    Intervals are Student's over seeds; those of held-out scores are as in `cross_fitting.held_out_estimate`. They
    need two seeds. NaN with a note for fewer than two batch sizes.
    """
    slope = slope_weights(np.log2(batch_sizes))
    if slope is None:
        nothing = Estimate(value=float("nan"), note=note or "one batch size")
        return BatchElasticity(fixed=nothing, retuned=nothing)
    chosen = held_out_cells(validation)
    return BatchElasticity(
        fixed=_slope_at_tuned(test, validation, slope, note)
        if fixed is None
        else student_estimate(slope @ test[:, fixed, :], note=note, empty="no complete seed"),
        retuned=held_out_estimate(slope @ scored_at(test, chosen), note=note),
    )


def _slope_at_tuned(test: np.ndarray, validation: np.ndarray, slope: np.ndarray, note: str) -> Estimate:
    """At each seed, the slope at the main-axis value of the cell that is best on the other half of the seeds."""
    sizes, values, seeds = test.shape
    best = held_out_cells(validation.reshape(-1, seeds))
    at_value = np.where(best == NONE, NONE, best % values)
    return held_out_estimate(slope @ scored_at(test, np.broadcast_to(at_value, (sizes, seeds))), note=note)


def best_drift(
    scores: np.ndarray, batch_sizes: np.ndarray, main_axis: np.ndarray, *, note: str = ""
) -> Estimate:
    """Slope of the log of the best main-axis value over log batch size, on `(X, Y, S)`: 1 for proportional growth.

    `sum_x (l_x - l) log y*_x / sum_x (l_x - l)^2` with `l_x = log batch` and `y*_x` the best value at x by the mean
    over seeds: `y* ~ batch^slope`. The place of a maximum is not a mean, and its bootstrap is not consistent. The
    interval is therefore conservative. For each batch size it takes the set of values that no other value beats
    significantly (one-sided paired t tests over seeds, Bonferroni over all pairs: multiple comparisons with the best,
    Hsu 1984). Its ends are the smallest and the largest slope that these sets allow. The interval covers only values
    of the grid. It needs 5 seeds and a positive main axis.
    """
    slope = slope_weights(np.log(batch_sizes))
    if slope is None or np.any(main_axis <= 0):
        return Estimate(
            value=float("nan"), note=note or ("one batch size" if slope is None else "no logarithm")
        )
    best = np.array([best_cell(row) for row in scores])
    seeds = int(np.isfinite(scores).any(axis=(0, 1)).sum())
    if np.any(best < 0):
        return Estimate(value=float("nan"), seeds=seeds, note=note or "no trials at a batch size")
    logs = np.log(main_axis)
    value = float(slope @ logs[best])
    if note or seeds < LEAST_SEEDS:
        return Estimate(value=value, seeds=seeds, note=note or TOO_FEW)
    allowed = candidates(scores)
    # a cell with missing seeds may beat the best one on their shared seeds, and yet not be a candidate itself
    allowed[np.arange(len(best)), best] = True
    lowest, highest = (
        np.where(allowed, logs, np.inf).min(axis=1),
        np.where(allowed, logs, -np.inf).max(axis=1),
    )
    low = slope @ np.where(slope > 0, lowest, highest)
    high = slope @ np.where(slope > 0, highest, lowest)
    return Estimate(
        value=value, low=float(low), high=float(high), seeds=seeds, method="sets of best values, conservative"
    )


def candidates(scores: np.ndarray, *, level: float = LEVEL) -> np.ndarray:
    """Which values `(X, Y)` may be the best of their row, because no other value beats them, from `(X, Y, S)`.

    With probability `level`, the sets of all rows contain the best value of their row at once. A pair with fewer than
    two shared seeds decides nothing. A pair whose differences have no spread is decided by the sign of the
    difference.
    """
    rows, values = scores.shape[:2]
    mean, deviation, count = mean_and_spread(scores[:, :, None, :] - scores[:, None, :, :])
    critical = stats.t.ppf(1 - (1 - level) / max(rows * (values - 1), 1), np.maximum(count - 1, 1))
    beaten = (
        (count > 1)
        & (mean < 0)
        & (-mean * np.sqrt(np.maximum(count, 1)) > critical * np.nan_to_num(deviation))
    )
    return ~beaten.any(axis=-1)


def slope_weights(positions: np.ndarray) -> np.ndarray | None:
    """Weights `(X,)`: their product with values is the least-squares slope. None where all positions are equal."""
    centred = positions - positions.mean()
    square = (centred**2).sum()
    return centred / square if square > 0 else None
