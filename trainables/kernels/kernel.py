"""The declaration of a kernel for the kernel contrastive loss. Each kernel is one file of this package.

Kernels are functions of the squared distance `d^2` between two unit-norm points. The planner reads the declarations
without importing torch, so the files of this package do not import torch at module level.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from trainables.loss_field import LossField
from trainables.temperature import ActsAs

if TYPE_CHECKING:
    from torch import Tensor

    from trainables.losses.analytic import Hyperparameter


class ValueAndSlope(NamedTuple):
    """`K = value_factor value` and `dK / d(d^2) = slope_factor slope`. Value and slope may be the same tensor."""

    value: "Tensor"
    value_factor: "Hyperparameter"
    slope: "Tensor"
    slope_factor: "Hyperparameter"


class KernelFunction(NamedTuple):
    """The elementwise computation of a kernel in the loss. `t` is a number or a tensor that broadcasts.

    The argument of `terms` is `scale(t) d^2`, because the product that computes distances can scale them at no cost.
    `terms` returns the value and the derivative with respect to `d^2` without their constant factors, because later
    sums and products can apply these factors at no cost. It may overwrite its argument. Due to rounding, the distance
    may be slightly below 0.
    """

    scale: "Callable[[Hyperparameter], Hyperparameter]"
    terms: "Callable[[Tensor, Hyperparameter], ValueAndSlope]"


def _unknown(_t: float, _simplex: bool) -> bool:
    return False


@dataclass(frozen=True, kw_only=True)
class Kernel:
    """A kernel K of two points at distance d, with its parameter `t`."""

    name: str
    formula: str
    source: str
    #: The default of `t`, and the range in which value and gradient are finite and correct in float32.
    parameter: LossField
    #: K between points of one view.
    energy: KernelFunction
    #: K between the views of a pair.
    alignment: KernelFunction
    #: The effect of `t` as a temperature, and the equivalent temperature where there is one.
    acts_as: ActsAs
    #: Whether a known result says that, for this `t`, the regular simplex (True, N <= d + 1 pairs) or the
    #: cross-polytope (False, N = 2d pairs) minimises the loss; see `trainables.sphere.known`.
    optimum_known: Callable[[float, bool], bool] = _unknown
    optimum_source: str = ""  # required with `optimum_known`
