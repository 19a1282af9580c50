"""The decoupled hyperspherical energy loss (DHEL)."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from trainables.losses.analytic import (
    AnalyticLoss,
    AnchorTerms,
    Hyperparameter,
    Weights,
    per_stack,
)
from trainables.losses.log_partition import (
    Points,
    log_partition,
    minus_positives,
    needs_shift,
    times_inverse_temperature,
)
from trainables.losses.products import minus_weighted, scaled


@dataclass(frozen=True, kw_only=True)
class DHEL(AnalyticLoss):
    """`mean_i [-u_i.v_i / T + w (lse_{j!=i}(u_i.u_j / T) + lse_{j!=i}(v_i.v_j / T))]`, in nats.

    `form` selects one of the published forms. "released" is the formula above, as in the authors' code. "halved" uses
    the mean of the two energies, as in Lee et al. 2025 (arXiv 2506.09781). "one_view" omits the energy of `z_b`.
    `energy_weight` is `w`. Source: Koromilas et al. 2024, arXiv 2405.18045.
    """

    name: ClassVar[str] = "dhel"

    temperature: Hyperparameter = 0.25
    form: str = "released"
    energy_weight: Hyperparameter = 1.0

    def anchor_terms(self, z_a: Tensor, z_b: Tensor, weights: Weights) -> AnchorTerms:
        """The energies of each pair within the views, minus its positive logit."""
        inverse_temperature = 1.0 / per_stack("temperature", self.temperature, z_a)
        energy_weight = _each_anchor(per_stack("energy_weight", self.energy_weight, z_a), z_a)
        if self.form == "halved":
            energy_weight = 0.5 * energy_weight
        one_view = self.form == "one_view"
        pull = times_inverse_temperature(weights, inverse_temperature, z_a)
        points = Points(
            sets=(z_a,) if one_view else (z_a, z_b),
            partners=(z_b,) if one_view else (z_b, z_a),
            inverse_temperature=inverse_temperature,
            weights=None if pull is None else pull * energy_weight,
            pull=pull,
            period=z_a.shape[-2],
        )
        shifted = needs_shift(self.least("temperature"), z_a.dtype)
        log_z, gradients = log_partition(points, shifted=shifted)
        energies = scaled(log_z.sum(0), energy_weight)
        values = minus_positives(energies, z_a, z_b, inverse_temperature)
        if pull is None or gradients is None:
            return AnchorTerms(values)
        grad_b = minus_weighted(torch.zeros_like(z_b), pull, z_a) if one_view else gradients[1]
        return AnchorTerms(values, gradients[0], grad_b)


def _each_anchor(value: Hyperparameter, z: Tensor) -> Hyperparameter:
    """A tensor `(K, 1, 1)` expanded to `(K, M)`; a number unchanged."""
    return value.squeeze(-1).expand(z.shape[:-1]) if isinstance(value, Tensor) else value
