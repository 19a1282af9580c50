"""Log-partition functions between two views, in both directions, with their gradients."""

from typing import NamedTuple

import torch
from torch import Tensor

from trainables.losses.analytic import Hyperparameter, Weights
from trainables.losses.log_partition import shifted_rows, times_inverse_temperature
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
    *,
    shifted: bool,
) -> CrossPartition:
    """Both log-partitions of views `(..., M, d)`; the gradients are left out where a weight is None.

    `inverse_temperature` is 1/T as `per_stack` gives it, `shifted` what `needs_shift` says.
    """
    row_weights = times_inverse_temperature(row_weights, inverse_temperature, z_a)
    column_weights = times_inverse_temperature(column_weights, inverse_temperature, z_a)
    if not shifted:
        in_strips = len(strips(z_b.shape[-2], z_b.device)) > 1
        make_sums = _in_strips if in_strips else _in_one_piece
        return make_sums(z_a, z_b, inverse_temperature, row_weights, column_weights)
    rows, near_a, far_b = shifted_rows(z_a, z_b, inverse_temperature, row_weights)
    columns, near_b, far_a = shifted_rows(z_b, z_a, inverse_temperature, column_weights)
    if near_a is None or near_b is None or far_a is None or far_b is None:
        return CrossPartition(rows, columns)
    return CrossPartition(rows, columns, near_a + far_a, near_b + far_b)


def _in_one_piece(
    z_a: Tensor,
    z_b: Tensor,
    inverse_temperature: Hyperparameter,
    row_weights: Weights,
    column_weights: Weights,
) -> CrossPartition:
    matrix = (z_a @ z_b.mT).mul_(inverse_temperature).exp_()
    rows, columns = matrix.sum(-1), matrix.sum(-2)
    if row_weights is None or column_weights is None:
        return CrossPartition(rows.log_(), columns.log_())
    row_share, column_share = row_weights / rows, column_weights / columns
    matrix.mul_(row_share.unsqueeze(-1) + column_share.unsqueeze(-2))
    return CrossPartition(rows.log_(), columns.log_(), matrix @ z_b, matrix.mT @ z_a)


def _in_strips(
    z_a: Tensor,
    z_b: Tensor,
    inverse_temperature: Hyperparameter,
    row_weights: Weights,
    column_weights: Weights,
) -> CrossPartition:
    """As `_in_one_piece`, in strips of rows."""
    bands = strips(z_b.shape[-2], z_b.device)
    parts = [(z_a[..., start:stop, :] @ z_b.mT).mul_(inverse_temperature).exp_() for start, stop in bands]
    rows = torch.cat([part.sum(-1) for part in parts], -1)
    columns = torch.stack([part.sum(-2) for part in parts]).sum(0)
    if row_weights is None or column_weights is None:
        return CrossPartition(rows.log_(), columns.log_())
    row_share, column_share = row_weights / rows, column_weights / columns
    near, grad_b = [], torch.zeros_like(z_b)
    for (start, stop), part in zip(bands, parts, strict=True):
        part.mul_(row_share[..., start:stop, None] + column_share[..., None, :])
        near.append(part @ z_b)
        grad_b += part.mT @ z_a[..., start:stop, :]
    return CrossPartition(rows.log_(), columns.log_(), torch.cat(near, -2), grad_b)
