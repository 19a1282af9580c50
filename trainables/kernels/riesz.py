"""The Riesz kernel, a power of the distance.

The force from a point at distance d is `|t| d^-(t + 2) / 2`. Its local temperature (`trainables.temperature`) is
`T(d) = d^2 / (t + 2)` for t > -2. A larger `t` lowers it at every distance. At t = -2 the force is the same at every
distance (an infinite temperature). Below -2, far points repel more than near ones, as at no temperature. The local
temperature depends on d: no temperature is equivalent.
"""

from typing import TYPE_CHECKING

from trainables.kernels.kernel import Kernel, KernelFunction, ValueAndSlope
from trainables.loss_field import LossField
from trainables.temperature import ActsAs

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from trainables.losses.analytic import Hyperparameter


def riesz_guard(dtype: "torch.dtype") -> float:
    """The squared distance below which the kernel is constant, with its value at this distance and derivative 0.

    It is larger than the rounding errors of Gram distances in float32 or float64.
    """
    return 1e-12 if dtype.itemsize == 8 else 1e-6


def riesz(squared_distance: "Tensor", t: "Hyperparameter") -> ValueAndSlope:
    """`K = d^-t` for t > 0, `K = -d^|t|` for t < 0, constant within `riesz_guard`; from `d^2`.

    At coincident points, the value has a pole for t > 0, and the gradient for t >= -1. At t = -2 the optimum of the
    energy is not unique (any set with zero mean). For t < -2, points cluster at antipodes.
    """
    sign = (1.0 if t > 0 else -1.0) if isinstance(t, int | float) else t.sign()
    guard = riesz_guard(squared_distance.dtype)
    guarded = squared_distance.clamp_min(guard)
    value = guarded.pow(-0.5 * t)
    slope = (value / guarded).masked_fill_(squared_distance < guard, 0.0)
    return ValueAndSlope(value, sign, slope, -0.5 * sign * t)


RIESZ_FUNCTION = KernelFunction(lambda t: 1.0, riesz)

RIESZ = Kernel(
    name="riesz",
    formula="K = sign(t) d^-t; a pole for t > 0",
    source="Koromilas et al. 2024, arXiv 2405.18045",
    parameter=LossField(name="t", default=2.0, at_least=-4.0, at_most=4.0, nonzero=True, doc="exponent"),
    energy=RIESZ_FUNCTION,
    alignment=RIESZ_FUNCTION,
    acts_as=ActsAs(
        larger="lower temperature",
        law=None,
        why="the local temperature d^2 / (t + 2), for t > -2, falls with t and depends on d",
    ),
    # Below -2 points cluster. Above 0 the alignment has a pole, so the loss has no minimum.
    optimum_known=lambda t, _simplex: -2 <= t <= 0,
    optimum_source="completely monotonic in d^2 up to a constant: Cohn and Kumar 2007, arXiv math/0607446",
)
