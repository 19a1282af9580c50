"""Log-partition functions between two views, in one or both directions, with their gradients; used by `InfoNCE`."""

from typing import NamedTuple

import torch
from torch import Tensor

from trainables.losses.analytic import AnchorTerms, Hyperparameter, Weights
from trainables.losses.log_partition import (
    minus_positives,
    shares,
    shifted_rows,
    times_inverse_temperature,
)
from trainables.losses.products import LOG2_E, minus_weighted, scaled_product
from trainables.losses.strips import fits_one_strip, strips


def cross_partition(
    z_a: Tensor,
    z_b: Tensor,
    inverse_temperature: Hyperparameter,
    weights: Weights,
    *,
    both_ways: bool,
    shifted: bool,
) -> AnchorTerms:
    """`log sum_j exp(u_i.v_j / T) - u_i.v_i / T`, `(..., M)`, averaged with its mirror image if `both_ways`.

    `inverse_temperature` is 1/T in the shape from `per_stack`. `shifted` is the result of `needs_shift`.
    """
    pull = times_inverse_temperature(weights, inverse_temperature, z_a)
    if shifted:
        return _shifted(z_a, z_b, inverse_temperature, pull, both_ways)
    make_sums = _in_one_piece if fits_one_strip(z_b.shape[-2], z_b.device) else _in_strips
    return make_sums(z_a, z_b, inverse_temperature, pull, both_ways)


def _shifted(
    z_a: Tensor, z_b: Tensor, inverse_temperature: Hyperparameter, pull: Weights, both_ways: bool
) -> AnchorTerms:
    log_z, grad_a, grad_b = shifted_rows(z_a, z_b, inverse_temperature, pull)
    if both_ways:
        mirrored, near_b, far_a = shifted_rows(z_b, z_a, inverse_temperature, pull)
        log_z = torch.lerp(log_z, mirrored, 0.5)
        grad_a = None if grad_a is None or far_a is None else torch.lerp(grad_a, far_a, 0.5)
        grad_b = None if grad_b is None or near_b is None else torch.lerp(grad_b, near_b, 0.5)
    values = minus_positives(log_z, z_a, z_b, inverse_temperature)
    if pull is None or grad_a is None or grad_b is None:
        return AnchorTerms(values)
    return AnchorTerms(values, minus_weighted(grad_a, pull, z_b), minus_weighted(grad_b, pull, z_a))


class _Sums(NamedTuple):
    """Log-partitions, and the factors of the matrix's rows and columns in the gradient.

    `column_share` is None for a single direction.
    """

    log_z: Tensor
    row_share: Tensor | None = None
    column_share: Tensor | None = None
    factor: float = 1.0


def _log_z_and_shares(rows: Tensor, columns: Tensor | None, weights: Weights) -> _Sums:
    log_z = rows.log() if columns is None else torch.lerp(rows.log(), columns.log(), 0.5)
    if weights is None:
        return _Sums(log_z)
    row_share, factor = shares(weights, rows)
    if columns is None:
        return _Sums(log_z, row_share, None, factor)
    return _Sums(log_z, row_share, shares(weights, columns)[0], 0.5 * factor)


def _in_one_piece(
    z_a: Tensor, z_b: Tensor, inverse_temperature: Hyperparameter, pull: Weights, both_ways: bool
) -> AnchorTerms:
    matrix = scaled_product(z_a, z_b.mT, inverse_temperature * LOG2_E)
    diagonal = matrix.diagonal(0, -2, -1)
    positives = diagonal.clone()
    matrix.exp2_()
    sums = _log_z_and_shares(matrix.sum(-1), matrix.sum(-2) if both_ways else None, pull)
    values = torch.sub(sums.log_z, positives, alpha=1.0 / LOG2_E)
    if sums.row_share is None or pull is None:
        return AnchorTerms(values)
    share = sums.row_share.unsqueeze(-1)
    matrix.mul_(share if sums.column_share is None else share + sums.column_share.unsqueeze(-2))
    diagonal.sub_(pull / sums.factor)  # the gradient of the positives, in the same products
    return AnchorTerms(
        values, scaled_product(matrix, z_b, sums.factor), scaled_product(matrix.mT, z_a, sums.factor)
    )


def _in_strips(
    z_a: Tensor, z_b: Tensor, inverse_temperature: Hyperparameter, pull: Weights, both_ways: bool
) -> AnchorTerms:
    """The same as `_in_one_piece`, computed in strips of rows."""
    bands = strips(z_b.shape[-2], z_b.device)
    parts = [
        scaled_product(z_a[..., start:stop, :], z_b.mT, inverse_temperature * LOG2_E).exp2_()
        for start, stop in bands
    ]
    rows = torch.cat([part.sum(-1) for part in parts], -1)
    columns = torch.stack([part.sum(-2) for part in parts]).sum(0) if both_ways else None
    sums = _log_z_and_shares(rows, columns, pull)
    values = minus_positives(sums.log_z, z_a, z_b, inverse_temperature)
    if sums.row_share is None or pull is None:
        return AnchorTerms(values)
    near, grad_b = [], torch.zeros_like(z_b)
    for (start, stop), part in zip(bands, parts, strict=True):
        share = sums.row_share[..., start:stop, None]
        part.mul_(share if sums.column_share is None else share + sums.column_share[..., None, :])
        near.append(scaled_product(part, z_b, sums.factor))
        grad_b += scaled_product(part.mT, z_a[..., start:stop, :], sums.factor)
    return AnchorTerms(
        values, minus_weighted(torch.cat(near, -2), pull, z_b), minus_weighted(grad_b, pull, z_a)
    )
