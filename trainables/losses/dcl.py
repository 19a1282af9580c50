"""The decoupled contrastive loss (DCL)."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from trainables.losses.analytic import AnalyticLoss, AnchorTerms, Hyperparameter, Weights
from trainables.losses.log_partition import two_view_terms


@dataclass(frozen=True, kw_only=True)
class DCL(AnalyticLoss):
    """`mean_i log(sum_{j!=i} exp((v_j - v_i).u_i / T) + sum_{j!=i} exp((u_j - v_i).u_i / T))`, in nats.

    Averaged with its mirror image. It is NT-Xent without the positive in the sum, so it may be negative.
    Source: Yeh et al. 2022, arXiv 2110.06848.
    """

    name: ClassVar[str] = "dcl"

    temperature: Hyperparameter = 0.25

    def anchor_terms(self, z_a: Tensor, z_b: Tensor, weights: Weights) -> AnchorTerms:
        """Each pair's mean log-partition over the 2M - 2 points of other pairs, minus its positive logit."""
        least = self.least("temperature")
        return two_view_terms(z_a, z_b, self.temperature, weights, positive=False, least_temperature=least)
