"""Matrix products with their factors inside.

Multiplying a small matrix by a number costs as much as adding a row to it costs nothing: dispatch. The factors of
a product go into the product's own operation, which at large M saves a pass over the matrix too.
"""

import torch
from torch import Tensor

from trainables.losses.analytic import Hyperparameter, Weights


def scaled_product(left: Tensor, right: Tensor, scale: Hyperparameter) -> Tensor:
    """`scale left @ right`, for `scale` a number or a tensor that broadcasts over the product."""
    if isinstance(scale, Tensor) or left.ndim > 3:
        return (left @ right).mul_(scale)
    ignored = left.new_empty((1,) * left.ndim)  # beta = 0 leaves it unread, even a NaN
    multiply = torch.addmm if left.ndim == 2 else torch.baddbmm
    return multiply(ignored, left, right, beta=0.0, alpha=scale)


def scaled_product_minus(
    left: Tensor, right: Tensor, scale: float, weights: Weights, points: Tensor
) -> Tensor:
    """`scale left @ right`, less `weights_i points_i` in each row i."""
    if isinstance(weights, Tensor) or left.ndim > 3:
        return minus_weighted(scaled_product(left, right, scale), weights, points)
    multiply = torch.addmm if left.ndim == 2 else torch.baddbmm
    return multiply(points, left, right, beta=-weights, alpha=scale)


def minus_weighted(gradient: Tensor, weights: float | Tensor, points: Tensor) -> Tensor:
    """`gradient_i - weights_i points_i`, written over the gradient."""
    if isinstance(weights, Tensor):
        return gradient.addcmul_(weights[..., None], points, value=-1.0)
    return gradient.sub_(points, alpha=weights)
