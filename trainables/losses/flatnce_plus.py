"""FlatNCE with the positive in the sum: a loss with a constant value and the gradient of NT-Xent."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from trainables.losses.analytic import AnalyticLoss, AnchorTerms, Hyperparameter, Weights
from trainables.losses.log_partition import two_view_terms


@dataclass(frozen=True, kw_only=True)
class FlatNCEPlus(AnalyticLoss):
    """`xi / stop_grad(xi)`, where `xi` is the sum inside the logarithm of `NTXent`.

    The value is 1, with the gradient of `NTXent`. The gradient comes from the same operations as that of `NTXent`, so
    equal inputs give bit for bit equal gradients. `per_anchor` is `log xi`, in nats, because the value of the loss is
    constant. Source: Chen et al. 2021, arXiv 2107.01152.
    """

    name: ClassVar[str] = "flatnce_plus"

    temperature: Hyperparameter = 0.25

    def __call__(self, z_a: Tensor, z_b: Tensor) -> Tensor:
        """1, or NaN when `xi` is not finite. Raises `ValueError` as every built-in loss does."""
        # xi / stop_grad(xi) and log xi - stop_grad(log xi) have the same gradient, but the second cannot overflow.
        log_xi = super().__call__(z_a, z_b)
        return log_xi - log_xi.detach() + 1.0

    def anchor_terms(self, z_a: Tensor, z_b: Tensor, weights: Weights) -> AnchorTerms:
        """`log xi` of each pair, as the mean over its two anchors."""
        least = self.least("temperature")
        return two_view_terms(z_a, z_b, self.temperature, weights, positive=True, least_temperature=least)
