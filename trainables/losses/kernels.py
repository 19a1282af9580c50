"""Kernels of the kernel contrastive loss, as functions of the squared distance `d^2`.

Each takes `scale(t) d^2`, since the product that makes distances scales them for nothing, and returns value and
derivative with respect to `d^2`, elementwise, without their constant factors, which sums and products take in
for nothing too; `t` is a number or broadcasts. They may overwrite the distance, which may be below 0 by its
rounding.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from trainables.losses.analytic import Hyperparameter
from trainables.losses.products import LOG2_E


class ValueAndSlope(NamedTuple):
    """`K = value_factor value` and `dK / d(d^2) = slope_factor slope`; value and slope may be one tensor."""

    value: Tensor
    value_factor: Hyperparameter
    slope: Tensor
    slope_factor: Hyperparameter


class Kernel(NamedTuple):
    """A kernel of `scale(t) d^2` and `t`."""

    scale: Callable[[Hyperparameter], Hyperparameter]
    terms: Callable[[Tensor, Hyperparameter], ValueAndSlope]


#: Squared distance within which the Riesz kernel is constant: its value there is the value at this distance
#: and its derivative 0. It lies above the rounding of Gram distances.
RIESZ_GUARD = {torch.float32: 1e-6, torch.float64: 1e-12}

#: Parameter of the Gaussian alignment of `gaussian_riesz`, as in the authors' code.
ALIGNMENT_T = 2.0


def gaussian(exponent: Tensor, t: Hyperparameter) -> ValueAndSlope:
    """`K = exp(-t d^2)`, from `-t d^2 log2 e`."""
    value = exponent.exp2_()
    return ValueAndSlope(value, 1.0, value, -t)


def log(scaled_distance: Tensor, t: Hyperparameter) -> ValueAndSlope:
    """`K = -1/2 log(1 + t d^2)`, from `t d^2`."""
    inner = scaled_distance.clamp_min_(0.0).add_(1.0)
    # not log1p: it is 13 times slower on a CPU, and near 0 only the value's last absolute digit is at stake
    return ValueAndSlope(inner.log(), -0.5, inner.reciprocal_(), -0.5 * t)


def imq(squared_distance: Tensor, t: Hyperparameter) -> ValueAndSlope:
    """`K = t / sqrt(t^2 + d^2)`, the inverse multiquadric, from `d^2`."""
    root = squared_distance.add_(t * t).rsqrt_()
    return ValueAndSlope(root, t, (root * root).mul_(root), -0.5 * t)


def riesz(squared_distance: Tensor, t: Hyperparameter) -> ValueAndSlope:
    """`K = d^-t` for t > 0, `K = -d^|t|` for t < 0, constant within `RIESZ_GUARD`; from `d^2`.

    Poles at coincidence: of the value for t > 0, of the gradient for t >= -1. At t = -2 the energy's optimum
    is not unique (any set with zero mean), below it points cluster at antipodes.
    """
    sign = t.sign() if isinstance(t, Tensor) else (1.0 if t > 0 else -1.0)
    guard = RIESZ_GUARD[squared_distance.dtype]
    guarded = squared_distance.clamp_min(guard)
    value = guarded.pow(-0.5 * t)
    slope = (value / guarded).masked_fill_(squared_distance < guard, 0.0)
    return ValueAndSlope(value, sign, slope, -0.5 * sign * t)


def gaussian_alignment(exponent: Tensor, t: Hyperparameter) -> ValueAndSlope:
    """`exp(-2 d^2)` whatever `t` is: in `gaussian_riesz` that is the exponent of the energy."""
    return gaussian(exponent, ALIGNMENT_T)


_GAUSSIAN = Kernel(lambda t: -LOG2_E * t, gaussian)
_LOG = Kernel(lambda t: t, log)
_IMQ = Kernel(lambda t: 1.0, imq)
_RIESZ = Kernel(lambda t: 1.0, riesz)
_GAUSSIAN_ALIGNMENT = Kernel(lambda t: -LOG2_E * ALIGNMENT_T, gaussian_alignment)

#: For each kernel by name, what the positives and what the energy use.
KERNELS: dict[str, tuple[Kernel, Kernel]] = {
    "gaussian": (_GAUSSIAN, _GAUSSIAN),
    "log": (_LOG, _LOG),
    "imq": (_IMQ, _IMQ),
    "riesz": (_RIESZ, _RIESZ),
    "gaussian_riesz": (_GAUSSIAN_ALIGNMENT, _RIESZ),
}
