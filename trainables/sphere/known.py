"""The configurations that are known to minimise the loss of N pairs on the sphere, with the proofs. Imports no torch.

Each loss (`LossCard.optimum_known`) and each kernel declares whether these proofs apply to it.

**N <= d + 1.** Every member of the InfoNCE family is `mean_i F(x_i)`, where `x_i` are the arguments
`(v_j - v_i).u_i / T` and `(u_j - v_i).u_i / T`. If F is convex, and increasing in each argument, Jensen's
inequality bounds it from below by F at the mean arguments. With `m` the mean over i and j != i, and a tilde for
centred points, `(N - 1) m(v_j.u_i - v_i.u_i) = - sum_i v~_i.u~_i >= -N`. In the same way,
`m(u_j.u_i - v_i.u_i) >= -N / (N - 1)`. Both are equalities if u = v has mean zero. For a regular simplex, all
arguments are equal to this bound, so it is optimal. It is the only optimum if F is strictly convex and increasing.
DHEL and KCL are the sum of an alignment, which u = v minimises, and of energies `E(u) + E(v)`, to which the same
argument applies (Koromilas et al. 2024, arXiv 2405.18045; Lee et al. 2025, arXiv 2506.09781; Lu and Steinerberger
2022, arXiv 2012.08465, for the cross-entropy alone).

**N = 2d.** For KCL, the cross-polytope is optimal since it is universally optimal: it minimises every energy that is
a completely monotonic function of the squared distance (Cohn and Kumar 2007, arXiv math/0607446). Every kernel that
declares a known optimum is such a function, up to a constant. For cross-view InfoNCE, see Cho et al. 2024,
arXiv 2307.05906. For NT-Xent, DCL, DHEL and similar losses, there is no proof here: tests search for better
configurations from many starts and find none.
"""

from collections.abc import Mapping
from typing import Any

from trainables.loss_fields import LOSS_CARDS

SIMPLEX, CROSS_POLYTOPE = "simplex", "cross_polytope"


def ideal_name(n_pairs: int, dim: int) -> str | None:
    """The ideal of N points in d dimensions: `simplex` for N <= d + 1, `cross_polytope` for N = 2d, else None."""
    if n_pairs <= dim + 1:
        return SIMPLEX
    return CROSS_POLYTOPE if n_pairs == 2 * dim else None


def is_optimum_known(loss: str, params: Mapping[str, Any], n_pairs: int, dim: int) -> bool:
    """Whether the ideal of N and d is known to minimise the loss with this name and these non-default fields.

    For `hinge`, `linear`, Riesz with s = -2, and energy weights of 0, it is one of several minimisers.
    """
    ideal = ideal_name(n_pairs, dim)
    if ideal is None or loss not in LOSS_CARDS:
        return False
    card = LOSS_CARDS[loss]
    fields = {field.name: field.default for field in card.fields} | dict(params)
    return card.optimum_known(fields, ideal == SIMPLEX)
