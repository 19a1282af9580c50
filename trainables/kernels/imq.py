"""The inverse multiquadric kernel.

The force from a point at distance d is `t / (2 (t^2 + d^2)^(3/2))`. Its local temperature (`trainables.temperature`)
is `T(d) = (t^2 + d^2) / 3`. A larger `t`, a wider kernel, raises it at every distance. It depends on d: no
temperature is equivalent.
"""

from typing import TYPE_CHECKING

from trainables.kernels.kernel import Kernel, KernelFunction, ValueAndSlope
from trainables.loss_field import LossField
from trainables.temperature import ActsAs

if TYPE_CHECKING:
    from torch import Tensor

    from trainables.losses.analytic import Hyperparameter


def imq(squared_distance: "Tensor", t: "Hyperparameter") -> ValueAndSlope:
    """`K = t / sqrt(t^2 + d^2)`, the inverse multiquadric, from `d^2`."""
    root = squared_distance.add_(t * t).rsqrt_()
    return ValueAndSlope(root, t, (root * root).mul_(root), -0.5 * t)


_FUNCTION = KernelFunction(lambda t: 1.0, imq)

IMQ = Kernel(
    name="imq",
    formula="K = t / sqrt(t^2 + d^2)",
    source="Koromilas et al. 2024, arXiv 2405.18045",
    parameter=LossField(name="t", default=2.0, at_least=0.01, at_most=100.0, doc="width"),
    energy=_FUNCTION,
    alignment=_FUNCTION,
    acts_as=ActsAs(
        larger="higher temperature",
        law=None,
        why="the local temperature (t^2 + d^2) / 3 rises with t and depends on d",
    ),
    optimum_known=lambda _t, _simplex: True,
    optimum_source="completely monotonic in d^2: Cohn and Kumar 2007, arXiv math/0607446",
)
