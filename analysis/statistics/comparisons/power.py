"""What differences a paired comparison of few seeds can detect."""

import functools
import math

import numpy as np
from scipy import optimize, special, stats

POWER = 0.80

#: Mid-points to integrate over the distribution of the sample variance; 2,000 give the power to about 1e-4.
_QUANTILES = (np.arange(2000) + 0.5) / 2000


def power(effect: float, *, seeds: int, alpha: float) -> float:
    """Power of the two-sided paired t test at `effect` standard deviations of the difference.

    `P(|Z + effect sqrt(S)| > c sqrt(V / (S - 1)))` with Z normal, V chi-squared with S - 1 degrees of freedom and c
    the critical value. This is the non-central t distribution. It is integrated over V here, because library versions
    of it overflow at 1 degree of freedom and small `alpha`.
    """
    freedom = seeds - 1
    critical = stats.t.ppf(1 - alpha / 2, freedom)
    threshold, shift = critical * _spreads(freedom), effect * math.sqrt(seeds)
    return float(np.mean(special.ndtr(shift - threshold) + special.ndtr(-threshold - shift)))


@functools.cache
def _spreads(freedom: int) -> np.ndarray:
    """Quantiles of the ratio of sample deviation and true deviation."""
    spreads: np.ndarray = np.sqrt(stats.chi2.ppf(_QUANTILES, freedom) / freedom)
    return spreads


@functools.cache  # the same for every comparison of a study
def detectable_effect(*, seeds: int, alpha: float, wanted: float = POWER) -> float:
    """Smallest effect, in deviations of the difference, detected with power `wanted`; inf below two seeds."""
    if seeds < 2:
        return math.inf
    high = 1.0
    while power(high, seeds=seeds, alpha=alpha) < wanted:
        high *= 2
    return float(optimize.brentq(lambda effect: power(effect, seeds=seeds, alpha=alpha) - wanted, 0.0, high))
