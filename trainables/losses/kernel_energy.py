"""Mean kernel value of each point with the others, with its gradient.

The gradient with respect to `z_i` is `2 sum_j S_ij (z_i - z_j)`, where `S_ij` is the derivative of `K_ij` with
respect to `d_ij^2`, weighted by both points' anchors: a pair stands in both their means.
"""

import torch
from torch import Tensor

from trainables.losses.analytic import Hyperparameter, Weights
from trainables.losses.kernels import Kernel
from trainables.losses.strips import strips


def kernel_energy(
    z: Tensor, kernel: Kernel, t: Hyperparameter, gamma: Hyperparameter, weights: Weights
) -> tuple[Tensor, Tensor | None]:
    """`e_i = gamma mean_{j!=i} K(z_i, z_j)`, `(..., N)`, of points `(..., N, d)`; gradient of `sum_i weights_i e_i`.

    Squared distances are `|z_i|^2 + |z_j|^2 - 2 z_i.z_j`, which is right for rows rounded to bfloat16 too.
    """
    share = gamma / (z.shape[-2] - 1)
    in_strips = len(strips(z.shape[-2], z.device)) > 1
    sums, gradient = (_in_strips if in_strips else _in_one_piece)(z, kernel, t, share, weights)
    return sums * (share.squeeze(-1) if isinstance(share, Tensor) else share), gradient


def _slope_scale(share: Hyperparameter, weights: float | Tensor) -> Hyperparameter:
    """What every `S_ij` is multiplied by: uniform weights stand in here, others are in `S` already."""
    return 2.0 * share if isinstance(weights, Tensor) else 4.0 * weights * share


def _in_one_piece(
    z: Tensor, kernel: Kernel, t: Hyperparameter, share: Hyperparameter, weights: Weights
) -> tuple[Tensor, Tensor | None]:
    gram = z @ z.mT
    norms = gram.diagonal(0, -2, -1)
    squared_distance = (norms.unsqueeze(-1) + norms.unsqueeze(-2)).sub_(gram, alpha=2.0)
    value, slope = kernel(squared_distance, t)
    value.diagonal(0, -2, -1).zero_()
    sums = value.sum(-2)  # as value.sum(-1), and faster for many small matrices
    if weights is None:
        return sums, None
    slope.diagonal(0, -2, -1).zero_()
    if isinstance(weights, Tensor):
        slope.mul_(weights.unsqueeze(-1) + weights.unsqueeze(-2))
    # the Laplacian of the graph with weights S, so that one product gives sum_j S_ij (z_i - z_j)
    slope.mul_(-_slope_scale(share, weights))
    slope.diagonal(0, -2, -1).copy_(-slope.sum(-2))
    return sums, slope @ z


def _in_strips(
    z: Tensor, kernel: Kernel, t: Hyperparameter, share: Hyperparameter, weights: Weights
) -> tuple[Tensor, Tensor | None]:
    """As `_in_one_piece`, on the lower triangle."""
    norms = z.square().sum(-1)
    sums, push, pull = torch.zeros_like(norms), torch.zeros_like(norms), torch.zeros_like(z)
    for start, stop in strips(z.shape[-2], z.device):
        rows, columns = z[..., start:stop, :], z[..., :stop, :]
        squared_norms = norms[..., start:stop, None] + norms[..., None, :stop]
        value, slope = kernel(squared_norms.sub_(rows @ columns.mT, alpha=2.0), t)
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
        return sums, None
    return sums, (push.unsqueeze(-1) * z).sub_(pull).mul_(_slope_scale(share, weights))
