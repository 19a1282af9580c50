"""Errors of differences between losses, with noise pooled over losses and seeds where they agree.

All trials of a loss at one seed form a block. Cells alone show the noise of trials; they do not show shifts that a
seed gives to a whole loss. So the error of a value is the larger of two: what the spread of the cells explains, and
what the blocks show. All functions allow leading batch axes.
"""

from dataclasses import dataclass

import numpy as np
from scipy import stats

#: Level of the test by which a loss counts as unlike the others: the chance that one with the same noise does so.
UNLIKE = 0.10
#: Part of a score's value below which a spread is rounding error.
_ROUNDING = 1e-12
#: Size of values that are all 0; its square is a number still.
LEAST_SIZE = 1e-100


@dataclass(frozen=True, kw_only=True)
class Blocks:
    """Errors of one value of each of L losses over S seeds."""

    error: np.ndarray  # (..., L), standard error of each loss's mean over seeds, by the pooled noise
    #: (..., L), by the loss's own residuals, S - 1 degrees of freedom; for losses that are unlike
    own: np.ndarray
    freedom: np.ndarray  # (...,), of the pooled error, (L - 1)(S - 1) with the L known losses
    #: (..., L) of bool: varies more between seeds than its cells and the other losses explain
    unlike: np.ndarray


def block_errors(values: np.ndarray, cell_error: np.ndarray, explained: np.ndarray) -> Blocks:
    """Errors of the means over seeds of `values` `(..., L, S)`.

    `cell_error` `(..., L)` is the error of the mean by the noise of cells alone, and `explained` `(..., L)` the error
    that this noise shows in the spread of the values. They are equal for means over seeds. The jackknife's values of
    means over pairs spread more (`scores.pairs_of_seeds.pseudo_weights`). The additive fit `v_ls = m_l + b_s`, with
    weights `1 / explained_l^2`, has residuals r on `f = (L - 1)(S - 1)` degrees of freedom. With
    `phi^2 = max(1, sum r_ls^2 / (S explained_l^2) / f)` the squared error of a loss is
    `cell_error_l^2 + (phi^2 - 1) explained_l^2`, and `phi^2 cell_error_l^2` where the two are equal. So each loss
    keeps its own cell noise, and differences have Student's quantile of f degrees of freedom.

    The own error of a loss has instead of `phi^2` the spread of its deviations from the weighted mean of the others,
    `sum_s r_ls^2 / (S explained_l^2) / (S - 1) / (1 - share_l)^2`, where the shares of the weights add up to 1.

    Losses with a value that is not finite have NaN and take no part. Source of the fit: the two-way layout with one
    observation per cell (Scheffe 1959, The Analysis of Variance, section 4.2).
    """
    seeds = values.shape[-1]
    known = np.isfinite(values).all(axis=-1) & np.isfinite(cell_error) & np.isfinite(explained)
    kept = np.where(known[..., None], values, 0.0)
    least = _ROUNDING * np.maximum(np.abs(kept).max(axis=(-1, -2), initial=0.0), LEAST_SIZE)[..., None]
    cell, shown = (np.where(known, np.maximum(error, least), 1.0) for error in (cell_error, explained))
    weight = known / shown**2
    share = weight / np.maximum(weight.sum(axis=-1, keepdims=True), 1e-300)
    count = known.sum(axis=-1)
    freedom = np.maximum(count - 1, 0) * (seeds - 1)

    spread = kept - kept.mean(axis=-1, keepdims=True)
    shift = (share[..., None] * spread).sum(axis=-2, keepdims=True)
    squares = ((spread - shift) ** 2).sum(axis=-1) * weight / seeds
    pooled = squares.sum(axis=-1, keepdims=True) / np.maximum(freedom, 1)[..., None]
    own = squares / max(seeds - 1, 1) / np.maximum(1 - share, 1e-9) ** 2
    error, own_error = (
        np.where(known, np.sqrt(cell**2 + np.maximum(ratio - 1, 0.0) * shown**2), np.nan)
        for ratio in (pooled, own)
    )
    return Blocks(
        error=error,
        own=own_error,
        freedom=freedom,
        unlike=known & _unlike(squares, share, count, seeds),
    )


def _unlike(squares: np.ndarray, share: np.ndarray, count: np.ndarray, seeds: int) -> np.ndarray:
    """Which losses `(..., L)` have more than their part of the residual sums of squares: F against the others.

    The noise of the others is the smaller of two estimates: their mean square, and the median of their mean squares
    over the median of chi-squared. The median keeps several noisy losses from hiding each other. Two losses share all
    of their residuals, so neither can be told from the other.
    """
    freedom = max(seeds - 1, 1)
    total = squares.sum(axis=-1, keepdims=True)
    own = np.maximum((seeds - 1) * (1 - share), 1e-9)
    rest = np.maximum((np.maximum(count, 2) - 1)[..., None] * (seeds - 1) - own, 1e-9)
    known = share > 0
    middle = _median_of_others(np.where(known, squares / own, np.inf), count)
    others = np.minimum((total - squares) / rest, middle * freedom / stats.chi2.median(freedom))
    limit = stats.f.isf(UNLIKE, freedom, np.maximum((count - 2) * freedom, 1))
    return (squares / own / np.maximum(others, 1.0) > limit[..., None]) & (count > 2)[..., None]


def _median_of_others(values: np.ndarray, count: np.ndarray) -> np.ndarray:
    """For each of the `count` `(...,)` finite `values` `(..., L)` the median of the other ones."""
    order = np.argsort(values, axis=-1)
    ordered, place = np.take_along_axis(values, order, axis=-1), np.argsort(order, axis=-1)
    others = np.maximum(count - 1, 1)[..., None]
    low, high = (
        np.take_along_axis(ordered, np.minimum(at + (at >= place), values.shape[-1] - 1), axis=-1)
        for at in ((others - 1) // 2, others // 2)
    )
    return (low + high) / 2
