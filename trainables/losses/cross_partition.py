"""Log-partition functions between two views, in both directions, with their gradients."""

from typing import NamedTuple

import torch
from torch import Tensor

from trainables.losses.analytic import Hyperparameter, Weights
from trainables.losses.log_partition import fits_unshifted, shifted_rows
from trainables.losses.strips import strips


class CrossPartition(NamedTuple):
    """`rows_i = log sum_j exp(u_i.v_j / T)`, `columns_j = log sum_i exp(u_i.v_j / T)`, both `(..., M)`."""

    rows: Tensor
    columns: Tensor
    grad_a: Tensor | None = None  # gradient of sum_i (row_weights_i rows_i + column_weights_i columns_i)
    grad_b: Tensor | None = None


def cross_partition(
    z_a: Tensor,
    z_b: Tensor,
    inverse_temperature: Hyperparameter,
    row_weights: Weights,
    column_weights: Weights,
) -> CrossPartition:
    """Both log-partitions of views `(..., M, d)`; the gradients are left out when a weight is None."""
    scaled_a, scaled_b = z_a * inverse_temperature, z_b * inverse_temperature
    if fits_unshifted(inverse_temperature, z_a.dtype):
        return _unshifted(scaled_a, z_b, scaled_b, row_weights, column_weights)
    rows, near_a, far_b = shifted_rows(scaled_a, z_b, scaled_b, row_weights)
    columns, near_b, far_a = shifted_rows(scaled_b, z_a, scaled_a, column_weights)
    if near_a is None or near_b is None or far_a is None or far_b is None:
        return CrossPartition(rows, columns)
    return CrossPartition(rows, columns, near_a + far_a, near_b + far_b)


def _unshifted(
    scaled_a: Tensor, z_b: Tensor, scaled_b: Tensor, row_weights: Weights, column_weights: Weights
) -> CrossPartition:
    bands = strips(z_b.shape[-2], z_b.device)
    parts = [(scaled_a[..., start:stop, :] @ z_b.mT).exp_() for start, stop in bands]
    rows = torch.cat([part.sum(-1) for part in parts], -1)
    columns = torch.stack([part.sum(-2) for part in parts]).sum(0)
    if row_weights is None or column_weights is None:
        return CrossPartition(rows.log(), columns.log())
    row_share, column_share = row_weights / rows, column_weights / columns
    near, grad_b = [], torch.zeros_like(z_b)
    for (start, stop), part in zip(bands, parts, strict=True):
        part.mul_(row_share[..., start:stop, None] + column_share[..., None, :])
        near.append(part @ scaled_b)
        grad_b += part.mT @ scaled_a[..., start:stop, :]
    return CrossPartition(rows.log(), columns.log(), torch.cat(near, -2), grad_b)
