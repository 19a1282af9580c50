"""The mean kernel value of each point with all other points, and its gradient; used by `KCL`.

The gradient with respect to `z_i` is `2 sum_j S_ij (z_i - z_j)`. `S_ij` is the derivative of `K_ij` with respect to
`d_ij^2`, multiplied by the anchor weights of both points, because a pair contributes to the means of both its points.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from trainables.kernels.kernel import KernelFunction
from trainables.losses.analytic import Hyperparameter, Weights
from trainables.losses.products import add_product, scaled, scaled_product, self_products
from trainables.losses.strips import fits_one_strip, strips


class Energy(NamedTuple):
    """`e_i = gamma mean_{j!=i} K(z_i, z_j)` of the points of each view.

    The gradient is that of `sum_i weights_i e_i`, plus `force` times the view's tensor in `pulls`. It overwrites the
    tensors in `pulls`. Without `weights` there is no gradient.
    """

    views: tuple[Tensor, ...]  # (..., M, d) each
    kernel: KernelFunction
    t: Hyperparameter
    gamma: Hyperparameter
    weights: Weights = None
    pulls: tuple[Tensor, ...] = ()  # (..., M, d) each
    force: float = 1.0

    @property
    def share(self) -> Hyperparameter:
        """The factor of a point's sum of kernel values in its energy."""
        return self.gamma / (self.views[0].shape[-2] - 1)

    @property
    def slope_share(self) -> Hyperparameter:
        """The factor of every slope. It includes a uniform weight; a tensor of weights is already in the slopes."""
        return 2.0 * self.share * (1.0 if isinstance(self.weights, Tensor) else 2.0 * (self.weights or 0.0))


def kernel_energy(energy: Energy) -> tuple[Tensor, tuple[Tensor, ...]]:
    """The energies of V views, `(V, ..., M)`, and the gradient for each view.

    Squared distances are `|z_i|^2 + |z_j|^2 - 2 z_i.z_j`, which is also correct for rows rounded to bfloat16.
    """
    first = energy.views[0]
    one_piece = fits_one_strip(first.shape[-2], first.device)
    sums, factor, gradients = _in_one_piece(energy) if one_piece else _in_strips(energy)
    scale = energy.share * factor
    return scaled(sums, scale.squeeze(-1) if isinstance(scale, Tensor) else scale), gradients


Sums = tuple[Tensor, Hyperparameter, tuple[Tensor, ...]]


def _in_one_piece(energy: Energy) -> Sums:
    """The sums without the factor of the kernel, this factor, and the gradients."""
    distance = self_products(energy.views, -2.0 * energy.kernel.scale(energy.t))
    minus_norms = distance.diagonal(0, -2, -1)  # twice the negative of the scaled squared norms
    distance.sub_(minus_norms.unsqueeze(-1) + minus_norms.unsqueeze(-2), alpha=0.5)
    value, factor, slope, slope_factor = energy.kernel.terms(distance, energy.t)
    diagonal = value.diagonal(0, -2, -1).zero_()
    sums = slope_sums = value.sum(-2)  # equals value.sum(-1), but faster for many small matrices
    if energy.weights is None:
        return sums, factor, ()
    weighted = isinstance(energy.weights, Tensor)
    if slope is not value:
        diagonal = slope.diagonal(0, -2, -1).zero_()
    if isinstance(energy.weights, Tensor):
        slope.mul_(energy.weights.unsqueeze(-1) + energy.weights.unsqueeze(-2))
    if slope is not value or weighted:
        slope_sums = slope.sum(-2)
    # The negative Laplacian of the graph with weights S: one product then gives sum_j S_ij (z_j - z_i).
    torch.neg(slope_sums, out=diagonal)
    scale = -energy.slope_share * slope_factor
    gradients = tuple(
        add_product(pull, matrix, z, beta=energy.force, alpha=scale)
        for pull, matrix, z in zip(energy.pulls, slope.unbind(), energy.views, strict=True)
    )
    return sums, factor, gradients


def _in_strips(energy: Energy) -> Sums:
    """The same as `_in_one_piece`, computed for one view at a time and on the lower triangle."""
    sums: list[Tensor] = []
    gradients: list[Tensor] = []
    factor: Hyperparameter = 1.0
    for index, z in enumerate(energy.views):
        view_sums, factor, gradient = _view_in_strips(z, energy)
        sums.append(view_sums)
        if gradient is not None:
            gradients.append(gradient.add_(energy.pulls[index], alpha=energy.force))
    return torch.stack(sums), factor, tuple(gradients)


def _view_in_strips(z: Tensor, energy: Energy) -> tuple[Tensor, Hyperparameter, Tensor | None]:
    _, kernel, t, _, weights, *_ = energy
    norms = (z * z).sum(-1, keepdim=True) * kernel.scale(t)
    sums, push, pull = z.new_zeros(z.shape[:-1]), z.new_zeros(z.shape[:-1]), torch.zeros_like(z)
    for start, stop in strips(z.shape[-2], z.device):
        rows, columns = z[..., start:stop, :], z[..., :stop, :]
        distance = norms[..., start:stop, :] + norms.mT[..., :stop]
        distance.add_(scaled_product(rows, columns.mT, -2.0 * kernel.scale(t)))
        value, factor, slope, slope_factor = kernel.terms(distance, t)
        value.diagonal(start, -2, -1).zero_()
        sums[..., start:stop] += value.sum(-1)
        sums[..., :start] += value[..., :start].sum(-2)
        if weights is None:
            continue
        slope.diagonal(start, -2, -1).zero_()
        if isinstance(weights, Tensor):
            slope.mul_(weights[..., start:stop, None] + weights[..., None, :stop])
        push[..., start:stop] += slope.sum(-1)
        push[..., :start] += slope[..., :start].sum(-2)
        pull[..., start:stop, :] += slope @ columns
        pull[..., :start, :] += slope[..., :start].mT @ rows
    if weights is None:
        return sums, factor, None
    gradient = (push.unsqueeze(-1) * z).sub_(pull)
    return sums, factor, gradient.mul_(energy.slope_share * slope_factor)
