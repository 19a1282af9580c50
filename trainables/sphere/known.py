"""At which configuration the loss of N pairs on the sphere is least, as far as it is known; no torch.

**N <= d + 1.** Every member of the InfoNCE family is `mean_i F(x_i)` with `x_i` the arguments
`(v_j - v_i).u_i / T` and `(u_j - v_i).u_i / T`. If F is convex, and increasing in each argument, Jensen's
inequality bounds it by F at the mean arguments. With `m` the mean over i and j != i and a tilde for centred points,
`(N - 1) m(v_j.u_i - v_i.u_i) = - sum_i v~_i.u~_i >= -N`; `m(u_j.u_i - v_i.u_i) >= -N / (N - 1)` likewise, both
with equality at u = v of mean zero. A regular simplex has all arguments equal to that bound, so it is optimal, and
the only optimum where F is strictly convex and increasing. DHEL and KCL are an alignment that u = v makes least, plus
energies `E(u) + E(v)` to which the same argument applies (Koromilas et al. 2024, arXiv 2405.18045; Lee et al. 2025,
arXiv 2506.09781; Lu and Steinerberger 2022, arXiv 2012.08465, for the cross-entropy alone).

**N = 2d.** For KCL the cross-polytope is optimal since it is universally optimal: it minimises every energy that is
a completely monotonic function of the squared distance (Cohn and Kumar 2007, arXiv math/0607446), as all kernels
here are, up to a constant. For cross-view InfoNCE see Cho et al. 2024, arXiv 2307.05906. For NT-Xent, DCL, DHEL and
their kin it is not proven here: tests look for anything better from many starts and find nothing.
"""

from collections.abc import Callable, Mapping
from typing import Any

from trainables.loss_fields import LOSS_CARDS

SIMPLEX, CROSS_POLYTOPE = "simplex", "cross_polytope"

#: (phi, psi) of `general` for which F is convex and increasing: psi of a sum of phi's.
_CONVEX = {
    *(("exp", psi) for psi in ("log", "log1p", "identity", "square")),
    *((phi, "identity") for phi in ("linear", "softplus", "hinge")),
    *((phi, "square") for phi in ("softplus", "hinge")),
}


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
    fields = {field.name: field.default for field in LOSS_CARDS[loss].fields} | dict(params)
    return _EXCEPTIONS.get(loss, _always)(fields, ideal == SIMPLEX)


def _always(fields: Mapping[str, Any], simplex: bool) -> bool:
    return True


def _of_kernel(fields: Mapping[str, Any], simplex: bool) -> bool:
    """Below s = -2 Riesz energies cluster; for s > 0 the alignment of `riesz` has a pole, and no least value."""
    if fields["kernel"] not in ("riesz", "gaussian_riesz"):
        return True
    pole = fields["kernel"] == "riesz" and fields["t"] > 0
    return fields["t"] >= -2 and not pole


def _of_general(fields: Mapping[str, Any], simplex: bool) -> bool:
    phi, psi = fields["phi"], fields["psi"]
    return (phi, psi) in _CONVEX if simplex else phi == "exp" and psi in ("log", "log1p")


#: Losses of which not every member has its optimum at the ideal.
_EXCEPTIONS: dict[str, Callable[[Mapping[str, Any], bool], bool]] = {
    "kcl": _of_kernel,
    "general": _of_general,
}
