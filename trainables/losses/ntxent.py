"""NT-Xent, the loss of SimCLR."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from trainables.losses.analytic import AnalyticLoss, AnchorTerms, Hyperparameter, Weights
from trainables.losses.log_partition import two_view_terms


@dataclass(frozen=True, kw_only=True)
class NTXent(AnalyticLoss):
    """`mean_i log(1 + sum_{j!=i} exp((v_j - v_i).u_i / T) + sum_{j!=i} exp((u_j - v_i).u_i / T))`, in nats.

    Averaged with its mirror image. It is the cross-entropy of identifying each point's other view among the other
    2M - 1 points. Source: SimCLR, Chen et al. 2020, arXiv 2002.05709, equation 1.
    """

    name: ClassVar[str] = "ntxent"

    temperature: Hyperparameter = 0.25

    def anchor_terms(self, z_a: Tensor, z_b: Tensor, weights: Weights) -> AnchorTerms:
        """The mean log-partition of each pair over the other 2M - 1 points, minus its positive logit."""
        least = self.least("temperature")
        return two_view_terms(z_a, z_b, self.temperature, weights, positive=True, least_temperature=least)
