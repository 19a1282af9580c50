"""The points of the ideal configurations, which are known minimisers of contrastive losses."""

import torch
from torch import Tensor

from trainables.sphere.known import CROSS_POLYTOPE, SIMPLEX, ideal_name


def ideal_points(n_pairs: int, dim: int) -> Tensor | None:
    """The points of the ideal, unit-norm rows `(N, d)` in float64; None if no ideal is known.

    Regular simplex (an equiangular tight frame): all inner products are `-1 / (N - 1)`. Cross-polytope: an
    orthonormal basis and its negatives, where points i and i + d are antipodes.
    """
    name = ideal_name(n_pairs, dim)
    if name == SIMPLEX:
        return _simplex(n_pairs, dim)
    if name == CROSS_POLYTOPE:
        basis = torch.eye(dim, dtype=torch.float64)
        return torch.cat([basis, -basis])
    return None


def _simplex(n_pairs: int, dim: int) -> Tensor:
    from scipy.linalg import helmert

    # The columns of Helmert's matrix are the vertices of a simplex, since its rows span the complement of all ones.
    vertices = torch.from_numpy(helmert(n_pairs).T) * (n_pairs / (n_pairs - 1)) ** 0.5
    return torch.nn.functional.pad(vertices, (0, dim - n_pairs + 1))
