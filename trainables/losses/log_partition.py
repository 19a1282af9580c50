"""Log-partition functions of the InfoNCE family, with their gradients.

For points `z_i` the log-partition is `log Z_i = log sum_j exp(z_i.z_j / T)`, over all j that are not left out.
"""

import torch
from torch import Tensor

from trainables.losses.analytic import AnchorTerms, Hyperparameter, Weights, minus_weighted, per_stack
from trainables.losses.strips import strips

#: Largest 1/T at which exp(+-1/T), summed over 10^5 points, stays a normal number. Up to it no shift by the
#: maximum is needed, since unit-norm rows bound the logits.
_LARGEST_EXPONENT = {torch.float32: 70.0, torch.float64: 690.0}


def needs_shift(temperature: Hyperparameter, dtype: torch.dtype) -> bool:
    """Whether `exp(u.v / T)` can leave the range of `dtype`, so that log-sums are to be shifted."""
    least = float(temperature.min()) if isinstance(temperature, Tensor) else temperature
    return least * _LARGEST_EXPONENT[dtype] < 1.0


def log_partition(
    z: Tensor,
    inverse_temperature: Hyperparameter,
    weights: Weights,
    excluded: tuple[int, ...],
    *,
    shifted: bool,
) -> tuple[Tensor, Tensor | None]:
    """`log Z`, `(..., N)`, of points `(..., N, d)`, and the gradient of `sum_i weights_i log Z_i`.

    `inverse_temperature` is 1/T as `per_stack` gives it, `shifted` what `needs_shift` says. `excluded` names
    the entries `(i, i + offset)` that the sums leave out, as a set that is symmetric about 0.
    """
    scaled_weights = times_inverse_temperature(weights, inverse_temperature, z)
    if shifted:
        values, near, far = shifted_rows(z, z, inverse_temperature, scaled_weights, excluded)
        return values, None if near is None or far is None else near + far
    in_strips = len(strips(z.shape[-2], z.device)) > 1
    return (_in_strips if in_strips else _in_one_piece)(z, inverse_temperature, scaled_weights, excluded)


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


def _in_one_piece(
    z: Tensor, inverse_temperature: Hyperparameter, weights: Weights, excluded: tuple[int, ...]
) -> tuple[Tensor, Tensor | None]:
    matrix = (z @ z.mT).mul_(inverse_temperature).exp_()
    for offset in excluded:
        matrix.diagonal(offset, -2, -1).zero_()
    partition = matrix.sum(-2)  # as matrix.sum(-1), and faster for many small matrices
    if weights is None:
        return partition.log_(), None
    # entry (i, j) pulls with its share of Z_i and, as its own mirror image, with its share of Z_j
    share = weights / partition
    matrix.mul_(share.unsqueeze(-1) + share.unsqueeze(-2))
    return partition.log_(), matrix @ z


def _in_strips(
    z: Tensor, inverse_temperature: Hyperparameter, weights: Weights, excluded: tuple[int, ...]
) -> tuple[Tensor, Tensor | None]:
    """As `_in_one_piece`, on the lower triangle."""
    bands = strips(z.shape[-2], z.device)
    partition = z.new_zeros(z.shape[:-1])
    parts = []
    for start, stop in bands:
        part = (z[..., start:stop, :] @ z[..., :stop, :].mT).mul_(inverse_temperature).exp_()
        for offset in excluded:
            part.diagonal(start + offset, -2, -1).zero_()
        partition[..., start:stop] += part.sum(-1)
        partition[..., :start] += part[..., :start].sum(-2)
        if weights is not None:
            parts.append(part)
    if weights is None:
        return partition.log_(), None
    share = weights / partition
    gradient = torch.zeros_like(z)
    for (start, stop), part in zip(bands, parts, strict=True):
        part.mul_(share[..., start:stop, None] + share[..., None, :stop])
        gradient[..., start:stop, :] += part @ z[..., :stop, :]
        gradient[..., :start, :] += part[..., :start].mT @ z[..., start:stop, :]
    return partition.log_(), gradient


def shifted_rows(
    z: Tensor,
    others: Tensor,
    inverse_temperature: Hyperparameter,
    weights: Weights,
    excluded: tuple[int, ...] = (),
) -> tuple[Tensor, Tensor | None, Tensor | None]:
    """`log sum_j exp(z_i.others_j / T)` shifted by each row's maximum, for any temperature.

    With the gradients of `T sum_i weights_i values_i` with respect to the anchors `z` and to the others.
    """
    values, near, far = [], [], torch.zeros_like(others)
    for start, stop in strips(z.shape[-2], z.device):
        logits = (z[..., start:stop, :] @ others.mT).mul_(inverse_temperature)
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
    excluded = (0,) if positive else (0, pairs, -pairs)
    log_z, gradient = log_partition(
        torch.cat([z_a, z_b], -2),
        inverse_temperature,
        _for_both_anchors(weights),
        excluded,
        shifted=needs_shift(temperature, z_a.dtype),
    )
    log_z = log_z.unflatten(-1, (2, pairs)).mean(-2)
    values = minus_positives(log_z, z_a, z_b, inverse_temperature)
    pull = times_inverse_temperature(weights, inverse_temperature, z_a)
    if pull is None or gradient is None:
        return AnchorTerms(values)
    grad_a, grad_b = gradient.split(pairs, -2)
    return AnchorTerms(values, minus_weighted(grad_a, pull, z_b), minus_weighted(grad_b, pull, z_a))


def _for_both_anchors(weights: Weights) -> Weights:
    """A pair's weight in halves for its anchors, `(..., 2M)`."""
    if isinstance(weights, Tensor):
        return torch.cat([weights, weights], -1) / 2
    return None if weights is None else weights / 2
