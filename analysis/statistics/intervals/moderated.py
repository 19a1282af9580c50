"""Standard deviations of many cells, pooled as far as the cells agree.

At five seeds the variance of one cell has four degrees of freedom. Simultaneous intervals of a hundred cells are then
ten standard errors wide to each side. Where all cells have the same noise, their variances can be pooled; where the
noise differs, they cannot. The moderated variance estimates from the cells how far to pool.
"""

import numpy as np
from scipy import optimize, special, stats

from analysis.statistics.intervals.student import LEVEL, mean_and_spread
from analysis.statistics.scores.cross_fitting import half_widening, means_of_other_half
from analysis.statistics.scores.selection import NONE, scored_at

#: Degrees of freedom above which the prior counts as certain.
_CERTAIN = 1e6


def moderated_spread(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Mean, moderated deviation, count and degrees of freedom `(C,)` of the cells `(C, S)`, ignoring NaN.

    `s~^2 = (d0 s0^2 + d s^2) / (d0 + d)` with `d0 + d` degrees of freedom and `d = count - 1`, but never more than
    the sum over all cells. The prior `d0` and `s0` are fitted to the moments of `log s^2` over the cells. `d0` is
    infinite where the variances differ no more than a chi-squared distribution explains, and near 0 where the noise
    levels of the cells have nothing in common. Cells without spread are not used in the fit. Deviation and degrees of
    freedom are NaN below two values.

    Source: Smyth (2004), "Linear models and empirical Bayes methods for assessing differential expression in
    microarray experiments", equations 6 and 8.
    """
    mean, deviation, count = mean_and_spread(np.asarray(values, dtype=float))
    own = np.where(count > 1, count - 1.0, np.nan)
    fitted = np.isfinite(deviation) & (deviation > 0)
    if fitted.sum() < 2:
        return mean, deviation, count, own
    prior, scale = _prior(deviation[fitted] ** 2, own[fitted])
    share = prior / (prior + own) if np.isfinite(prior) else np.ones_like(own)
    spread = np.sqrt(share * scale + (1 - share) * deviation**2)
    return mean, spread, count, np.minimum(prior + own, own[fitted].sum())


def gaps_to_best(scores: np.ndarray, *, level: float = LEVEL) -> tuple[np.ndarray, np.ndarray]:
    """Ends `(C,)` of simultaneous intervals of every cell's distance to the best one, `m_c - max_b m_b`.

    Lower ends use `x_c - max_b x_b` of cell averages; that maximum is at least the average of the truly best cell.
    Upper ends compare, at each seed, with the cell that is best on the other half of the seeds, whose expected score
    is at most that of the best cell. Both err outwards, so each side needs a correction (Bonferroni) for C cells
    only, not for pairs (multiple comparisons with the best: Hsu 1984, "Constrained simultaneous confidence intervals
    for multiple comparisons with the best"). The shift that a seed gives to all cells is removed first. Deviations
    are moderated. On the upper side they are widened where the choices of the halves differ
    (`statistics.cross_fitting`). NaN for a cell with fewer than two scores, and for all cells where every cell has
    fewer than two.
    """
    levels = _without_shifts(scores)
    mean, _, count = mean_and_spread(levels)
    if not (count > 1).any():
        return np.full(len(scores), np.nan), np.full(len(scores), np.nan)
    spread, freedom = _noise(levels)
    critical = _critical(freedom, (1 - level) / (2 * len(scores)))
    error = np.where(count > 1, spread / np.sqrt(np.maximum(count, 1)), np.nan)
    best = int(np.argmax(np.where(count > 1, mean, -np.inf)))
    low = mean - mean[best] - critical * np.hypot(error, error[best])
    chosen, held_out = _held_out_best(levels)
    widen = half_widening(len(chosen)) if len(np.unique(chosen)) > 1 else 1.0
    reference, _, known = mean_and_spread(held_out)
    of_reference = spread[best] / np.sqrt(max(int(known), 1))
    high = mean - reference + critical * widen * np.hypot(error, of_reference)
    return low, np.minimum(high, 0.0)


def _without_shifts(scores: np.ndarray) -> np.ndarray:
    """`(C, S)` less the shift of each seed: its mean deviation from the means of the cells with a score there."""
    shift, _, known = mean_and_spread((scores - mean_and_spread(scores)[0][:, None]).T)
    return scores - np.where(known > 0, shift, 0.0)


def _held_out_best(scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The cell `(S,)` that is best on the other half, of those with a score at the seed, and its scores `(S,)`."""
    others, count = means_of_other_half(scores)
    usable = np.isfinite(scores) & (count > 0)
    chosen = np.where(usable.any(axis=0), np.where(usable, others, -np.inf).argmax(axis=0), NONE)
    return chosen, scored_at(scores, chosen)


def _noise(levels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Moderated deviation of the cells without the seeds' shifts, and its degrees of freedom, both `(C,)`."""
    cells, seeds = len(levels), int(np.isfinite(levels).any(axis=0).sum())
    _, spread, _, freedom = moderated_spread(levels)
    # removing the shifts takes 1 of every C degrees of freedom, and the same part of the variance
    left = max(1, (cells - 1) * (seeds - 1))
    return spread * np.sqrt(cells / max(cells - 1, 1)), np.minimum(freedom, left)


def _critical(freedom: np.ndarray, alpha: float) -> np.ndarray:
    """Student's one-sided quantile for each number of degrees of freedom `(C,)`, NaN where that is NaN."""
    return np.where(
        np.isfinite(freedom), stats.t.isf(alpha, np.where(np.isfinite(freedom), freedom, 1.0)), np.nan
    )


def _prior(variance: np.ndarray, freedom: np.ndarray) -> tuple[float, float]:
    """Degrees of freedom and variance of the prior, from variances `(C,)` and their degrees of freedom."""
    half = freedom / 2
    logs = np.log(variance) - special.digamma(half) + np.log(half)
    beyond = logs.var(ddof=1) - special.polygamma(1, half).mean()
    if beyond <= special.polygamma(1, _CERTAIN):
        return np.inf, float(np.exp(logs.mean()))
    prior = optimize.brentq(lambda x: special.polygamma(1, x) - beyond, 1e-9, _CERTAIN)
    return 2 * prior, float(np.exp(logs.mean() + special.digamma(prior) - np.log(prior)))
