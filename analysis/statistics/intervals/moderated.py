"""Standard deviations of many cells, pooled as far as the cells agree.

At five seeds the variance of one cell has four degrees of freedom. Simultaneous intervals of a hundred cells are then
ten standard errors wide to each side. Where all cells have the same noise, their variances can be pooled; where the
noise differs, they cannot. The moderated variance estimates from the cells how far to pool.
"""

import numpy as np
from scipy import special

from analysis.statistics.intervals.student import mean_and_spread

#: Degrees of freedom above which the prior counts as certain.
_CERTAIN = 1e6
#: Steps of Newton's method; it converges from below for every start here.
_NEWTON_STEPS = 12


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


def without_shifts(scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`(C, S)` less the shift of each seed, and the shifts `(S,)`, NaN for a seed without scores.

    The shift is the mean deviation of the seed's scores from the means of their cells.
    """
    shift, _, known = mean_and_spread((scores - mean_and_spread(scores)[0][:, None]).T)
    return scores - np.where(known > 0, shift, 0.0), shift


def moderated_noise(levels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Moderated deviation of the cells without the seeds' shifts, and its degrees of freedom, both `(C,)`."""
    cells, seeds = len(levels), int(np.isfinite(levels).any(axis=0).sum())
    _, spread, _, freedom = moderated_spread(levels)
    # removing the shifts takes 1 of every C degrees of freedom, and the same part of the variance
    left = max(1, (cells - 1) * (seeds - 1))
    return spread * np.sqrt(cells / max(cells - 1, 1)), np.minimum(freedom, left)


def moderated_variances(variance: np.ndarray, freedom: float) -> tuple[np.ndarray, np.ndarray]:
    """Moderated variances `(..., C)` and their degrees of freedom `(...,)`, from variances of equal `freedom`.

    As in `moderated_spread`, for many sets of cells at once. The degrees of freedom are at most those of all cells of
    nonzero variance together.
    """
    fitted = variance > 0
    count = fitted.sum(axis=-1)
    prior, scale = _priors(variance, np.full(variance.shape, float(freedom)), fitted)
    with np.errstate(invalid="ignore"):
        share = np.where(np.isfinite(prior), prior / (prior + freedom), 1.0)[..., None]
    moderated = np.where(share > 0, share * scale[..., None], 0.0) + (1 - share) * variance
    return moderated, np.minimum(prior + freedom, np.maximum(count, 1) * freedom)


def _prior(variance: np.ndarray, freedom: np.ndarray) -> tuple[float, float]:
    """Degrees of freedom and variance of the prior, from variances `(C,)` and their degrees of freedom."""
    prior, scale = _priors(variance, freedom, np.ones(variance.shape, dtype=bool))
    return float(prior), float(scale)


def _priors(variance: np.ndarray, freedom: np.ndarray, fitted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Degrees of freedom and variance of the prior `(...,)`, from those variances `(..., C)` that are `fitted`.

    The prior has 0 degrees of freedom where fewer than two variances are fitted.
    """
    half = freedom / 2
    count = fitted.sum(axis=-1)
    with np.errstate(divide="ignore"):
        logs = np.where(
            fitted, np.log(np.where(fitted, variance, 1.0)) - special.digamma(half) + np.log(half), 0.0
        )
    mean = logs.sum(axis=-1) / np.maximum(count, 1)
    square = np.where(fitted, logs - mean[..., None], 0.0) ** 2
    expected = np.where(fitted, special.polygamma(1, half), 0.0).sum(axis=-1) / np.maximum(count, 1)
    beyond = square.sum(axis=-1) / np.maximum(count - 1, 1) - expected
    certain = beyond <= special.polygamma(1, _CERTAIN)
    half_prior = _inverse_trigamma(np.where(certain, 1.0, beyond))
    scale = np.exp(mean + np.where(certain, 0.0, special.digamma(half_prior) - np.log(half_prior)))
    enough = count >= 2
    return np.where(enough, np.where(certain, np.inf, 2 * half_prior), 0.0), np.where(enough, scale, 0.0)


def _inverse_trigamma(values: np.ndarray) -> np.ndarray:
    """The x with `trigamma(x) = value`, by Newton's method on `1 / trigamma` (Smyth 2004, appendix)."""
    x = 0.5 + 1 / values
    for _ in range(_NEWTON_STEPS):
        slope = special.polygamma(2, x)
        at = special.polygamma(1, x)
        x = x + at * (1 - at / values) / slope
    return x
