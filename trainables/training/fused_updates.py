"""The updates of the optimisers for many parameters at once, used by `trainables.training.update_rules`.

On CUDA, the update of one model is one operator: torch's fused kernel, which rounds differently. Its definition, and
what it computes on a CPU, is the update in turn: the same formula for all parameters, operation by operation. Stacked
models with different rates are always updated in turn.
"""

from collections.abc import Callable

import torch
from torch import Tensor

#: Learning rates: a tensor without dimensions, or one tensor for each parameter that broadcasts against it.
Rates = Tensor | list[Tensor]

_LIBRARY = torch.library.Library("trainables", "FRAGMENT")
_LIBRARY.define(
    "sgd_(Tensor(a!)[] parameters, Tensor[] gradients, Tensor(b!)[] momenta, Tensor rate, *, float momentum, "
    "float decay) -> ()"
)
_LIBRARY.define(
    "adam_(Tensor(a!)[] parameters, Tensor[] gradients, Tensor(b!)[] means, Tensor(c!)[] squares, Tensor count, "
    "Tensor rate, *, float beta1, float beta2, float eps, float decay, bool decoupled) -> ()"
)
_LIBRARY.define("trusted(Tensor[] weights, Tensor[] gradients, float trust) -> Tensor[]")


def sgd_(
    parameters: list[Tensor],
    gradients: list[Tensor],
    momenta: list[Tensor],
    rates: Rates,
    *,
    momentum: float,
    decay: float,
) -> None:
    """`b <- momentum b + (g + decay p)`, `p <- p - rate b`, in place (torch.optim.SGD without dampening)."""
    if parameters:
        update = torch.ops.trainables.sgd_ if _is_fused(rates) else sgd_in_turn
        update(parameters, gradients, momenta, rates, momentum=momentum, decay=decay)


def adam_(
    parameters: list[Tensor],
    gradients: list[Tensor],
    means: list[Tensor],
    squares: list[Tensor],
    count: Tensor,
    rates: Rates,
    *,
    beta1: float,
    beta2: float,
    eps: float,
    decay: float,
    decoupled: bool,
) -> None:
    """Step `count` of Adam, in place: `g <- g + decay p`, or with decoupled decay `p <- p - rate decay p`; then

    `m <- beta1 m + (1 - beta1) g`, `v <- beta2 v + (1 - beta2) g^2`,
    `p <- p - rate (m / (1 - beta1^count)) / (sqrt(v / (1 - beta2^count)) + eps)`.

    `count` is a float32 tensor without dimensions. Sources: Kingma and Ba 2015, arXiv 1412.6980, algorithm 1, and for
    decoupled decay Loshchilov and Hutter 2019, arXiv 1711.05101, algorithm 2, with the decay times the rate as in
    torch.optim.AdamW.
    """
    if parameters:
        update = torch.ops.trainables.adam_ if _is_fused(rates) else adam_in_turn
        update(
            parameters,
            gradients,
            means,
            squares,
            count,
            rates,
            beta1=beta1,
            beta2=beta2,
            eps=eps,
            decay=decay,
            decoupled=decoupled,
        )


def trusted(
    weights: list[Tensor], gradients: list[Tensor], trust: float, *, members: int = 1
) -> list[Tensor]:
    """LARS: every gradient times `trust ||w|| / ||g||`, or unchanged if one of the two norms is zero.

    Each of the members that are stacked along dimension 0 has norms of its own.
    """
    if members == 1 and weights and weights[0].is_cuda:
        scaled: list[Tensor] = torch.ops.trainables.trusted(weights, gradients, trust)
        return scaled
    return trusted_in_turn(weights, gradients, trust, members=members)


def trust_ratio(length: Tensor, pull: Tensor, trust: float) -> Tensor:
    """`trust length / pull`, and 1 where a layer has zero weights or a zero gradient: it is updated as in SGD."""
    return torch.where((length > 0) & (pull > 0), trust * length / pull, 1.0)


def by_row(of_members: Tensor, parameter: Tensor) -> Tensor:
    """Repeat `(K,)` values over the rows of a stacked parameter, so that they broadcast against it."""
    rows = parameter.shape[0] // len(of_members)
    return of_members.repeat_interleave(rows).view(-1, *[1] * (parameter.ndim - 1))


def trusted_in_turn(
    weights: list[Tensor], gradients: list[Tensor], trust: float, *, members: int = 1
) -> list[Tensor]:
    """The definition of `trainables::trusted`, also for stacked members."""

    def norms(values: Tensor) -> Tensor:
        return torch.linalg.vector_norm(values.reshape(members, -1), dim=1)

    return [
        gradient * by_row(trust_ratio(norms(weight), norms(gradient), trust), weight)
        for weight, gradient in zip(weights, gradients, strict=True)
    ]


