"""Log-partition functions with their gradients, used by the losses of the InfoNCE family.

For points `z_i` the log-partition is `log Z_i = log sum_j exp(z_i.z_j / T)`, over all j that are not excluded.
"""

from collections.abc import Iterable
from typing import NamedTuple

import torch
from torch import Tensor

from trainables.losses.analytic import AnchorTerms, Hyperparameter, Weights, per_stack
from trainables.losses.products import (
    LOG2_E,
    minus_weighted,
    scaled_product,
    scaled_product_minus,
    self_products,
)
from trainables.losses.strips import fits_one_strip, strips

#: Largest 1/T at which exp(+-1/T), summed over 10^5 points, is a normal floating-point number. Up to this value no
#: shift by the maximum is needed, because unit-norm rows bound the logits.
_LARGEST_EXPONENT = {torch.float32: 70.0, torch.float64: 690.0}


def needs_shift(least_temperature: float, dtype: torch.dtype) -> bool:
    """Whether `exp(u.v / T)` can exceed the range of `dtype`, so that log-sums must be shifted."""
    return least_temperature * _LARGEST_EXPONENT[dtype] < 1.0


class Points(NamedTuple):
    """The input of `log_partition`: one or more sets of points. The log-partitions are within each set.

    The sums exclude the entries `(i, j)` with i and j equal modulo `period`. The gradient is that of
    `sum_i weights_i T log Z_i`, minus `pull_i partners_i`. If `weights` and `pull` are None, no gradient is computed.
    """

    sets: tuple[Tensor, ...]  # (..., N, d) each
    partners: tuple[Tensor, ...]
    inverse_temperature: Hyperparameter  # 1/T in the shape from `per_stack`
    weights: Weights  # with respect to inner products: see `times_inverse_temperature`
    pull: Weights
    period: int


def log_partition(points: Points, *, shifted: bool) -> tuple[Tensor, tuple[Tensor, ...] | None]:
    """`log Z`, `(V, ..., N)` for V sets, and its gradients. `shifted` is the result of `needs_shift`."""
    first = points.sets[0]
    if not shifted and fits_one_strip(first.shape[-2], first.device):
        return _in_one_piece(points)
    one_set = _shifted if shifted else _in_strips
    terms = [one_set(z, partners, points) for z, partners in zip(points.sets, points.partners, strict=True)]
    gradients = tuple(gradient for _, gradient in terms if gradient is not None)
    return torch.stack([log_z for log_z, _ in terms]), gradients or None


def times_inverse_temperature(weights: Weights, inverse_temperature: Hyperparameter, z: Tensor) -> Weights:
    """Convert weights of gradients with respect to logits to weights with respect to inner products: divide by T."""
    if weights is None or not isinstance(inverse_temperature, Tensor):
        return None if weights is None else weights * inverse_temperature
    return (weights * inverse_temperature.squeeze(-1)).expand(z.shape[:-1])


def minus_positives(log_z: Tensor, z_a: Tensor, z_b: Tensor, inverse_temperature: Hyperparameter) -> Tensor:
    """`log Z_i - u_i.v_i / T`, `(..., M)`."""
    positives = (z_a * z_b).sum(-1)
    if isinstance(inverse_temperature, Tensor):
        return log_z - positives * inverse_temperature.squeeze(-1)
    return torch.sub(log_z, positives, alpha=inverse_temperature)


def shares(weights: float | Tensor, partition: Tensor) -> tuple[Tensor, float]:
    """`weights / partition` as a tensor and a number. A matrix product applies the number at no cost."""
    if isinstance(weights, Tensor):
        return weights / partition, 1.0
    return partition.reciprocal(), weights


def _offsets(z: Tensor, period: int) -> range:
    """The offsets of the diagonals that `period` excludes."""
    return range(period - z.shape[-2], z.shape[-2], period)


def _leave_out(matrix: Tensor, period: int) -> None:
    """Set the diagonals that `period` excludes to zero, in a complete square matrix."""
    size = matrix.shape[-1]
    if size > period:
        blocks = size // period
        matrix.view(-1, blocks, period, blocks, period).diagonal(0, -3, -1).zero_()
    else:
        matrix.diagonal(0, -2, -1).zero_()


def _in_one_piece(points: Points) -> tuple[Tensor, tuple[Tensor, ...] | None]:
    matrices = self_products(points.sets, points.inverse_temperature * LOG2_E).exp2_()
    _leave_out(matrices, points.period)
    partition = matrices.sum(-2)  # equals sum(-1), but faster for many small matrices
    if points.weights is None or points.pull is None:
        return partition.log_(), None
    # Entry (i, j) contributes by its share of Z_i and, because the matrix is symmetric, by its share of Z_j.
    share, factor = shares(points.weights, partition)
    matrices.mul_(share.unsqueeze(-1) + share.unsqueeze(-2))
    gradients = tuple(
        scaled_product_minus(matrix, z, factor, points.pull, partners)
        for matrix, z, partners in zip(matrices.unbind(), points.sets, points.partners, strict=True)
    )
    return partition.log_(), gradients


