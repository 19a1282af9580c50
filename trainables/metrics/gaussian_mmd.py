"""Maximum mean discrepancy to the uniform law on the sphere."""

from torch import Tensor

from trainables.metrics.pair_sums import POTENTIAL_T, PairSums, pair_sums
from trainables.metrics.uniform_law import mean_potential


def gaussian_mmd(z: Tensor) -> float:
    """Squared MMD with the kernel `k = exp(-2 ||x - y||^2)`, a pure number: 0 in expectation for uniform
    points.

    On the sphere `E k(x, y)` over uniform y is the same for every x, so the unbiased estimate is
    `mean_{i<j} k(z_i, z_j) - E k(y, y')`: uniformity without the logarithm, minus its exact least value. It
    may be slightly negative. Shape: `(n, d)`, unit-norm rows. Raises `ValueError` for anything else. Source:
    Gretton et al. 2012, Journal of Machine Learning Research 13, 723.
    """
    return gaussian_mmd_of(pair_sums(z))


def gaussian_mmd_of(sums: PairSums) -> float:
    """`gaussian_mmd` from a pass over the pairs that was made already."""
    return sums.mean_potential - mean_potential(sums.d, POTENTIAL_T)
