"""Decoupled hyperspherical energy loss."""

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
    log_partition,
    minus_positives,
    needs_shift,
    times_inverse_temperature,
)
from trainables.losses.products import minus_weighted

#: Energies that count in each form, as weights of `z_a`'s and `z_b`'s.
_ENERGIES = {"released": (1.0, 1.0), "halved": (0.5, 0.5), "one_view": (1.0, 0.0)}


@dataclass(frozen=True, kw_only=True)
class DHEL(AnalyticLoss):
    """`mean_i [-u_i.v_i / T + w (lse_{j!=i}(u_i.u_j / T) + lse_{j!=i}(v_i.v_j / T))]`, in nats.

    `form` names which of the losses in print is meant: "released" is the above, as in the authors' code;
    "halved" takes the mean of the two energies, as in Lee et al. 2025 (arXiv 2506.09781); "one_view" leaves
    the energy of `z_b` out. `energy_weight` is `w`. Source: Koromilas et al. 2024, arXiv 2405.18045.
    """

    name: ClassVar[str] = "dhel"

    temperature: Hyperparameter = 0.25
    form: str = "released"
    energy_weight: Hyperparameter = 1.0

    def anchor_terms(self, z_a: Tensor, z_b: Tensor, weights: Weights) -> AnchorTerms:
        """Each pair's energies within its views, minus its positive logit."""
        inverse_temperature = 1.0 / per_stack("temperature", self.temperature, z_a)
        share_a, share_b = _ENERGIES[self.form]
        energy_weight = _each_anchor(per_stack("energy_weight", self.energy_weight, z_a) * share_a, z_a)
        pull = times_inverse_temperature(weights, inverse_temperature, z_a)
        log_z, gradient = log_partition(
            torch.stack([z_a, z_b]) if share_b else z_a.unsqueeze(0),
            torch.stack([z_b, z_a]) if share_b else z_b.unsqueeze(0),
            inverse_temperature,
            None if weights is None else weights * energy_weight,
            pull,
            period=z_a.shape[-2],
            shifted=needs_shift(self.temperature, z_a.dtype),
        )
        energies = _weighted(log_z.sum(0), energy_weight)
        values = minus_positives(energies, z_a, z_b, inverse_temperature)
        if pull is None or gradient is None:
            return AnchorTerms(values)
        grad_b = gradient[1] if share_b else minus_weighted(torch.zeros_like(z_b), pull, z_a)
        return AnchorTerms(values, gradient[0], grad_b)


def _weighted(values: Tensor, weight: Hyperparameter) -> Tensor:
    return values if isinstance(weight, float) and weight == 1.0 else values * weight


def _each_anchor(value: Hyperparameter, z: Tensor) -> Hyperparameter:
    """`(K, 1, 1)` as `(K, M)`; numbers as they are."""
    return value.squeeze(-1).expand(z.shape[:-1]) if isinstance(value, Tensor) else value
