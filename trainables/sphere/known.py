"""At which configuration the loss of N pairs on the sphere is least, as far as it is known; no torch.

The proofs stand here. Each loss (`LossCard.optimum_known`) and each kernel says whether they hold for it.

**N <= d + 1.** Every member of the InfoNCE family is `mean_i F(x_i)` with `x_i` the arguments
`(v_j - v_i).u_i / T` and `(u_j - v_i).u_i / T`. If F is convex, and increasing in each argument, Jensen's
inequality bounds it by F at the mean arguments. With `m` the mean over i and j != i and a tilde for centred points,
`(N - 1) m(v_j.u_i - v_i.u_i) = - sum_i v~_i.u~_i >= -N`; `m(u_j.u_i - v_i.u_i) >= -N / (N - 1)` likewise, both
with equality at u = v of mean zero. A regular simplex has all arguments equal to that bound, so it is optimal, and
the only optimum where F is strictly convex and increasing. DHEL and KCL are an alignment that u = v makes least, plus
energies `E(u) + E(v)` to which the same argument applies (Koromilas et al. 2024, arXiv 2405.18045; Lee et al. 2025,
arXiv 2506.09781; Lu and Steinerberger 2022, arXiv 2012.08465, for the cross-entropy alone).

**N = 2d.** For KCL the cross-polytope is optimal since it is universally optimal: it minimises every energy that is
a completely monotonic function of the squared distance (Cohn and Kumar 2007, arXiv math/0607446), as every kernel
that declares a known optimum is, up to a constant. For cross-view InfoNCE see Cho et al. 2024, arXiv 2307.05906. For
NT-Xent, DCL, DHEL and their kin it is not proven here: tests look for anything better from many starts and find
nothing.
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
    """Whether the ideal of N and d is known to make a loss least, by its name and the fields that are not default.

    For `hinge`, `linear`, Riesz with s = -2, and energy weights of 0, it is one of several that do.
    """
    ideal = ideal_name(n_pairs, dim)
    if ideal is None or loss not in LOSS_CARDS:
        return False
    card = LOSS_CARDS[loss]
    fields = {field.name: field.default for field in card.fields} | dict(params)
    return card.optimum_known(fields, ideal == SIMPLEX)
