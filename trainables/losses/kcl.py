"""The kernel contrastive loss (KCL)."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from trainables.kernels import KERNELS
from trainables.losses.analytic import (
    AnalyticLoss,
    AnchorTerms,
    Hyperparameter,
    Weights,
    per_anchor_weight,
    per_stack,
)
from trainables.losses.kernel_energy import Energy, kernel_energy
from trainables.losses.products import scaled


@dataclass(frozen=True, kw_only=True)
class KCL(AnalyticLoss):
    """`-2 mean_i K(u_i, v_i) + gamma (mean_{i<j} K(u_i, u_j) + mean_{i<j} K(v_i, v_j))`, in units of K.

    `kernel` is the name of K (see `trainables.kernels`), and `t` is the parameter of K. `gaussian_riesz` uses the
    Gaussian with t = 2 in the first term and Riesz in the second term. The expected loss does not depend on M. The
    authors' code halves the log kernel in the energy only. Its `gamma` therefore means half of `gamma` here, and its
    loss is twice this loss. Source: Koromilas et al. 2024, arXiv 2405.18045.
    """

    name: ClassVar[str] = "kcl"

    kernel: str = "gaussian"
    t: Hyperparameter = 2.0
    gamma: Hyperparameter = 16.0

    def anchor_terms(self, z_a: Tensor, z_b: Tensor, weights: Weights) -> AnchorTerms:
        """`-2 K(u_i, v_i)` of each pair, plus gamma times its mean kernel values within both views."""
        t, gamma = per_stack("t", self.t, z_a), per_stack("gamma", self.gamma, z_a)
        kernel = KERNELS[self.kernel]
        alignment = kernel.alignment
        difference = z_a - z_b  # by subtraction: Gram distances lose digits when views nearly coincide
        distance = scaled((difference * difference).sum(-1, keepdim=True), alignment.scale(t))
        positive, factor, slope, slope_factor = alignment.terms(distance, t)
        pulls: tuple[Tensor, ...] = ()
        force = 1.0
        if weights is not None:
            factor_of_pull = -4.0 * per_anchor_weight(weights) * slope_factor
            if isinstance(factor_of_pull, Tensor):
                slope = slope * factor_of_pull
            else:
                force = factor_of_pull
            pull = difference.mul_(slope)
            pulls = (pull, pull.neg())
        energies, gradients = kernel_energy(
            Energy((z_a, z_b), kernel.energy, t, gamma, weights, pulls, force)
        )
        if isinstance(factor, Tensor):
            positive, factor = positive * factor, 1.0
        return AnchorTerms(torch.sub(energies.sum(0), positive.squeeze(-1), alpha=2.0 * factor), *gradients)
