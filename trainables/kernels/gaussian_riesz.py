"""The Gaussian alignment with a Riesz energy. The alignment has no pole when the views of a pair coincide.

`t` changes the energy only, whose local temperature is that of the Riesz kernel, `d^2 / (t + 2)` for t > -2. The
alignment has the fixed temperature 1/4. So a larger `t` acts as a lower temperature, and no temperature is
equivalent.
"""

from typing import TYPE_CHECKING

from trainables.kernels.gaussian import GAUSSIAN_FUNCTION
from trainables.kernels.kernel import Kernel, KernelFunction, ValueAndSlope
from trainables.kernels.riesz import RIESZ_FUNCTION
from trainables.loss_field import LossField
from trainables.temperature import ActsAs

if TYPE_CHECKING:
    from torch import Tensor

    from trainables.losses.analytic import Hyperparameter

#: Parameter of the Gaussian alignment, as in the authors' code.
_ALIGNMENT_T = 2.0


def gaussian_alignment(exponent: "Tensor", _t: "Hyperparameter") -> ValueAndSlope:
    """`exp(-2 d^2)` for every `t`, because `t` is the exponent of the energy."""
    return GAUSSIAN_FUNCTION.terms(exponent, _ALIGNMENT_T)


GAUSSIAN_RIESZ = Kernel(
    name="gaussian_riesz",
    formula="energy sign(t) d^-t, alignment exp(-2 d^2)",
    source="Koromilas et al. 2024, arXiv 2405.18045, and the authors' code for the alignment",
    parameter=LossField(
        name="t", default=2.0, at_least=-4.0, at_most=4.0, nonzero=True, doc="exponent of the energy"
    ),
    energy=RIESZ_FUNCTION,
    alignment=KernelFunction(lambda _t: GAUSSIAN_FUNCTION.scale(_ALIGNMENT_T), gaussian_alignment),
    acts_as=ActsAs(
        larger="lower temperature",
        law=None,
        why="the local temperature of the energy, d^2 / (t + 2) for t > -2, falls with t and depends on d",
    ),
    optimum_known=lambda t, _simplex: t >= -2,  # below -2 points cluster
    optimum_source="completely monotonic in d^2 up to a constant: Cohn and Kumar 2007, arXiv math/0607446",
)
