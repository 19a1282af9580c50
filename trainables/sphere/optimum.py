"""The full-batch loss of embeddings, and its known minimum."""

from typing import Any

import torch
from torch import Tensor

from trainables.config import LossConfig
from trainables.losses import build_loss
from trainables.sphere.ideal import ideal_points
from trainables.sphere.known import is_optimum_known


def full_loss(loss: Any, z_a: Tensor, z_b: Tensor) -> float:
    """The loss of all pairs `(N, d)` as one batch, in the loss's units.

    It is the mean of `per_anchor` if the loss has it: the value of FlatNCE is constant, and training lowers its mean
    `log xi`.
    """
    with torch.no_grad():
        if hasattr(loss, "per_anchor"):
            return float(loss.per_anchor(z_a, z_b).mean())
        return float(loss(z_a, z_b))


def optimum_loss(loss: LossConfig, n_pairs: int, dim: int) -> float | None:
    """The minimum of `full_loss` over all configurations of N pairs in d dimensions; None if it is not known.

    It is the loss at the ideal configuration with two equal views, in float64; see `trainables.sphere.known`.
    """
    points = ideal_points(n_pairs, dim)
    if points is None or not is_optimum_known(loss.name, loss.params, n_pairs, dim):
        return None
    return full_loss(build_loss(loss.name, **loss.params), points, points)
