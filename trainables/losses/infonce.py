"""InfoNCE in its cross-view form."""

from dataclasses import dataclass
from typing import ClassVar

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
from trainables.losses.log_partition import needs_shift


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
        scaled_a, scaled_b = z_a * inverse_temperature, z_b * inverse_temperature
        rows_share = 1.0 if self.form == "one_sided" else 0.5
        row_weights = None if weights is None else weights * rows_share
        column_weights = None if weights is None else weights * (1.0 - rows_share)
        shifted = needs_shift(self.temperature, z_a.dtype)
        sums = cross_partition(z_a, z_b, scaled_a, scaled_b, row_weights, column_weights, shifted=shifted)
        positive = (scaled_a * z_b).sum(-1)
        values = rows_share * sums.rows + (1.0 - rows_share) * sums.columns - positive
        if weights is None or sums.grad_a is None or sums.grad_b is None:
            return AnchorTerms(values)
        return AnchorTerms(
            values,
            minus_weighted(sums.grad_a, weights, scaled_b),
            minus_weighted(sums.grad_b, weights, scaled_a),
        )
