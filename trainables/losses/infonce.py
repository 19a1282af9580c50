"""InfoNCE in its cross-view form."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from trainables.losses.analytic import (
    AnalyticLoss,
    AnchorTerms,
    Hyperparameter,
    Weights,
    minus_weighted,
    per_stack,
)
from trainables.losses.cross_partition import cross_partition
from trainables.losses.log_partition import minus_positives, needs_shift, times_inverse_temperature


@dataclass(frozen=True, kw_only=True)
class InfoNCE(AnalyticLoss):
    """`mean_i log(1 + sum_{j!=i} exp((v_j - v_i).u_i / T))`, in nats, averaged with its mirror image.

    Negatives come from the other view alone, as in CLIP. `form` is "symmetric", or "one_sided" for anchors in
    `z_a` only. `log M` minus the loss is a lower bound on the views' mutual information.
    Source: van den Oord et al. 2018, arXiv 1807.03748, equation 4; Radford et al. 2021, arXiv 2103.00020.
    """

    name: ClassVar[str] = "infonce"

    temperature: Hyperparameter = 0.25
    form: str = "symmetric"

    def anchor_terms(self, z_a: Tensor, z_b: Tensor, weights: Weights) -> AnchorTerms:
        """Each pair's log-partition over the other view, minus its positive logit."""
        inverse_temperature = 1.0 / per_stack("temperature", self.temperature, z_a)
        row_share = 1.0 if self.form == "one_sided" else 0.5
        sums = cross_partition(
            z_a,
            z_b,
            inverse_temperature,
            None if weights is None else weights * row_share,
            None if weights is None else weights * (1.0 - row_share),
            shifted=needs_shift(self.temperature, z_a.dtype),
        )
        log_z = sums.rows if self.form == "one_sided" else torch.lerp(sums.rows, sums.columns, 0.5)
        values = minus_positives(log_z, z_a, z_b, inverse_temperature)
        pull = times_inverse_temperature(weights, inverse_temperature, z_a)
        if pull is None or sums.grad_a is None or sums.grad_b is None:
            return AnchorTerms(values)
        return AnchorTerms(
            values, minus_weighted(sums.grad_a, pull, z_b), minus_weighted(sums.grad_b, pull, z_a)
        )
