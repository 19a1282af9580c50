"""The distance of embeddings to an ideal configuration. Rotations and relabellings of samples do not change it."""

import numpy as np
import torch
from torch import Tensor

from trainables.sphere.ideal import ideal_points
from trainables.sphere.known import SIMPLEX, ideal_name


def gram_distance(z_a: Tensor, z_b: Tensor) -> float | None:
    """Root mean square difference of the Gram matrices, in units of inner products. It is 0 at the ideal.

    None if no ideal is known.

    `D = min_P ||G - P G* P^T|| / 2N`. G is the Gram matrix `(2N, 2N)` of all points, and G* is the Gram matrix of the
    ideal with two equal views. P are the permutations that respect the pairing: relabellings of samples, which move
    `u_i` and `v_i` together, and swaps of the views of a pair. This minimum of a norm over a group of isometries is a
    distance between configurations up to rotation and relabelling; sorting each row separately would not give one.

    A swap does not change G*, since both views of the ideal are equal. For the simplex, a relabelling does not change
    G* either: `D = ||G - G*|| / 2N`. For the cross-polytope, relabellings give all perfect matchings of the N samples
    into antipodes, each the same number of times, and `||G - P G* P^T||^2 = ||G||^2 + ||G*||^2 - 2 <G, P G* P^T>`
    with

        <G, P G* P^T> = sum_i W_ii - 2 sum over antipodal pairs {i, j} of W_ij,   W_ij = (u_i + v_i).(u_j + v_j),

    since each of the four blocks of G* is 1 on the diagonal, -1 at antipodes and 0 elsewhere. Therefore the minimum
    is at the perfect matching with the least weight W. An integer programme finds it exactly. A linear assignment is
    not enough, since its solution may contain cycles of three samples.

    Shapes: `(N, d)`, unit-norm rows.
    """
    n_pairs, dim = z_a.shape
    points = ideal_points(n_pairs, dim)
    if points is None:
        return None
    z = torch.cat([z_a, z_b]).double()
    if ideal_name(n_pairs, dim) != SIMPLEX:
        points = points[_antipodes(z_a + z_b)]
    ideal = torch.cat([points, points]).to(z)
    return float((z @ z.T - ideal @ ideal.T).square().mean().sqrt())


def _antipodes(sums: Tensor) -> Tensor:
    """The index of the cross-polytope's point for each sample, `(N,)`, from the least matching of `sums @ sums.T`."""
    weights = (sums @ sums.T).double().cpu().numpy()
    labels = torch.empty(len(weights), dtype=torch.int64)
    for axis, (i, j) in enumerate(least_matching(weights)):
        labels[i], labels[j] = axis, axis + len(weights) // 2
    return labels


def least_matching(weights: np.ndarray) -> list[tuple[int, int]]:
    """The exact perfect matching of N points, N even, with the least sum of `weights (N, N)`.

    Raises `RuntimeError` if the solver finds no solution.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import coo_array

    i, j = np.triu_indices(len(weights), 1)
    edges = np.arange(len(i))
    ones = np.ones(2 * len(i))
    touches = coo_array((ones, (np.r_[i, j], np.r_[edges, edges])), shape=(len(weights), len(i)))
    solution = milp(
        weights[i, j],
        integrality=np.ones(len(i)),
        bounds=Bounds(0, 1),
        constraints=LinearConstraint(touches, 1, 1),  # every point is in exactly one pair
        options={"mip_rel_gap": 0.0},
    )
    if solution.x is None:
        raise RuntimeError(f"matching of {len(weights)} points: {solution.message}")
    chosen = solution.x > 0.5
    return [(int(a), int(b)) for a, b in zip(i[chosen], j[chosen], strict=True)]
