"""Kernel values of each point with the others, with their gradient."""

from typing import NamedTuple

import torch
from torch import Tensor

from trainables.losses.analytic import Hyperparameter, Weights
from trainables.losses.kernels import Kernel
from trainables.losses.strips import Strip, strips


class _Sums(NamedTuple):
    """Over the other points j: `values_i = sum_j K_ij`, `push_i = sum_j S_ij`, `pull_i = sum_j S_ij z_j`.

    `S_ij` is the derivative of `K_ij` with respect to `d_ij^2`, times `weights_i + weights_j` where those
    are a tensor.
    """

    values: Tensor
    push: Tensor | None = None
    pull: Tensor | None = None


def kernel_energy(
    z: Tensor, kernel: Kernel, t: Hyperparameter, gamma: Hyperparameter, weights: Weights
) -> tuple[Tensor, Tensor | None]:
    """`e_i = gamma mean_{j!=i} K(z_i, z_j)`, `(..., N)`, of points `(..., N, d)`, and the gradient of
    `sum_i weights_i e_i`.

    Squared distances are `|z_i|^2 + |z_j|^2 - 2 z_i.z_j`, which is right for rows rounded to bfloat16 too.
    """
    bands = strips(z.shape[-2], z.device)
    make_sums = _in_one_piece if len(bands) == 1 else _in_strips
    values, push, pull = make_sums(z, kernel, t, weights, bands)
    share = gamma / (z.shape[-2] - 1)
    energies = values * (share.squeeze(-1) if isinstance(share, Tensor) else share)
    if weights is None or push is None or pull is None:
        return energies, None
    # d/dz_i of K(d_ij^2) is 2 K' (z_i - z_j), and the pair stands in e_i and in e_j
    scale = 2.0 * share if isinstance(weights, Tensor) else 4.0 * weights * share
    return energies, (push.unsqueeze(-1) * z).sub_(pull).mul_(scale)


def _in_one_piece(
    z: Tensor, kernel: Kernel, t: Hyperparameter, weights: Weights, bands: list[Strip]
) -> _Sums:
    norms = z.square().sum(-1)
    squared_norms = norms.unsqueeze(-1) + norms.unsqueeze(-2)
    value, slope = kernel(squared_norms.sub_(z @ z.mT, alpha=2.0), t)
    value.diagonal(0, -2, -1).zero_()
    if weights is None:
        return _Sums(value.sum(-2))
    slope.diagonal(0, -2, -1).zero_()
    if isinstance(weights, Tensor):
        slope.mul_(weights.unsqueeze(-1) + weights.unsqueeze(-2))
    # all three are symmetric, and many small matrices sum faster over their rows
    return _Sums(value.sum(-2), slope.sum(-2), slope @ z)


def _in_strips(z: Tensor, kernel: Kernel, t: Hyperparameter, weights: Weights, bands: list[Strip]) -> _Sums:
    """As `_in_one_piece`, on the lower triangle."""
    norms = z.square().sum(-1)
    values, push, pull = torch.zeros_like(norms), torch.zeros_like(norms), torch.zeros_like(z)
    for start, stop in bands:
        rows, columns = z[..., start:stop, :], z[..., :stop, :]
        squared_norms = norms[..., start:stop, None] + norms[..., None, :stop]
        value, slope = kernel(squared_norms.sub_(rows @ columns.mT, alpha=2.0), t)
        value.diagonal(start, -2, -1).zero_()
        values[..., start:stop] += value.sum(-1)
        values[..., :start] += value[..., :start].sum(-2)
        if weights is None:
            continue
        slope.diagonal(start, -2, -1).zero_()
        if isinstance(weights, Tensor):
            slope.mul_(weights[..., start:stop, None] + weights[..., None, :stop])
        push[..., start:stop] += slope.sum(-1)
        push[..., :start] += slope[..., :start].sum(-2)
        pull[..., start:stop, :] += slope @ columns
        pull[..., :start, :] += slope[..., :start].mT @ rows
    return _Sums(values, push, pull) if weights is not None else _Sums(values)
