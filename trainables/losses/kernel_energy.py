"""Mean kernel value of each point with the others, with its gradient.

The gradient with respect to `z_i` is `2 sum_j S_ij (z_i - z_j)`, where `S_ij` is the derivative of `K_ij` with
respect to `d_ij^2`, weighted by both points' anchors: a pair stands in both their means.
"""

import torch
from torch import Tensor

from trainables.losses.analytic import Hyperparameter, Weights
from trainables.losses.kernels import Kernel
from trainables.losses.products import scaled_product
from trainables.losses.strips import fits_one_strip, strips


def kernel_energy(
    z: Tensor, kernel: Kernel, t: Hyperparameter, gamma: Hyperparameter, weights: Weights
) -> tuple[Tensor, Tensor | None]:
    """`e_i = gamma mean_{j!=i} K(z_i, z_j)`, `(..., N)`, of points `(..., N, d)`; gradient of `sum_i weights_i e_i`.

    Squared distances are `|z_i|^2 + |z_j|^2 - 2 z_i.z_j`, which is right for rows rounded to bfloat16 too.
    """
    share = gamma / (z.shape[-2] - 1)
    make_sums = _in_one_piece if fits_one_strip(z.shape[-2], z.device) else _in_strips
    sums, factor, gradient = make_sums(z, kernel, t, share, weights)
    scale = share * factor
    return sums * (scale.squeeze(-1) if isinstance(scale, Tensor) else scale), gradient


def _slope_scale(share: Hyperparameter, weights: float | Tensor) -> Hyperparameter:
    """What every `S_ij` is multiplied by: uniform weights stand in here, others are in `S` already."""
    return 2.0 * share if isinstance(weights, Tensor) else 4.0 * weights * share


def _in_one_piece(
    z: Tensor, kernel: Kernel, t: Hyperparameter, share: Hyperparameter, weights: Weights
) -> tuple[Tensor, Hyperparameter, Tensor | None]:
    """The sums without their kernel's factor, that factor, and the gradient."""
    gram = scaled_product(z, z.mT, 1.0)
    norms = gram.diagonal(0, -2, -1)
    squared_distance = (norms.unsqueeze(-1) + norms.unsqueeze(-2)).sub_(gram, alpha=2.0)
    value, factor, slope, slope_factor = kernel(squared_distance, t)
    value.diagonal(0, -2, -1).zero_()
    sums = value.sum(-2)  # as value.sum(-1), and faster for many small matrices
    if weights is None:
        return sums, factor, None
    diagonal = slope.diagonal(0, -2, -1)
    if slope is not value:
        diagonal.zero_()
    if isinstance(weights, Tensor):
        slope.mul_(weights.unsqueeze(-1) + weights.unsqueeze(-2))
    # minus the Laplacian of the graph with weights S, so that one product gives sum_j S_ij (z_j - z_i)
    torch.neg(slope.sum(-2), out=diagonal)
    return sums, factor, scaled_product(slope, z, -_slope_scale(share, weights) * slope_factor)


def _in_strips(
    z: Tensor, kernel: Kernel, t: Hyperparameter, share: Hyperparameter, weights: Weights
) -> tuple[Tensor, Hyperparameter, Tensor | None]:
    """As `_in_one_piece`, on the lower triangle."""
    norms = z.square().sum(-1)
    sums, push, pull = torch.zeros_like(norms), torch.zeros_like(norms), torch.zeros_like(z)
    for start, stop in strips(z.shape[-2], z.device):
        rows, columns = z[..., start:stop, :], z[..., :stop, :]
        squared_norms = norms[..., start:stop, None] + norms[..., None, :stop]
        value, factor, slope, slope_factor = kernel(squared_norms.sub_(rows @ columns.mT, alpha=2.0), t)
        value.diagonal(start, -2, -1).zero_()
        sums[..., start:stop] += value.sum(-1)
        sums[..., :start] += value[..., :start].sum(-2)
        if weights is None:
            continue
        slope.diagonal(start, -2, -1).zero_()
        if isinstance(weights, Tensor):
            slope.mul_(weights[..., start:stop, None] + weights[..., None, :stop])
        push[..., start:stop] += slope.sum(-1)
        push[..., :start] += slope[..., :start].sum(-2)
        pull[..., start:stop, :] += slope @ columns
        pull[..., :start, :] += slope[..., :start].mT @ rows
    if weights is None:
        return sums, factor, None
    gradient = (push.unsqueeze(-1) * z).sub_(pull)
    return sums, factor, gradient.mul_(_slope_scale(share, weights) * slope_factor)
