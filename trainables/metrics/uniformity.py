"""Uniformity by the Gaussian potential."""

import math

from torch import Tensor

from trainables.metrics.pair_sums import PairSums, pair_sums


def uniformity(z: Tensor) -> float:
    """`log mean_{i<j} exp(-2 ||z_i - z_j||^2)` in nats: 0 when collapsed, the lower the more uniform.

    Shape: `(n, d)`, unit-norm rows. Raises `ValueError` for anything else.
    Source: Wang and Isola 2020, arXiv 2005.10242, section 4.1, t = 2.
    """
    return uniformity_of(pair_sums(z))


def uniformity_of(sums: PairSums) -> float:
    """`uniformity` from a pass over the pairs that was made already."""
    return math.log(sums.mean_potential)
