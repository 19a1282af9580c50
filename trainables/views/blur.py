"""Gaussian blur with a width of its own for every image, as two small matrix products an image."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Blur:
    """Blur of M images: widths in pixels and which images are blurred, each of shape (M,)."""

    sigma: Tensor
    chosen: Tensor


def blur_weights(sigma: Tensor, size: int) -> Tensor:
    """Weights (M, size, size) that blur a line of `size` pixels by `sigma (M,)` pixels, mirrored at its ends.

    The kernel is a tenth of the line wide (Chen et al. 2020, arXiv 2002.05709, appendix A), rounded to an odd
    number of pixels, at least 3. Mirroring leaves out the end pixel, as torchvision's `gaussian_blur` does.
    """
    radius = max(1, size // 10 // 2)
    offsets = torch.arange(-radius, radius + 1, device=sigma.device)
    kernel = torch.softmax(-0.5 * (offsets / sigma[:, None]) ** 2, dim=1)
    sources = (torch.arange(size, device=sigma.device)[:, None] + offsets).abs()
    sources = torch.where(sources >= size, 2 * (size - 1) - sources, sources)
    weights = sigma.new_zeros(len(sigma), size, size)
    return weights.scatter_add_(2, sources.expand(len(sigma), -1, -1), kernel[:, None].expand(-1, size, -1))


def apply_blur(images: Tensor, blur: Blur) -> Tensor:
    """Blur square images (M, C, H, H) where they are chosen."""
    weights = blur_weights(blur.sigma, images.shape[-1])[:, None]
    return torch.where(blur.chosen[:, None, None, None], weights @ images @ weights.transpose(2, 3), images)
