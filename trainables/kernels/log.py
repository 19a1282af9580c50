"""The logarithmic kernel.

The force from a point at distance d is `t / (2 (1 + t d^2))`. Its local temperature (`trainables.temperature`) is
`T(d) = 1 / (2t) + d^2 / 2`. A larger `t` lowers it at every distance. For near points it is that of the Gaussian
kernel with the same `t`, but for far points it never falls below `d^2 / 2`, whatever `t` is: no temperature is
equivalent.
"""

from typing import TYPE_CHECKING

from trainables.kernels.kernel import Kernel, KernelFunction, ValueAndSlope
from trainables.loss_field import LossField
from trainables.temperature import ActsAs

if TYPE_CHECKING:
    from torch import Tensor

    from trainables.losses.analytic import Hyperparameter


def log(scaled_distance: "Tensor", t: "Hyperparameter") -> ValueAndSlope:
    """`K = -1/2 log(1 + t d^2)`, from `t d^2`."""
    inner = scaled_distance.clamp_min_(0.0).add_(1.0)
    # Not log1p, which is 13 times slower on a CPU. Near 0, only the last absolute digit of the value differs.
    return ValueAndSlope(inner.log(), -0.5, inner.reciprocal_(), -0.5 * t)


_FUNCTION = KernelFunction(lambda t: t, log)

LOG = Kernel(
    name="log",
    formula="K = -1/2 log(1 + t d^2)",
    source="Koromilas et al. 2024, arXiv 2405.18045; the authors' code has the factor 1/2 in the energy alone",
    parameter=LossField(
        name="t", default=2.0, at_least=1e-3, at_most=1e6, doc="inverse of the squared width"
    ),
    energy=_FUNCTION,
    alignment=_FUNCTION,
    acts_as=ActsAs(
        larger="lower temperature",
        law=None,
        why="the local temperature 1 / (2t) + d^2 / 2 falls with t and depends on d",
    ),
    optimum_known=lambda _t, _simplex: True,
    optimum_source="completely monotonic in d^2 up to a constant: Cohn and Kumar 2007, arXiv math/0607446",
)
