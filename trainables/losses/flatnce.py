"""FlatNCE: the gradient of DCL behind a constant value."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from trainables.losses.analytic import AnalyticLoss, AnchorTerms, Hyperparameter, Weights
from trainables.losses.log_partition import two_view_terms


@dataclass(frozen=True, kw_only=True)
class FlatNCE(AnalyticLoss):
    """`xi / stop_grad(xi)` with `xi` the sum inside the logarithm of `DCL`: 1, with the gradient of `DCL`.

    The gradient comes from the same operations as `DCL`'s: equal inputs give equal bits. `per_anchor` is
    `log xi`, in nats, since the loss itself says nothing. Source: Chen et al. 2021, arXiv 2107.01152.
    """

    name: ClassVar[str] = "flatnce"

    temperature: Hyperparameter = 0.25

    def __call__(self, z_a: Tensor, z_b: Tensor) -> Tensor:
        """1, or NaN where `xi` is not finite. Raises `ValueError` as every loss does."""
        # xi / stop_grad(xi) and log xi - stop_grad(log xi) have the same gradient; the latter cannot overflow
        log_xi = super().__call__(z_a, z_b)
        return log_xi - log_xi.detach() + 1.0

    def anchor_terms(self, z_a: Tensor, z_b: Tensor, weights: Weights) -> AnchorTerms:
        """`log xi` of each pair, mean of its two anchors."""
        return two_view_terms(z_a, z_b, self.temperature, weights, positive=False)
