"""The Gaussian kernel."""

import math
from typing import TYPE_CHECKING

from trainables.kernels.kernel import Kernel, KernelFunction, ValueAndSlope
from trainables.loss_field import LossField

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
    larger_t_acts_as="lower temperature",
    optimum_known=lambda _t, _simplex: True,
    optimum_source="completely monotonic in d^2: Cohn and Kumar 2007, arXiv math/0607446",
    temperature=lambda t: 1 / (2 * t),
    temperature_source="d^2 = 2 - 2 u.v on the unit sphere, so exp(-t d^2) = exp(-2 t) exp(2 t u.v)",
)
