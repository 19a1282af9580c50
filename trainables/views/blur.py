"""Gaussian blur with a separate width for every image, as two small matrix products per image; used by `Views`."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Blur:
    """Blur parameters of M images: `sigma` in pixels, and `chosen` for the blurred images, each of shape (M,)."""

    sigma: Tensor
    chosen: Tensor


def blur_weights(sigma: Tensor, size: int) -> Tensor:
    """Weights (M, size, size) that blur a line of `size` pixels by `sigma (M,)` pixels, with mirrored ends.

    The width of the kernel is a tenth of the line (Chen et al. 2020, arXiv 2002.05709, appendix A), rounded to an odd
    number of pixels, at least 3. Mirroring does not repeat the end pixel, as in torchvision's `gaussian_blur`.
    """
    radius = max(1, size // 10 // 2)
    offsets = torch.arange(-radius, radius + 1, device=sigma.device)
    kernel = torch.softmax(-0.5 * (offsets / sigma[:, None]) ** 2, dim=1)
    sources = (torch.arange(size, device=sigma.device)[:, None] + offsets).abs()
    sources = torch.where(sources >= size, 2 * (size - 1) - sources, sources)
    weights = sigma.new_zeros(len(sigma), size, size)
    return weights.scatter_add_(2, sources.expand(len(sigma), -1, -1), kernel[:, None].expand(-1, size, -1))


def apply_blur(images: Tensor, blur: Blur) -> Tensor:
    """Blur the chosen ones of square images (M, C, H, H)."""
    weights = blur_weights(blur.sigma, images.shape[-1])[:, None]
    return torch.where(blur.chosen[:, None, None, None], weights @ images @ weights.transpose(2, 3), images)
