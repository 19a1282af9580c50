"""Colour jitter in an order of its own for every image, and grey, with torchvision's formulas.

Brightness, contrast and saturation blend an image with a reference (black, its mean grey, its grey image), so
one pass serves all images whichever of the three is due; only hue needs a way of its own.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

BRIGHTNESS, CONTRAST, SATURATION, HUE = range(4)

_LUMA = (0.2989, 0.587, 0.114)  # ITU-R 601-2, as torchvision and Pillow weigh


@dataclass(frozen=True, kw_only=True)
class Jitter:
    """Jitter of M images: blend factors and hue shift of shape (M,), and the order (M, 4) of the four.

    `order[i, k]` is what happens to image i at stage k. Factors of 1 and a shift of 0 change nothing.
    """

    brightness: Tensor
    contrast: Tensor
    saturation: Tensor
    hue: Tensor
    order: Tensor


def apply_jitter(images: Tensor, jitter: Jitter) -> Tensor:
    """Jitter float images (M, C, H, W) in [0, 1], C = 1 or 3; saturation and hue leave grey images alone."""
    colour = images.shape[1] == 3
    ones = torch.ones_like(jitter.brightness)
    factors = torch.stack(
        [jitter.brightness, jitter.contrast, jitter.saturation if colour else ones, ones], 1
    )
    for stage in range(4):
        due = jitter.order[:, stage]
        factor = factors.gather(1, due[:, None])[:, :, None, None]
        images = _blend(images, due[:, None, None, None], factor)
        if colour:
            images = _shift_where(images, jitter.hue, (due == HUE) & (jitter.hue != 0))
    return images


def grey(images: Tensor) -> Tensor:
    """The grey image (M, 1, H, W) of colour (M, 3, H, W); grey images as they are."""
    if images.shape[1] == 1:
        return images
    red, green, blue = images.split(1, dim=1)
    return _LUMA[0] * red + _LUMA[1] * green + _LUMA[2] * blue


def apply_grey(images: Tensor, chosen: Tensor) -> Tensor:
    """Colour images made grey where `chosen (M,)` is true."""
    return torch.where(chosen[:, None, None, None], grey(images), images)


def shift_hue(images: Tensor, shift: Tensor) -> Tensor:
    """Turn the hue of colour images (M, 3, H, W) by `shift (M,)` turns, keeping HSV saturation and value."""
    value, minimum = images.amax(1), images.amin(1)
    chroma = value - minimum
    red, green, blue = images.unbind(1)
    safe = torch.where(chroma == 0, 1.0, chroma)
    sector = torch.where(
        value == red,
        (green - blue) / safe,
        torch.where(value == green, (blue - red) / safe + 2, (red - green) / safe + 4),
    )
    turned = sector + 6 * shift[:, None, None]
    # HSV to RGB: value - chroma * clamp(min(k, 4 - k), 0, 1) with k = (n + sector) mod 6, n = 5, 3, 1.
    k = (turned[:, None] + turned.new_tensor([5.0, 3.0, 1.0])[:, None, None]) % 6
    return value[:, None] - chroma[:, None] * torch.minimum(k, 4 - k).clamp(0, 1)


def _blend(images: Tensor, due: Tensor, factor: Tensor) -> Tensor:
    greys = grey(images)
    mean = greys.mean(dim=(2, 3), keepdim=True)
    reference = torch.where(due == CONTRAST, mean, torch.where(due == SATURATION, greys, 0.0))
    return torch.lerp(reference, images, factor).clamp_(0, 1)


def _shift_where(images: Tensor, shift: Tensor, chosen: Tensor) -> Tensor:
    if images.is_cuda:  # picking images out would wait for the device, and forbid capture in a CUDA graph
        return torch.where(chosen[:, None, None, None], shift_hue(images, shift), images)
    rows = chosen.nonzero()[:, 0]
    return images.index_copy_(0, rows, shift_hue(images[rows], shift[rows]))
