"""Errors of differences between losses, with noise pooled over losses and seeds where they agree.

All trials of a loss at one seed form a block. Cells alone show the noise of trials; they do not show shifts that a
seed gives to a whole loss. So the error of a value is the larger of two: what the spread of the cells explains, and
what the blocks show. All functions allow leading batch axes.
"""

from dataclasses import dataclass

import numpy as np
from scipy import stats

#: Chance at which one of several equally noisy losses counts as unlike the others and is not pooled with them: up to
#: three seeds, where shifts of one loss show least, and at more.
UNLIKE = (0.10, 0.03)
#: Part of a score's value below which a spread is rounding error.
_ROUNDING = 1e-12
#: Size of values that are all 0; its square is a number still.
_LEAST_SIZE = 1e-100


@dataclass(frozen=True, kw_only=True)
class Blocks:
    """Errors of one value of each of L losses over S seeds."""

    error: np.ndarray  # (..., L), standard error of each loss's mean over seeds
    freedom: np.ndarray  # (...,), of the pooled error, (L - 1)(S - 1) with the L known losses
    unlike: (
        np.ndarray
    )  # (..., L) of bool: varies more between seeds than its cells and the other losses explain
    paired: np.ndarray  # (..., L), standard error of the difference from the reference by its own pairs alone


def block_errors(
    values: np.ndarray, cell_error: np.ndarray, explained: np.ndarray, *, reference: int
) -> Blocks:
    """Errors of the means over seeds of `values` `(..., L, S)`.

    `cell_error` `(..., L)` is the error of the mean by the noise of cells alone, and `explained` `(..., L)` the error
    that this noise shows in the spread of the values. They are equal for means over seeds. The jackknife's values of
    means over pairs spread more (`scores.pairs_of_seeds.pseudo_weights`). The additive fit `v_ls = m_l + b_s`, with
    weights `1 / explained_l^2`, has residuals r on `f = (L - 1)(S - 1)` degrees of freedom. With
    `phi^2 = max(1, sum r_ls^2 / (S explained_l^2) / f)` the squared error of a loss is
    `cell_error_l^2 + (phi^2 - 1) explained_l^2`, and `phi^2 cell_error_l^2` where the two are equal. So each loss
    keeps its own cell noise, and differences have Student's quantile of f degrees of freedom.

    Losses with a value that is not finite have NaN and take no part. Source of the fit: the two-way layout with one
    observation per cell (Scheffe 1959, The Analysis of Variance, section 4.2).
    """
    seeds = values.shape[-1]
    known = np.isfinite(values).all(axis=-1) & np.isfinite(cell_error) & np.isfinite(explained)
    kept = np.where(known[..., None], values, 0.0)
    least = _ROUNDING * np.maximum(np.abs(kept).max(axis=(-1, -2), initial=0.0), _LEAST_SIZE)[..., None]
    cell, shown = (np.where(known, np.maximum(error, least), 1.0) for error in (cell_error, explained))
    weight = known / shown**2
    share = weight / np.maximum(weight.sum(axis=-1, keepdims=True), 1e-300)
    count = known.sum(axis=-1)
    freedom = np.maximum(count - 1, 0) * (seeds - 1)

    spread = kept - kept.mean(axis=-1, keepdims=True)
    shift = (share[..., None] * spread).sum(axis=-2, keepdims=True)
    squares = ((spread - shift) ** 2).sum(axis=-1) * weight / seeds
    total = squares.sum(axis=-1)
    excess = np.maximum(total / np.maximum(freedom, 1) - 1, 0.0)[..., None]
    differences = kept - kept[..., reference, None, :]
    return Blocks(
        error=np.where(known, np.sqrt(cell**2 + excess * shown**2), np.nan),
        freedom=freedom,
        unlike=known & _unlike(squares, share, count, seeds),
        paired=np.where(
            known & known[..., reference, None],
            differences.std(axis=-1, ddof=min(1, seeds - 1)) / np.sqrt(seeds),
            np.nan,
        ),
    )


def _unlike(squares: np.ndarray, share: np.ndarray, count: np.ndarray, seeds: int) -> np.ndarray:
    """Which losses `(..., L)` have more than their part of the residual sums of squares: F against the others.

    Two losses share all of their residuals, so neither can be told from the other.
    """
    total = squares.sum(axis=-1, keepdims=True)
    own = np.maximum((seeds - 1) * (1 - share), 1e-9)
    rest = np.maximum((np.maximum(count, 2) - 1)[..., None] * (seeds - 1) - own, 1e-9)
    others = np.maximum(1.0, (total - squares) / rest)
    limit = stats.f.isf(UNLIKE[int(seeds > 3)], max(seeds - 1, 1), np.maximum((count - 2) * (seeds - 1), 1))
    return (squares / own / others > limit[..., None]) & (count > 2)[..., None]
