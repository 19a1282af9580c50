"""The uniformity of a set of embeddings by the Gaussian potential."""

import math

from torch import Tensor

from trainables.metrics.pair_sums import PairSums, pair_sums


def uniformity(z: Tensor) -> float:
    """`log mean_{i<j} exp(-2 ||z_i - z_j||^2)` in nats: 0 for collapsed points, lower values for more uniform points.

    Shape: `(n, d)`, unit-norm rows. Raises `ValueError` for other input.
    Source: Wang and Isola 2020, arXiv 2005.10242, section 4.1, t = 2.
    """
    return uniformity_of(pair_sums(z))


def uniformity_of(sums: PairSums) -> float:
    """`uniformity` from sums over the pairs that are already computed."""
    return math.log(sums.mean_potential)