def trusted_together(weights: list[Tensor], gradients: list[Tensor], trust: float) -> list[Tensor]:
    """`trainables::trusted` with all norms of the weights, and all of the gradients, in one call each."""
    lengths, pulls = (torch.stack(torch._foreach_norm(each)) for each in (weights, gradients))
    return list(torch._foreach_mul(gradients, list(trust_ratio(lengths, pulls, trust).unbind())))


def sgd_in_turn(
    parameters: list[Tensor],
    gradients: list[Tensor],
    momenta: list[Tensor],
    rates: Rates,
    *,
    momentum: float,
    decay: float,
) -> None:
    """The definition of `trainables::sgd_`, also for stacked members."""
    torch._foreach_mul_(momenta, momentum)
    torch._foreach_add_(
        momenta, torch._foreach_add(gradients, parameters, alpha=decay) if decay else gradients
    )
    torch._foreach_sub_(parameters, torch._foreach_mul(momenta, rates))


def sgd_fused(
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
        _laid_out_as(gradients, parameters),
        momenta,
        weight_decay=decay,
        momentum=momentum,
        lr=rate,
        dampening=0.0,
        nesterov=False,
        maximize=False,
        is_first_step=False,  # the momenta start at zero
    )


def adam_in_turn(
    parameters: list[Tensor],
    gradients: list[Tensor],
    means: list[Tensor],
    squares: list[Tensor],
    count: Tensor,
    rates: Rates,
    *,
    beta1: float,
    beta2: float,
    eps: float,
    decay: float,
    decoupled: bool,
) -> None:
    """The definition of `trainables::adam_`, also for stacked members."""
    if decay and decoupled:
        torch._foreach_mul_(parameters, _each(rates, lambda rate: 1 - rate * decay))
    elif decay:
        gradients = list(torch._foreach_add(gradients, parameters, alpha=decay))
    torch._foreach_lerp_(means, gradients, 1 - beta1)
    torch._foreach_mul_(squares, beta2)
    torch._foreach_addcmul_(squares, gradients, gradients, 1 - beta2)
    # In double precision: in float32, 1 - 0.999 is wrong by one part in 80,000.
    first, second = (1 - torch.pow(beta, count.double()) for beta in (beta1, beta2))
    roots = torch._foreach_sqrt(squares)
    torch._foreach_div_(roots, second.sqrt().to(roots[0]))
    torch._foreach_add_(roots, eps)
    moves = torch._foreach_div(means, roots)
    torch._foreach_mul_(moves, _each(rates, lambda rate: rate / first.to(rate)))
    torch._foreach_sub_(parameters, moves)


def adam_fused(
    parameters: list[Tensor],
    gradients: list[Tensor],
    means: list[Tensor],
    squares: list[Tensor],
    count: Tensor,
    rate: Tensor,
    *,
    beta1: float,
    beta2: float,
    eps: float,
    decay: float,
    decoupled: bool,
) -> None:
    """`trainables::adam_` as one fused kernel."""
    kernel = torch._fused_adamw_ if decoupled else torch._fused_adam_
    kernel(
        parameters,
        _laid_out_as(gradients, parameters),
        means,
        squares,
        [],  # the largest squares, which AMSGrad alone has
        [count] * len(parameters),
        lr=rate,
        beta1=beta1,
        beta2=beta2,
        weight_decay=decay,
        eps=eps,
        amsgrad=False,
        maximize=False,
    )


def _is_fused(rates: Rates) -> bool:
    return isinstance(rates, Tensor) and rates.is_cuda


def _each(rates: Rates, function: Callable[[Tensor], Tensor]) -> Rates:
    return function(rates) if isinstance(rates, Tensor) else [function(rate) for rate in rates]


def _laid_out_as(gradients: list[Tensor], parameters: list[Tensor]) -> list[Tensor]:
    """The gradients with the strides of their parameters, as fused kernels require, also along axes of length 1."""
    return [
        gradient if gradient.stride() == parameter.stride() else torch.empty_like(parameter).copy_(gradient)
        for gradient, parameter in zip(gradients, parameters, strict=True)
    ]


_LIBRARY.impl("sgd_", sgd_in_turn, "CPU")
_LIBRARY.impl("sgd_", sgd_fused, "CUDA")
_LIBRARY.impl("adam_", adam_in_turn, "CPU")
_LIBRARY.impl("adam_", adam_fused, "CUDA")
_LIBRARY.impl("trusted", trusted_in_turn, "CPU")
_LIBRARY.impl("trusted", trusted_together, "CUDA")
