"""What a kernel of the kernel contrastive loss declares. Each kernel is a file of this package.

Kernels are functions of the squared distance `d^2` between two unit-norm points. The planner reads what is declared
without loading torch, so files of this package import torch inside functions alone.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

from trainables.loss_field import LossField

if TYPE_CHECKING:
    from torch import Tensor

    from trainables.losses.analytic import Hyperparameter


class ValueAndSlope(NamedTuple):
    """`K = value_factor value` and `dK / d(d^2) = slope_factor slope`; value and slope may be one tensor."""

    value: "Tensor"
    value_factor: "Hyperparameter"
    slope: "Tensor"
    slope_factor: "Hyperparameter"


class KernelFunction(NamedTuple):
    """A kernel as the loss computes it, elementwise; `t` is a number or broadcasts.

    `terms` takes `scale(t) d^2`, since the product that makes distances scales them at no cost, and returns value and
    derivative with respect to `d^2` without their constant factors, which sums and products take in at no cost too.
    It may overwrite the distance, which may be below 0 by its rounding.
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
    #: Default of `t`, and the range in which value and gradient stay finite and right in float32.
    parameter: LossField
    #: K between points of one view.
    energy: KernelFunction
    #: K between the views of a pair.
    alignment: KernelFunction
    #: What a larger `t` does to the ratio of the forces from near and from far points: a lower temperature raises it.
    larger_t_acts_as: Literal["higher temperature", "lower temperature"]
    #: Whether, at a value of `t`, the regular simplex (True) or the cross-polytope (False) is known to make the loss
    #: of N <= d + 1 or N = 2d pairs least; see `trainables.sphere.known`.
    optimum_known: Callable[[float, bool], bool] = _unknown
    optimum_source: str = ""  # needed where `optimum_known` is given
    #: The temperature T of `exp(u.v / T)` that this kernel equals up to a factor, by `t`; None where there is none.
    temperature: Callable[[float], float] | None = None
    temperature_source: str = ""  # needed where `temperature` is given
