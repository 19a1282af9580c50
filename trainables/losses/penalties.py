"""The functions phi and psi that the general loss is made of, each with its derivative.

`trainables.loss_fields` says which pairs go together. The theory of such losses asks for phi increasing and
convex and psi increasing; the entries that break one of these are there to study what happens then, and say
so.
"""

from collections.abc import Callable

import torch
from torch import Tensor

ValueAndSlope = tuple[Tensor, Tensor]


def _exp(x: Tensor) -> ValueAndSlope:
    """`exp(x)`: increasing, strictly convex; the InfoNCE family."""
    value = x.exp()
    return value, value


def _linear(x: Tensor) -> ValueAndSlope:
    """`x`: increasing; convex, but not strictly."""
    return x, torch.ones_like(x)


def _softplus(x: Tensor) -> ValueAndSlope:
    """`log(1 + exp(x))`: increasing, strictly convex, slope at most 1."""
    return torch.nn.functional.softplus(x), x.sigmoid()


def _hinge(x: Tensor) -> ValueAndSlope:
    """`max(0, 1 + x)`: the triplet loss's margin; convex, but flat below -1, so not strictly increasing."""
    value = (1.0 + x).relu()
    return value, (value > 0).to(x.dtype)


def _quadratic(x: Tensor) -> ValueAndSlope:
    """`(1 + x)^2`: convex; NOT MONOTONE, it falls below -1 and so attracts negatives that are far enough."""
    return (1.0 + x).square(), 2.0 * (1.0 + x)


def _sigmoid(x: Tensor) -> ValueAndSlope:
    """`1 / (1 + exp(-x))`: increasing; NOT CONVEX, concave above 0, so hard negatives lose their force."""
    value = x.sigmoid()
    return value, value * (1.0 - value)


def _identity(s: Tensor) -> ValueAndSlope:
    """`s`: increasing; every anchor counts alike."""
    return s, torch.ones_like(s)


def _square(s: Tensor) -> ValueAndSlope:
    """`s^2`: increasing for s >= 0, convex; anchors with a large sum count more."""
    return s.square(), 2.0 * s


def _log(s: Tensor) -> ValueAndSlope:
    """`log s`: increasing, concave; the decoupled losses."""
    return s.log(), s.reciprocal()


def _log1p(s: Tensor) -> ValueAndSlope:
    """`log(1 + s)`: increasing, concave; the losses with the positive in the sum."""
    return s.log1p(), (1.0 + s).reciprocal()


def _square_log(s: Tensor) -> ValueAndSlope:
    """`(log s)^2`: NOT MONOTONE, least at s = 1: it asks for a given sum instead of a small one."""
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
