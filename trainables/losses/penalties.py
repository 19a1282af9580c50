"""The functions phi and psi of the general loss, each with its derivative.

`trainables.loss_fields` defines which pairs are allowed. The theory of such losses requires that phi is increasing
and convex, and that psi is increasing. Some functions violate one of these conditions, so that studies can measure
the effect; their docstrings state the violation.
"""

from collections.abc import Callable

import torch
from torch import Tensor

ValueAndSlope = tuple[Tensor, Tensor]


def _exp(x: Tensor) -> ValueAndSlope:
    """`exp(x)`: increasing, strictly convex. The InfoNCE family uses it."""
    value = x.exp()
    return value, value


def _linear(x: Tensor) -> ValueAndSlope:
    """`x`: increasing and convex, but not strictly convex."""
    return x, torch.ones_like(x)


def _softplus(x: Tensor) -> ValueAndSlope:
    """`log(1 + exp(x))`: increasing, strictly convex, slope at most 1."""
    return torch.nn.functional.softplus(x), x.sigmoid()


def _hinge(x: Tensor) -> ValueAndSlope:
    """`max(0, 1 + x)`: the margin of the triplet loss. Convex, but constant below -1, so not strictly increasing."""
    value = (1.0 + x).relu()
    return value, (value > 0).to(x.dtype)


def _quadratic(x: Tensor) -> ValueAndSlope:
    """`(1 + x)^2`: convex, NOT MONOTONE. It decreases below -1, so it attracts negatives that are far enough away."""
    return (1.0 + x).square(), 2.0 * (1.0 + x)


def _sigmoid(x: Tensor) -> ValueAndSlope:
    """`1 / (1 + exp(-x))`: increasing, NOT CONVEX. It is concave above 0, so hard negatives lose their force."""
    value = x.sigmoid()
    return value, value * (1.0 - value)


def _identity(s: Tensor) -> ValueAndSlope:
    """`s`: increasing. Every anchor counts equally."""
    return s, torch.ones_like(s)


def _square(s: Tensor) -> ValueAndSlope:
    """`s^2`: increasing for s >= 0, convex. Anchors with a large sum count more."""
    return s.square(), 2.0 * s


def _log(s: Tensor) -> ValueAndSlope:
    """`log s`: increasing, concave. The decoupled losses use it."""
    return s.log(), s.reciprocal()


def _log1p(s: Tensor) -> ValueAndSlope:
    """`log(1 + s)`: increasing, concave. The losses with the positive in the sum use it."""
    return s.log1p(), (1.0 + s).reciprocal()


def _square_log(s: Tensor) -> ValueAndSlope:
    """`(log s)^2`: NOT MONOTONE, with its minimum at s = 1. It favours the sum 1 instead of a small sum."""
    logarithm = s.log()
    return logarithm.square(), 2.0 * logarithm / s


PHI: dict[str, Callable[[Tensor], ValueAndSlope]] = {
    "exp": _exp,
    "linear": _linear,
    "softplus": _softplus,
    "hinge": _hinge,
    "quadratic": _quadratic,
    "sigmoid": _sigmoid,
}

PSI: dict[str, Callable[[Tensor], ValueAndSlope]] = {
    "identity": _identity,
    "square": _square,
    "log": _log,
    "log1p": _log1p,
    "square_log": _square_log,
}
