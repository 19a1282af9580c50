"""The InfoNCE loss in its cross-view form."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from trainables.losses.analytic import (
    AnalyticLoss,
    AnchorTerms,
    Hyperparameter,
    Weights,
    per_stack,
)
from trainables.losses.cross_partition import cross_partition
from trainables.losses.log_partition import needs_shift


@dataclass(frozen=True, kw_only=True)
class InfoNCE(AnalyticLoss):
    """`mean_i log(1 + sum_{j!=i} exp((v_j - v_i).u_i / T))`, in nats, averaged with its mirror image.

    Negatives come only from the other view, as in CLIP. `form` is "symmetric", or "one_sided" for anchors only in
    `z_a`. `log M` minus the loss is a lower bound on the mutual information of the views.
    Source: van den Oord et al. 2018, arXiv 1807.03748, equation 4; Radford et al. 2021, arXiv 2103.00020.
    """

    name: ClassVar[str] = "infonce"

    temperature: Hyperparameter = 0.25
    form: str = "symmetric"

    def anchor_terms(self, z_a: Tensor, z_b: Tensor, weights: Weights) -> AnchorTerms:
        """The log-partition of each pair over the other view, minus its positive logit."""
        inverse_temperature = 1.0 / per_stack("temperature", self.temperature, z_a)
        return cross_partition(
            z_a,
            z_b,
            inverse_temperature,
            weights,
            both_ways=self.form == "symmetric",
            shifted=needs_shift(self.least("temperature"), z_a.dtype),
        )
