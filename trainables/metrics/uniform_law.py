"""Exact distributions and means for two independent uniform points on the unit sphere of R^d, for the metrics.

The inner product s of the points has a density proportional to `(1 - s^2)^((d - 3) / 2)`, so `(1 + s) / 2` has the
distribution Beta((d - 1) / 2, (d - 1) / 2).
"""

import math

import numpy as np
from scipy.special import betainc, gammaln, hyp0f1

Array = np.ndarray


def inner_product_cdf(s: Array, d: int) -> Array:
    """The distribution function of the inner product, `P(x.y <= s)`."""
    cdf: Array = betainc((d - 1) / 2, (d - 1) / 2, np.clip((1.0 + s) / 2, 0.0, 1.0))
    return cdf


def inner_product_cdf_integral(s: Array, d: int) -> Array:
    """The integral of the distribution function F from -1 to s. By parts, it is `s F(s)` minus the partial mean."""
    log_density_scale = gammaln(d / 2) - gammaln((d - 1) / 2) - math.log(math.pi) / 2
    with np.errstate(divide="ignore"):  # log 0 at s = +-1, with partial mean 0
        log_power = (d - 1) / 2 * np.log1p(-np.square(np.clip(s, -1.0, 1.0)))
    partial_mean = -np.exp(log_density_scale + log_power) / (d - 1)
    return s * inner_product_cdf(s, d) - partial_mean


def mean_distance(d: int) -> float:
    """`E |x - y| = 2^(d-1) Gamma(d/2)^2 / (sqrt(pi) Gamma(d - 1/2))`. It approaches sqrt 2 as d grows."""
    log_mean = (d - 1) * math.log(2) + 2 * gammaln(d / 2) - gammaln(d - 0.5) - math.log(math.pi) / 2
    return math.exp(log_mean)


def mean_potential(d: int, t: float) -> float:
    """`E exp(-t |x - y|^2) = exp(-2t) 0F1(d/2; t^2)`."""
    return math.exp(-2.0 * t) * float(hyp0f1(d / 2, t * t))
