"""The updates of SGD and LARS as operators for many parameters at once, used by the optimiser on CUDA.

The definition of each operator is what the optimiser otherwise computes, and what the operator computes on a CPU. On
CUDA, `trainables::sgd_` is torch's fused kernel, and `trainables::trusted` takes all norms in two calls. Both round
differently there.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

_LIBRARY = torch.library.Library("trainables", "FRAGMENT")
_LIBRARY.define(
    "sgd_(Tensor(a!)[] parameters, Tensor[] gradients, Tensor(b!)[] momenta, Tensor rate, *, float momentum, "
    "float decay) -> ()"
)
_LIBRARY.define("trusted(Tensor[] weights, Tensor[] gradients, float trust) -> Tensor[]")


def sgd_(
    parameters: Sequence[Tensor],
    gradients: Sequence[Tensor],
    momenta: Sequence[Tensor],
    rate: Tensor,
    *,
    momentum: float,
    decay: float,
) -> None:
    """`b <- momentum b + (g + decay p)`, `p <- p - rate b`, in place. `rate` is a tensor without dimensions."""
    if parameters:
        torch.ops.trainables.sgd_(parameters, gradients, momenta, rate, momentum=momentum, decay=decay)


def trusted(weights: Sequence[Tensor], gradients: Sequence[Tensor], trust: float) -> list[Tensor]:
    """LARS: every gradient times `trust ||w|| / ||g||`, or unchanged if one of the two norms is zero."""
    scaled: list[Tensor] = torch.ops.trainables.trusted(weights, gradients, trust)
    return scaled


def trust_ratio(length: Tensor, pull: Tensor, trust: float) -> Tensor:
    """`trust length / pull`, and 1 where a layer has zero weights or a zero gradient: it is updated as in SGD."""
    return torch.where((length > 0) & (pull > 0), trust * length / pull, 1.0)


def trusted_in_turn(weights: list[Tensor], gradients: list[Tensor], trust: float) -> list[Tensor]:
    """The definition of `trainables::trusted`."""

    def norm(values: Tensor) -> Tensor:
        return torch.linalg.vector_norm(values.reshape(1, -1), dim=1)

    return [g * trust_ratio(norm(w), norm(g), trust) for w, g in zip(weights, gradients, strict=True)]


def trusted_together(weights: list[Tensor], gradients: list[Tensor], trust: float) -> list[Tensor]:
    """`trainables::trusted` with all norms of the weights, and all of the gradients, in one call each."""
    lengths, pulls = (torch.stack(torch._foreach_norm(each)) for each in (weights, gradients))
    return list(torch._foreach_mul(gradients, list(trust_ratio(lengths, pulls, trust).unbind())))


def operators_in_turn(
    parameters: list[Tensor],
    gradients: list[Tensor],
    momenta: list[Tensor],
    rate: Tensor,
    *,
    momentum: float,
    decay: float,
) -> None:
    """The definition of `trainables::sgd_`."""
    torch._foreach_mul_(momenta, momentum)
    torch._foreach_add_(
        momenta, torch._foreach_add(gradients, parameters, alpha=decay) if decay else gradients
    )
    torch._foreach_sub_(parameters, torch._foreach_mul(momenta, rate))


def fused_kernel(
    parameters: list[Tensor],
    gradients: list[Tensor],
    momenta: list[Tensor],
    rate: Tensor,
    *,
    momentum: float,
    decay: float,
) -> None:
    """`trainables::sgd_` as one fused kernel."""
    torch._fused_sgd_(
        parameters,
        [_laid_out_as(*pair) for pair in zip(gradients, parameters, strict=True)],
        momenta,
        weight_decay=decay,
        momentum=momentum,
        lr=rate,
        dampening=0.0,
        nesterov=False,
        maximize=False,
        is_first_step=False,  # the momenta start at zero
    )


def _laid_out_as(gradient: Tensor, parameter: Tensor) -> Tensor:
    """The gradient with the strides of its parameter, as the fused kernel requires, also along axes of length 1."""
    if gradient.stride() == parameter.stride():
        return gradient
    return torch.empty_like(parameter).copy_(gradient)


_LIBRARY.impl("sgd_", operators_in_turn, "CPU")
_LIBRARY.impl("sgd_", fused_kernel, "CUDA")
_LIBRARY.impl("trusted", trusted_in_turn, "CPU")
_LIBRARY.impl("trusted", trusted_together, "CUDA")