def _in_strips(z: Tensor, partners: Tensor, points: Points) -> tuple[Tensor, Tensor | None]:
    """The same as `_in_one_piece`, for one set and on the lower triangle."""
    scale = points.inverse_temperature * LOG2_E
    bands = strips(z.shape[-2], z.device)
    partition = z.new_zeros(z.shape[:-1])
    parts = []
    for start, stop in bands:
        part = scaled_product(z[..., start:stop, :], z[..., :stop, :].mT, scale).exp2_()
        for offset in _offsets(z, points.period):
            part.diagonal(start + offset, -2, -1).zero_()
        partition[..., start:stop] += part.sum(-1)
        partition[..., :start] += part[..., :start].sum(-2)
        if points.weights is not None:
            parts.append(part)
    if points.weights is None or points.pull is None:
        return partition.log_(), None
    share = points.weights / partition
    gradient = torch.zeros_like(z)
    for (start, stop), part in zip(bands, parts, strict=True):
        part.mul_(share[..., start:stop, None] + share[..., None, :stop])
        gradient[..., start:stop, :] += part @ z[..., :stop, :]
        gradient[..., :start, :] += part[..., :start].mT @ z[..., start:stop, :]
    return partition.log_(), minus_weighted(gradient, points.pull, partners)


def _shifted(z: Tensor, partners: Tensor, points: Points) -> tuple[Tensor, Tensor | None]:
    excluded = _offsets(z, points.period)
    values, near, far = shifted_rows(z, z, points.inverse_temperature, points.weights, excluded)
    if near is None or far is None or points.pull is None:
        return values, None
    return values, minus_weighted(near.add_(far), points.pull, partners)


def shifted_rows(
    z: Tensor,
    others: Tensor,
    inverse_temperature: Hyperparameter,
    weights: Weights,
    excluded: Iterable[int] = (),
) -> tuple[Tensor, Tensor | None, Tensor | None]:
    """`log sum_j exp(z_i.others_j / T)`, shifted by the maximum of each row, for any temperature.

    Also returns the gradients of `T sum_i weights_i values_i` with respect to the anchors `z` and to `others`.
    """
    values, near, far = [], [], torch.zeros_like(others)
    for start, stop in strips(z.shape[-2], z.device):
        logits = scaled_product(z[..., start:stop, :], others.mT, inverse_temperature)
        for offset in excluded:
            logits.diagonal(start + offset, -2, -1).fill_(-torch.inf)
        values.append(logits.logsumexp(-1))
        if weights is None:
            continue
        share = logits.sub_(values[-1][..., None]).exp_()
        share.mul_(weights[..., start:stop, None] if isinstance(weights, Tensor) else weights)
        near.append(share @ others)
        far += share.mT @ z[..., start:stop, :]
    if weights is None:
        return torch.cat(values, -1), None, None
    return torch.cat(values, -1), torch.cat(near, -2), far


def two_view_terms(
    z_a: Tensor,
    z_b: Tensor,
    temperature: Hyperparameter,
    weights: Weights,
    *,
    positive: bool,
    least_temperature: float,
) -> AnchorTerms:
    """The terms of NT-Xent (with the `positive` in the sum) or DCL (without): means over a pair's two anchors.

    `least_temperature` is the smallest temperature of the stack.
    """
    pairs = z_a.shape[-2]
    inverse_temperature = 1.0 / per_stack("temperature", temperature, z_a)
    pull = _for_both_anchors(times_inverse_temperature(weights, inverse_temperature, z_a))
    points = Points(
        sets=(torch.cat([z_a, z_b], -2),),
        partners=(torch.cat([z_b, z_a], -2),),
        inverse_temperature=inverse_temperature,
        weights=None if pull is None else 0.5 * pull,
        pull=pull,
        period=2 * pairs if positive else pairs,
    )
    log_z, gradients = log_partition(points, shifted=needs_shift(least_temperature, z_a.dtype))
    log_z_a, log_z_b = log_z[0].chunk(2, -1)
    values = minus_positives(torch.lerp(log_z_a, log_z_b, 0.5), z_a, z_b, inverse_temperature)
    return AnchorTerms(values) if gradients is None else AnchorTerms(values, *gradients[0].chunk(2, -2))


def _for_both_anchors(weights: Weights) -> Weights:
    """The weight of each pair, repeated for its two anchors, `(..., 2M)`."""
    return torch.cat([weights, weights], -1) if isinstance(weights, Tensor) else weights
