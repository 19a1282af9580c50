"""Matrix products that include scale factors and added terms, used by the losses.

At M = 32 the cost of an operation is its dispatch, and at large M it is a pass over the matrix. Factors and added
terms are therefore part of the product's operation, and the products of several views are in one tensor.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from trainables.losses.analytic import Hyperparameter

#: exp(x) is computed as exp2(x log2 e), up to four times faster on a CPU. The product that gives x includes the
#: factor.
LOG2_E = math.log2(math.e)


def add_product(total: Tensor, left: Tensor, right: Tensor, *, beta: float, alpha: Hyperparameter) -> Tensor:
    """`beta total + alpha left @ right`, written to `total`.

    If `alpha` is a number, beta = 0 ignores the values of `total`, including NaN.
    """
    if isinstance(alpha, Tensor):
        return total.mul_(beta).add_((left @ right).mul_(alpha))
    if left.ndim == 2:
        return total.addmm_(left, right, beta=beta, alpha=alpha)
    return total.baddbmm_(left, right, beta=beta, alpha=alpha)


def self_products(views: Sequence[Tensor], scale: Hyperparameter) -> Tensor:
    """`scale z @ z.T` for each view, `(V, ..., N, N)` for V views `(..., N, d)`."""
    if len(views) == 1:
        return scaled_product(views[0], views[0].mT, scale).unsqueeze(0)
    shape = views[0].shape
    products = views[0].new_empty((len(views), *shape[:-1], shape[-2]))
    alpha = 1.0 if isinstance(scale, Tensor) else scale
    for z, product in zip(views, products.unbind(), strict=True):
        add_product(product, z, z.mT, beta=0.0, alpha=alpha)
    return products.mul_(scale) if isinstance(scale, Tensor) else products


def scaled_product(left: Tensor, right: Tensor, scale: Hyperparameter) -> Tensor:
    """`scale left @ right`. `scale` is a number or a tensor that broadcasts over the product."""
    if isinstance(scale, Tensor):
        return (left @ right).mul_(scale)
    product = left.new_empty((*left.shape[:-1], right.shape[-1]))
    return add_product(product, left, right, beta=0.0, alpha=scale)


def scaled_product_minus(
    left: Tensor, right: Tensor, scale: float, weights: float | Tensor, points: Tensor
) -> Tensor:
    """`scale left @ right`, minus `weights_i points_i` in each row i."""
    if isinstance(weights, Tensor):
        return minus_weighted(scaled_product(left, right, scale), weights, points)
    multiply = torch.addmm if left.ndim == 2 else torch.baddbmm
    return multiply(points, left, right, beta=-weights, alpha=scale)


def minus_weighted(gradient: Tensor, weights: float | Tensor, points: Tensor) -> Tensor:
    """`gradient_i - weights_i points_i`, written to `gradient`."""
    if isinstance(weights, Tensor):
        return gradient.addcmul_(weights[..., None], points, value=-1.0)
    return gradient.sub_(points, alpha=weights)


def scaled(values: Tensor, factor: Hyperparameter) -> Tensor:
    """`factor values`, written to `values`."""
    return values if isinstance(factor, float) and factor == 1.0 else values.mul_(factor)
