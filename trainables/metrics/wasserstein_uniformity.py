"""Wasserstein distance of the inner products to those of the uniform law on the sphere."""

from functools import lru_cache

import numpy as np
from torch import Tensor

from trainables.metrics.pair_sums import BINS, PairSums, pair_sums
from trainables.metrics.uniform_law import inner_product_cdf, inner_product_cdf_integral


def wasserstein_uniformity(z: Tensor) -> float:
    """W1 between the pairwise inner products and the law of `x.y` for uniform points, in inner product.

    `W1 = integral |F_n(s) - F(s)| ds` with the exact F. 1 when collapsed; for n independent uniform points
    of the order of 1/n, not 0; a regular simplex of few points is not at 0 either, since all its inner
    products are alike. Right to 1e-6 for any d from 2 to 4096. Shape: `(n, d)`, unit-norm rows. Raises
    `ValueError` for anything else. Source: Koromilas et al. 2024, arXiv 2405.18045.
    """
    return wasserstein_uniformity_of(pair_sums(z))


def wasserstein_uniformity_of(sums: PairSums) -> float:
    """`wasserstein_uniformity` from a pass over the pairs that was made already."""
    edges, law, integral = _uniform_law(sums.d)
    left, right, width = edges[:-1], edges[1:], 2.0 / BINS
    share = sums.counts / sums.counts.sum()
    after = np.cumsum(share)
    before = after - share
    means = np.divide(sums.sums, sums.counts, out=(left + right) / 2, where=sums.counts > 0)
    means = np.clip(means, left, right)
    # where the two functions do not cross within a bin, the bin's mean gives its integral exactly
    areas = np.abs(before * width + share * (right - means) - np.diff(integral))
    # where they do, the bin's mass is taken to sit at its mean: exact for atoms, else off by share * width /
    # 4
    crossing = (before - law[:-1]) * (after - law[1:]) <= 0.0
    at_means = inner_product_cdf_integral(means[crossing], sums.d)
    below = before[crossing] * (means - left)[crossing] - (at_means - integral[:-1][crossing])
    above = after[crossing] * (right - means)[crossing] - (integral[1:][crossing] - at_means)
    areas[crossing] = np.abs(below) + np.abs(above)
    return float(areas.sum())


@lru_cache(maxsize=8)
def _uniform_law(d: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Edges of the bins, and there the distribution function and its integral: the same for every trial."""
    edges = np.linspace(-1.0, 1.0, BINS + 1)
    return edges, inner_product_cdf(edges, d), inner_product_cdf_integral(edges, d)
