"""Log-partition functions of the InfoNCE family, with their gradients.

For points `z_i` the log-partition is `log Z_i = log sum_j exp(z_i.z_j / T)`, over all j that are not left out.
"""

from collections.abc import Iterable

import torch
from torch import Tensor

from trainables.losses.analytic import AnchorTerms, Hyperparameter, Weights, per_stack
from trainables.losses.products import minus_weighted, scaled_product, scaled_product_minus
from trainables.losses.strips import fits_one_strip, strips

#: Largest 1/T at which exp(+-1/T), summed over 10^5 points, stays a normal number. Up to it no shift by the
#: maximum is needed, since unit-norm rows bound the logits.
_LARGEST_EXPONENT = {torch.float32: 70.0, torch.float64: 690.0}


def needs_shift(temperature: Hyperparameter, dtype: torch.dtype) -> bool:
    """Whether `exp(u.v / T)` can leave the range of `dtype`, so that log-sums are to be shifted."""
    least = float(temperature.min()) if isinstance(temperature, Tensor) else temperature
    return least * _LARGEST_EXPONENT[dtype] < 1.0


def log_partition(
    z: Tensor,
    partners: Tensor,
    inverse_temperature: Hyperparameter,
    weights: Weights,
    pull: Weights,
    *,
    period: int,
    shifted: bool,
) -> tuple[Tensor, Tensor | None]:
    """`log Z`, `(..., N)`, of points `(..., N, d)`, and `grad sum_i weights_i log Z_i`, less `pull_i partners_i`.

    `inverse_temperature` is 1/T as `per_stack` gives it, `shifted` what `needs_shift` says. The sums leave out
    the entries `(i, j)` with i and j equal modulo `period`.
    """
    weights = times_inverse_temperature(weights, inverse_temperature, z)
    if not shifted:
        in_one_piece = fits_one_strip(z.shape[-2], z.device)
        make_sums = _in_one_piece if in_one_piece else _in_strips
        return make_sums(z, partners, inverse_temperature, weights, pull, period)
    values, near, far = shifted_rows(z, z, inverse_temperature, weights, _offsets(z, period))
    if near is None or far is None or pull is None:
        return values, None
    return values, minus_weighted(near.add_(far), pull, partners)


def times_inverse_temperature(weights: Weights, inverse_temperature: Hyperparameter, z: Tensor) -> Weights:
    """Weights of gradients with respect to logits as weights with respect to inner products, which T divides."""
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
    """`weights / partition` as a tensor and a factor, which a product takes in for nothing."""
    if isinstance(weights, Tensor):
        return weights / partition, 1.0
    return partition.reciprocal(), weights


def _offsets(z: Tensor, period: int) -> range:
    """The diagonals that `period` leaves out."""
    return range(period - z.shape[-2], z.shape[-2], period)


def _leave_out(matrix: Tensor, period: int) -> None:
    """Zero those diagonals of a whole matrix."""
    size = matrix.shape[-1]
    if size > period:
        blocks = size // period
        matrix.view(*matrix.shape[:-2], blocks, period, blocks, period).diagonal(0, -3, -1).zero_()
    else:
        matrix.diagonal(0, -2, -1).zero_()


def _in_one_piece(
    z: Tensor,
    partners: Tensor,
    inverse_temperature: Hyperparameter,
    weights: Weights,
    pull: Weights,
    period: int,
) -> tuple[Tensor, Tensor | None]:
    matrix = scaled_product(z, z.mT, inverse_temperature).exp_()
    _leave_out(matrix, period)
    partition = matrix.sum(-2)  # as matrix.sum(-1), and faster for many small matrices
    if weights is None or pull is None:
        return partition.log_(), None
    # entry (i, j) pulls with its share of Z_i and, as its own mirror image, with its share of Z_j
    share, factor = shares(weights, partition)
    matrix.mul_(share.unsqueeze(-1) + share.unsqueeze(-2))
    return partition.log_(), scaled_product_minus(matrix, z, factor, pull, partners)


def _in_strips(
    z: Tensor,
    partners: Tensor,
    inverse_temperature: Hyperparameter,
    weights: Weights,
    pull: Weights,
    period: int,
) -> tuple[Tensor, Tensor | None]:
    """As `_in_one_piece`, on the lower triangle."""
    bands = strips(z.shape[-2], z.device)
    partition = z.new_zeros(z.shape[:-1])
    parts = []
    for start, stop in bands:
        part = scaled_product(z[..., start:stop, :], z[..., :stop, :].mT, inverse_temperature).exp_()
        for offset in _offsets(z, period):
            part.diagonal(start + offset, -2, -1).zero_()
        partition[..., start:stop] += part.sum(-1)
        partition[..., :start] += part[..., :start].sum(-2)
        if weights is not None:
            parts.append(part)
    if weights is None or pull is None:
        return partition.log_(), None
    share = weights / partition
    gradient = torch.zeros_like(z)
    for (start, stop), part in zip(bands, parts, strict=True):
        part.mul_(share[..., start:stop, None] + share[..., None, :stop])
        gradient[..., start:stop, :] += part @ z[..., :stop, :]
        gradient[..., :start, :] += part[..., :start].mT @ z[..., start:stop, :]
    return partition.log_(), minus_weighted(gradient, pull, partners)


def shifted_rows(
    z: Tensor,
    others: Tensor,
    inverse_temperature: Hyperparameter,
    weights: Weights,
    excluded: Iterable[int] = (),
) -> tuple[Tensor, Tensor | None, Tensor | None]:
    """`log sum_j exp(z_i.others_j / T)` shifted by each row's maximum, for any temperature.

    With the gradients of `T sum_i weights_i values_i` with respect to the anchors `z` and to the others.
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
    z_a: Tensor, z_b: Tensor, temperature: Hyperparameter, weights: Weights, *, positive: bool
) -> AnchorTerms:
    """Terms of NT-Xent (the `positive` in the sum) or DCL (not), mean over a pair's two anchors."""
    pairs = z_a.shape[-2]
    inverse_temperature = 1.0 / per_stack("temperature", temperature, z_a)
    pull = times_inverse_temperature(weights, inverse_temperature, z_a)
    log_z, gradient = log_partition(
        torch.cat([z_a, z_b], -2),
        torch.cat([z_b, z_a], -2),
        inverse_temperature,
        None if weights is None else _for_both_anchors(weights) / 2.0,
        None if pull is None else _for_both_anchors(pull),
        period=2 * pairs if positive else pairs,
        shifted=needs_shift(temperature, z_a.dtype),
    )
    log_z = torch.lerp(log_z.narrow(-1, 0, pairs), log_z.narrow(-1, pairs, pairs), 0.5)
    values = minus_positives(log_z, z_a, z_b, inverse_temperature)
    if gradient is None:
        return AnchorTerms(values)
    return AnchorTerms(values, gradient.narrow(-2, 0, pairs), gradient.narrow(-2, pairs, pairs))


def _for_both_anchors(weights: float | Tensor) -> float | Tensor:
    """A pair's weight for each of its anchors, `(..., 2M)`."""
    return torch.cat([weights, weights], -1) if isinstance(weights, Tensor) else weights
