"""Matrix products with their factors inside.

At M = 32 an operation costs its dispatch, whatever it computes, and at large M a pass over the matrix: factors and
added terms go into the product's own operation.
"""

import torch
from torch import Tensor

from trainables.losses.analytic import Hyperparameter


def scaled_product(left: Tensor, right: Tensor, scale: Hyperparameter) -> Tensor:
    """`scale left @ right`, for `scale` a number or a tensor that broadcasts over the product."""
    if isinstance(scale, Tensor):
        return (left @ right).mul_(scale)
    if left.ndim > 3:
        flat = scaled_product(left.flatten(0, -3), right.flatten(0, -3), scale)
        return flat.view(*left.shape[:-1], right.shape[-1])
    ignored = left.new_empty((1,) * left.ndim)  # beta = 0 leaves it unread, even a NaN
    multiply = torch.addmm if left.ndim == 2 else torch.baddbmm
    return multiply(ignored, left, right, beta=0.0, alpha=scale)


def scaled_product_minus(
    left: Tensor, right: Tensor, scale: float, weights: float | Tensor, points: Tensor
) -> Tensor:
    """`scale left @ right`, less `weights_i points_i` in each row i."""
    if isinstance(weights, Tensor):
        return minus_weighted(scaled_product(left, right, scale), weights, points)
    if left.ndim > 3:
        left, right, flat = left.flatten(0, -3), right.flatten(0, -3), points.flatten(0, -3)
        return scaled_product_minus(left, right, scale, weights, flat).view(points.shape)
    multiply = torch.addmm if left.ndim == 2 else torch.baddbmm
    return multiply(points, left, right, beta=-weights, alpha=scale)


def minus_weighted(gradient: Tensor, weights: float | Tensor, points: Tensor) -> Tensor:
    """`gradient_i - weights_i points_i`, written over the gradient."""
    if isinstance(weights, Tensor):
        return gradient.addcmul_(weights[..., None], points, value=-1.0)
    return gradient.sub_(points, alpha=weights)
