"""The maximum mean discrepancy (MMD) to the uniform distribution on the sphere."""

from torch import Tensor

from trainables.metrics.pair_sums import POTENTIAL_T, PairSums, pair_sums
from trainables.metrics.uniform_law import mean_potential


def gaussian_mmd(z: Tensor) -> float:
    """Squared MMD with the kernel `k = exp(-2 ||x - y||^2)`, without a unit: 0 in expectation for uniform points.

    On the sphere, `E k(x, y)` over uniform y is the same for every x, so the unbiased estimate is
    `mean_{i<j} k(z_i, z_j) - E k(y, y')`. This is the uniformity without the logarithm, minus its exact minimum. It
    may be slightly negative. Shape: `(n, d)`, unit-norm rows. Raises `ValueError` for other input. Source: Gretton et
    al. 2012, Journal of Machine Learning Research 13, 723.
    """
    return gaussian_mmd_of(pair_sums(z))


def gaussian_mmd_of(sums: PairSums) -> float:
    """`gaussian_mmd` from sums over the pairs that are already computed."""
    return sums.mean_potential - mean_potential(sums.d, POTENTIAL_T)
