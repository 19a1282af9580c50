"""The energy distance to the uniform distribution on the sphere."""

from torch import Tensor

from trainables.metrics.pair_sums import PairSums, pair_sums
from trainables.metrics.uniform_law import mean_distance


def energy_distance(z: Tensor) -> float:
    """`2 E|x - y| - E|x - x'| - E|y - y'|` with x from the points and y uniform, in units of distance.

    On the sphere, `E|x - y|` is the same for every x, so the value is `E|y - y'| - mean_{i<j} ||z_i - z_j||`. This
    is an unbiased estimate, which may be slightly negative. It is at most `E|y - y'|`, near sqrt 2, for collapsed
    points. In float32, the computed distance of coincident points is at most 1e-3. Shape: `(n, d)`, unit-norm rows.
    Raises `ValueError` for other input. Source: Szekely and Rizzo 2013, Journal of Statistical Planning and
    Inference 143, 1249.
    """
    return energy_distance_of(pair_sums(z))


def energy_distance_of(sums: PairSums) -> float:
    """`energy_distance` from sums over the pairs that are already computed."""
    return mean_distance(sums.d) - sums.mean_distance
