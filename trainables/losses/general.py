"""The general loss, which has the losses of the InfoNCE family as special cases."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from trainables.losses.analytic import (
    AnalyticLoss,
    AnchorTerms,
    Hyperparameter,
    Weights,
    per_anchor_weight,
    per_stack,
)
from trainables.losses.penalties import PHI, PSI


@dataclass(frozen=True, kw_only=True)
class General(AnalyticLoss):
    """`mean_i psi(c1 sum_{j!=i} phi((v_j - v_i).u_i / T) + c2 sum_{j!=i} phi((u_j - v_i).u_i / T))`.

    Averaged with its mirror image. `trainables.losses.penalties` defines the choices for `phi` and `psi`, and states
    which conditions of the theory each violates. (exp, log1p) gives InfoNCE for c = (1, 0) and NT-Xent for (1, 1);
    (exp, log) gives DCL for (1, 1) and halved DHEL for (0, 1). The loss always computes in float64, because
    `exp(2 / T)` can exceed the range of float32. It is made for experiments and not for speed. Source: Lee et al.
    2025, arXiv 2506.09781, after Koromilas et al. 2024.
    """

    name: ClassVar[str] = "general"

    temperature: Hyperparameter = 0.25
    phi: str = "exp"
    psi: str = "log1p"
    c1: Hyperparameter = 1.0
    c2: Hyperparameter = 1.0

    def anchor_terms(self, z_a: Tensor, z_b: Tensor, weights: Weights) -> AnchorTerms:
        """The mean of the two directions, in the dtype of the views."""
        a, b = z_a.double(), z_b.double()
        half = None if weights is None else weights * 0.5
        values, near_a, near_b = self._one_direction(a, b, half)
        mirrored, far_b, far_a = self._one_direction(b, a, half)
        values = ((values + mirrored) / 2).to(z_a.dtype)
        if near_a is None or near_b is None or far_a is None or far_b is None:
            return AnchorTerms(values)
        return AnchorTerms(values, (near_a + far_a).to(z_a.dtype), (near_b + far_b).to(z_a.dtype))

    def _one_direction(self, anchors: Tensor, others: Tensor, weights: Weights) -> AnchorTerms:
        inverse_temperature = 1.0 / per_stack("temperature", self.temperature, anchors)
        c1, c2 = per_stack("c1", self.c1, anchors), per_stack("c2", self.c2, anchors)
        positive = (anchors * others).sum(-1, keepdim=True)
        cross, cross_slope = self._negatives((anchors @ others.mT - positive) * inverse_temperature)
        own, own_slope = self._negatives((anchors @ anchors.mT - positive) * inverse_temperature)
        total = c1 * cross.sum(-1, keepdim=True) + c2 * own.sum(-1, keepdim=True)
        values, outer_slope = PSI[self.psi](total)
        if weights is None:
            return AnchorTerms(values.squeeze(-1))
        force = outer_slope * per_anchor_weight(weights) * inverse_temperature
        cross_pull, own_pull = cross_slope * (c1 * force), own_slope * (c2 * force)
        push = (cross_pull + own_pull).sum(-1, keepdim=True)
        grad_anchors = cross_pull @ others + (own_pull + own_pull.mT) @ anchors - push * others
        return AnchorTerms(values.squeeze(-1), grad_anchors, cross_pull.mT @ anchors - push * anchors)

    def _negatives(self, arguments: Tensor) -> tuple[Tensor, Tensor]:
        """`phi` and its derivative, set to zero for the anchor's own pair."""
        value, slope = PHI[self.phi](arguments)
        for matrix in (value, slope):
            matrix.diagonal(0, -2, -1).zero_()
        return value, slope
