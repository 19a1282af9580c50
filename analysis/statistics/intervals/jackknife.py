"""Intervals over seeds of scores that are not means over seeds: the delete-one jackknife."""

import numpy as np
from scipy import stats

from analysis.statistics.intervals.student import LEVEL, NO_SPREAD, Estimate

#: Least number of seeds for a jackknife and for scores built on a maximum or a minimum.
LEAST_SEEDS = 5
TOO_FEW = "too few seeds"

#: Relative spread of left-out values below which it is rounding error.
_ROUNDING = 1e-10


def jackknife_estimate(
    value: float, left_out: np.ndarray, *, bounds: tuple[float, float] = (-np.inf, np.inf), note: str = ""
) -> Estimate:
    """`value` of all seeds, with `value -+ t(S - 1) se`, from the values `(S,)` with each seed left out in turn.

    `se^2 = (S - 1) / S sum_s (left_out_s - mean)^2` (Efron and Stein 1981, "The jackknife estimate of variance": it
    errs upwards), with Student's quantile as Tukey proposed. It suits smooth scores, neither maxima nor quantiles.
    There is no interval below 5 seeds or where a left-out value is unknown.
    """
    seeds = len(left_out)
    if not np.isfinite(value):
        return Estimate(value=float("nan"), note=note or "no trials")
    if seeds < LEAST_SEEDS:
        return Estimate(value=float(value), seeds=seeds, note=note or TOO_FEW)
    if not np.isfinite(left_out).all():
        return Estimate(value=float(value), seeds=seeds, note=note or "rests on a single seed")
    error = np.sqrt((seeds - 1) * left_out.var())
    if np.sqrt(left_out.var()) <= _ROUNDING * max(1.0, abs(value)):
        error, note = 0.0, note or NO_SPREAD
    half = stats.t.ppf(0.5 + LEVEL / 2, seeds - 1) * error
    low, high = np.clip([value - half, value + half], *bounds)
    return Estimate(
        value=float(value),
        low=float(low),
        high=float(high),
        seeds=seeds,
        method="jackknife over seeds",
        note=note,
    )
