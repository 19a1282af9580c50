"""The Gaussian kernel.

The force from a point at distance d is `t exp(-t d^2)`. Its local temperature (`trainables.temperature`) is
`T = 1 / (2t)` at every distance: the kernel is `exp(u.v / T)` up to the factor `exp(-2t)`.
"""

import math
from typing import TYPE_CHECKING

from trainables.kernels.kernel import Kernel, KernelFunction, ValueAndSlope
from trainables.loss_field import LossField
from trainables.temperature import ActsAs, TemperatureLaw

if TYPE_CHECKING:
    from torch import Tensor

    from trainables.losses.analytic import Hyperparameter


#: `exp(x)` is computed as `2^(x log2 e)`, which is faster.
_LOG2_E = math.log2(math.e)


def gaussian(exponent: "Tensor", t: "Hyperparameter") -> ValueAndSlope:
    """`K = exp(-t d^2)`, from `-t d^2 log2 e`."""
    value = exponent.exp2_()
    return ValueAndSlope(value, 1.0, value, -t)


GAUSSIAN_FUNCTION = KernelFunction(lambda t: -_LOG2_E * t, gaussian)

GAUSSIAN = Kernel(
    name="gaussian",
    formula="K = exp(-t d^2)",
    source="Koromilas et al. 2024, arXiv 2405.18045",
    parameter=LossField(name="t", default=2.0, above=0.0, at_most=1e4, doc="inverse of the squared width"),
    energy=GAUSSIAN_FUNCTION,
    alignment=GAUSSIAN_FUNCTION,
    acts_as=ActsAs(
        larger="lower temperature",
        law=TemperatureLaw(factor=0.5, power=-1.0),
        why="d^2 = 2 - 2 u.v on the unit sphere, so exp(-t d^2) = exp(-2 t) exp(2 t u.v)",
    ),
    optimum_known=lambda _t, _simplex: True,
    optimum_source="completely monotonic in d^2: Cohn and Kumar 2007, arXiv math/0607446",
)
