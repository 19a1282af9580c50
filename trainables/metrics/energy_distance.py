"""Energy distance to the uniform law on the sphere."""

from torch import Tensor

from trainables.metrics.pair_sums import PairSums, pair_sums
from trainables.metrics.uniform_law import mean_distance


def energy_distance(z: Tensor) -> float:
    """`2 E|x - y| - E|x - x'| - E|y - y'|` with x from the points and y uniform, as a distance.

    On the sphere `E|x - y|` is the same for every x, so it is `E|y - y'| - mean_{i<j} ||z_i - z_j||`: an
    unbiased estimate, which may be slightly negative; at most `E|y - y'|`, near sqrt 2, when collapsed. In
    float32 the distance of coincident points is rounded to at most 1e-3. Shape: `(n, d)`, unit-norm rows.
    Raises `ValueError` for anything else. Source: Szekely and Rizzo 2013, Journal of Statistical Planning
    and Inference 143, 1249.
    """
    return energy_distance_of(pair_sums(z))


def energy_distance_of(sums: PairSums) -> float:
    """`energy_distance` from a pass over the pairs that was made already."""
    return mean_distance(sums.d) - sums.mean_distance
